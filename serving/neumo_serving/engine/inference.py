"""Predict on a loaded version: what is asked is checked as TensorFlow Serving checks it.

Source of the checks and their texts: ``servables/tensorflow/predict_util.cc``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from neumo_serving.engine import faults, tensors
from neumo_serving.engine.faults import Fault
from neumo_serving.engine.loader import Array, LoadedModel, cpp_name, dtype_name, numpy_dtype

DEFAULT_SIGNATURE = "serving_default"
PREDICT_METHODS = tuple(
    f"tensorflow/serving/{method}" for method in ("predict", "classify", "regress")
)


@dataclass(frozen=True, slots=True)
class Question:
    """What Predict is asked.

    ``signature`` is its name, '' for the default; ``inputs`` are arrays or ``TensorProto``, which
    are read when their names are known to be right; ``output_filter`` is empty for all outputs.
    """

    signature: str
    inputs: Mapping[str, Any]
    output_filter: Sequence[str] = ()


def predict(model: LoadedModel, question: Question) -> dict[str, Array]:
    """The outputs by name; raises ``Fault`` for a question that the signature does not allow."""
    name = question.signature or DEFAULT_SIGNATURE
    signature = model.signatures.get(name)
    if signature is None:
        raise Fault(faults.FAILED_PRECONDITION, f'Serving signature key "{name}" not found.')
    if signature.method_name not in PREDICT_METHODS or name not in model.functions:
        raise Fault(
            faults.INTERNAL,
            "Expected prediction signature method_name to be one of "
            f"{{{', '.join(PREDICT_METHODS)}}}. Was: {signature.method_name}",
        )
    _check_names(signature, question.inputs)
    arrays = {key: _array(key, value) for key, value in sorted(question.inputs.items())}
    outputs = _outputs(signature, question.output_filter)
    for number, (key, array) in enumerate(arrays.items()):
        _check_tensor(number, key, array, signature.inputs[key])
    return dict(zip(outputs, model.run(name, arrays, outputs), strict=True))


def _array(name: str, value: Any) -> Array:
    return value if isinstance(value, np.ndarray) else tensors.decode(value, name)


def _check_names(signature: Any, inputs: Iterable[str]) -> None:
    sent, expected = set(inputs), set(signature.inputs)
    if sent == expected:
        return
    if len(sent) == len(expected):
        raise faults.invalid(
            f"input tensor alias not found in signature: {min(sent - expected)}. "
            f"Inputs expected to be in the set {{{_joined(expected)}}}."
        )
    raise faults.invalid(
        f"input size does not match signature: {len(sent)}!={len(expected)} "
        f"len({{{_joined(sent)}}}) != len({{{_joined(expected)}}}). "
        f"Sent extra: {{{_joined(sent - expected)}}}. "
        f"Missing but required: {{{_joined(expected - sent)}}}."
    )


def _check_tensor(number: int, key: str, array: Array, info: Any) -> None:
    """The dtype with TensorFlow's text; the shape before TensorFlow allocates anything for it."""
    expected = numpy_dtype(info.dtype)
    if array.dtype != expected and not (array.dtype.kind in "SU" and expected.kind == "O"):
        name = "string" if array.dtype.kind in "OSU" else array.dtype.name
        raise faults.invalid(
            f"Expects arg[{number}] to be {cpp_name(dtype_name(info.dtype))} but "
            f"{cpp_name(name)} is provided"
        )
    if info.tensor_shape.unknown_rank:
        return
    sizes = [dim.size for dim in info.tensor_shape.dim]
    fits = len(sizes) == array.ndim and all(
        want in (-1, got) for want, got in zip(sizes, array.shape, strict=True)
    )
    if not fits:
        raise faults.invalid(
            f'input "{key}" has shape {_shape(array.shape)}, expected {_shape(sizes)}'
        )


def _outputs(signature: Any, output_filter: Sequence[str]) -> list[str]:
    known = sorted(signature.outputs)
    for number, name in enumerate(output_filter):
        if name not in signature.outputs:
            raise faults.invalid(
                f"output tensor alias not found in signature: {name} "
                f"Outputs expected to be in the set {{{','.join(known)}}}."
            )
        if name in output_filter[:number]:
            raise faults.invalid(f"duplicate output tensor alias: {name}")
    return list(output_filter) or known


def _joined(names: Iterable[str]) -> str:
    return ",".join(sorted(names))


def _shape(sizes: Iterable[int]) -> str:
    return f"[{','.join('?' if size < 0 else str(size) for size in sizes)}]"
