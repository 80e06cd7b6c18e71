"""Outputs to JSON answers, in the format of the request.

Upstream: ``util/json_tensor.cc``.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from typing import Any

import numpy as np

from neumo_serving.engine.dtypes import Array, cpp_name, dtype_name, dtype_number
from neumo_serving.request_faults import invalid
from neumo_serving.rest_api.json_to_tensor import JSON_TYPES

_BYTES_SUFFIX = "_bytes"
"""Outputs named so are bytes and sent in base64."""


def answer(outputs: Mapping[str, Array], is_row: bool) -> bytes:
    """The JSON answer in the format of the request; raises ``Fault`` where it cannot be written."""
    key, value = ("predictions", _rows(outputs)) if is_row else ("outputs", _columns(outputs))
    # json writes NaN and Infinity bare, as upstream does.
    return json.dumps({key: value}).encode()


def classifications(result: Any) -> bytes:
    """The JSON answer to a classify request: a list of labels with scores for each example."""
    rows = [
        [[one.label, shortest(one.score)] for one in row.classes] for row in result.classifications
    ]
    return json.dumps({"results": rows}).encode()


def regressions(result: Any) -> bytes:
    """The JSON answer to a regress request: a number for each example."""
    return json.dumps({"results": [shortest(one.value) for one in result.regressions]}).encode()


def shortest(value: float) -> float:
    """The number with the fewest digits that is ``value`` as a 32-bit float."""
    return float(str(np.float32(value)))


def error(text: str) -> bytes:
    """TensorFlow Serving's answer to a failed call."""
    return json.dumps({"error": text}).encode()


def _columns(outputs: Mapping[str, Array]) -> Any:
    """One output loses its name, as in the row format."""
    values = {name: _plain(array, name) for name, array in outputs.items()}
    return values if len(values) > 1 else next(iter(values.values()))


def _rows(outputs: Mapping[str, Array]) -> list[Any]:
    """A list of objects, one for each row; of bare values where there is one output."""
    _check_rows(outputs)
    plain = {name: _plain(array, name) for name, array in outputs.items()}
    if len(plain) == 1:
        values: list[Any] = next(iter(plain.values()))
        return values
    return [dict(zip(plain, row, strict=True)) for row in zip(*plain.values(), strict=True)]


def _check_rows(outputs: Mapping[str, Array]) -> None:
    rows = None
    for name, array in outputs.items():
        if array.ndim == 0:
            raise invalid(f"Tensor name: {name} has no shape information ")
        if not len(array):
            raise invalid(f"Tensor name: {name} has invalid batch size: 0")
        rows = len(array) if rows is None else rows
        if len(array) != rows:
            raise invalid(
                f"Tensor name: {name} has inconsistent batch size: {len(array)} expecting: {rows}"
            )


def _plain(array: Array, name: str) -> Any:
    """Nested lists that JSON can hold; 32-bit floats in their shortest form; raises ``Fault``."""
    # What has no value has no type that could be wrong.
    if array.size and array.dtype.name not in JSON_TYPES:
        kind = cpp_name(dtype_name(dtype_number(array.dtype)))
        raise invalid(f"Failed to write JSON value for tensor type: {kind}")
    if array.dtype.kind == "O":
        return _texts(array.tolist(), name.endswith(_BYTES_SUFFIX))
    if array.dtype.kind == "f" and array.dtype.itemsize < 8:
        # By way of text: numpy writes the fewest digits that read back as the same 32-bit float.
        return array.astype("U32").astype(np.float64).tolist()
    return array.tolist()


def _texts(value: Any, as_base64: bool) -> Any:
    if isinstance(value, list):
        return [_texts(one, as_base64) for one in value]
    if as_base64:
        return {"b64": base64.b64encode(value).decode("ascii")}
    # Upstream sends the bytes as they are; JSON must be UTF-8.
    return value.decode("utf-8", "replace")
