"""Requests' arrays put together in one batch, and the batch's arrays given back to requests.

Source of the checks and their texts: ``batching/batching_session.cc`` and ``batching_util.cc``.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from neumo_serving import request_faults
from neumo_serving.engine.dtypes import Array
from neumo_serving.request_faults import Fault, invalid

MAX_PADDED_RANK = 6
"""Upstream pads with a template of C++ for each rank up to this."""


def rows(arrays: Sequence[Array]) -> int:
    """The first dimension, which all must share; raises ``Fault`` where they do not."""
    if not arrays:
        raise invalid("Batching Run() must have at least one input tensor")
    if any(array.ndim == 0 for array in arrays):
        raise invalid("Batching Run() input tensors must have at least one dimension")
    if len({len(array) for array in arrays}) > 1:
        raise invalid("Batching Run() input tensors must have equal 0th-dimension size")
    return len(arrays[0])


def merged(name: str, pieces: Sequence[Array], pads: bool) -> Array:
    """The ``pieces`` of the tensor ``name``, one after the other; raises ``Fault``.

    With ``pads`` they may differ in the later dimensions: the shorter are filled up.
    """
    if len({piece.shape[1:] for piece in pieces}) > 1:
        if not pads:
            raise Fault(
                request_faults.FAILED_PRECONDITION,
                f"Tensors with name '{name}' from different tasks have different shapes and "
                # Upstream's words, without the blanks that it forgot.
                "padding is turned off.Set pad_variable_length_inputs to true, or ensure that all "
                "tensors with the same namehave equal dimensions starting with the first dim.",
            )
        pieces = _padded(pieces)
    # One request alone in its batch is the usual case, and is not copied.
    return pieces[0] if len(pieces) == 1 else np.concatenate(pieces)


def _padded(pieces: Sequence[Array]) -> list[Array]:
    """The pieces, filled up to the largest size of each dimension with their own first value."""
    ranks = {piece.ndim for piece in pieces}
    if len(ranks) > 1 or max(ranks) > MAX_PADDED_RANK:
        raise invalid(f"Only tensors with rank from 1 to {MAX_PADDED_RANK} can be padded.")
    # Its first value is what a piece is filled up with.
    if not all(piece.size for piece in pieces):
        raise invalid("Got empty tensor in batch of non-empty tensors.")
    sizes = np.array([piece.shape for piece in pieces]).max(0)
    return [_filled(piece, (len(piece), *sizes[1:])) for piece in pieces]


def _filled(piece: Array, shape: tuple[int, ...]) -> Array:
    if piece.shape == shape:
        return piece
    filled = np.empty(shape, piece.dtype)
    filled[...] = piece.flat[0]
    filled[tuple(slice(size) for size in piece.shape)] = piece
    return filled


def check_outputs(outputs: Sequence[Any], size: int) -> None:
    """Raise ``Fault`` where the outputs of a batch of ``size`` rows cannot be given back."""
    for output in outputs:
        if np.ndim(output) == 0:
            text = "Batched output tensor has 0 dimensions"
            raise Fault(request_faults.FAILED_PRECONDITION, text)
        if len(output) != size:
            raise Fault(
                request_faults.FAILED_PRECONDITION,
                "Batched output tensor's 0th dimension does not equal the sum of the 0th "
                "dimension sizes of the input tensors",
            )
