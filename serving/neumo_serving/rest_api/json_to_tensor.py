"""Nested JSON lists to arrays, value by value as strict as TensorFlow Serving.

Upstream: ``util/json_tensor.cc``.
"""

from __future__ import annotations

import base64
import json
import math
import re
from typing import Any

import numpy as np

from neumo_serving import request_faults
from neumo_serving.engine.dtypes import Array, cpp_name, dtype_name, numpy_dtype
from neumo_serving.request_faults import Fault, invalid
from neumo_serving.rest_api import json_errors
from neumo_serving.rest_api.json_text import Repeated
from neumo_serving.rest_api.number_lists import Numbers

JSON_TYPES = frozenset(
    {
        *("float32", "float64", "bool", "object"),
        *("int8", "int16", "int32", "int64", "uint8", "uint32", "uint64"),
    }
)
"""What upstream reads and writes as JSON, by numpy's names: neither half floats nor ``uint16``."""

MAX_DIMENSIONS = 64
"""What numpy can hold; no model here has a tenth of it."""

INT32 = np.iinfo(np.int32)
MIN_INT64, MAX_UINT64 = -(2**63), 2**64 - 1
_SHOWN_CHARACTERS = 200
_BASE64_BLANKS = b" \t\n\v\f\r"
_BASE64 = re.compile(rb"([A-Za-z0-9+/]*)([=.]*)")
"""absl takes a dot for padding, too."""


def dense(value: Any, data_type: int) -> Array:
    """Nested lists as an array of TensorFlow's ``data_type``; raises ``Fault``."""
    dtype = numpy_dtype(data_type)
    if dtype.name not in JSON_TYPES:
        kind = cpp_name(dtype_name(data_type))
        text = f"Conversion of JSON Value: {shown(_first(value))} to type: {kind}"
        raise Fault(request_faults.UNIMPLEMENTED, text)
    if dtype.kind in "fiu" and (array := _numbers(value, dtype)) is not None:
        return array
    if isinstance(value, Numbers):
        value = value.nested()
    shape = _shape(value)
    leaves: list[Any] = []
    _collect(value, 0, shape, dtype_name(data_type), leaves)
    # Filled, not made of the list: numpy would make arrays of strings fixed-width.
    flat = np.empty(len(leaves), dtype)
    flat[:] = leaves
    if flat.size != math.prod(shape):
        raise invalid(f"{flat.size} values do not fill the shape {list(shape)}")
    return flat.reshape(shape)


def _first(value: Any) -> Any:
    while isinstance(value, list) and value:
        value = value[0]
    return value


def is_base64(value: Any) -> bool:
    """Whether ``value`` is ``{"b64": "…"}``, which stands for bytes."""
    return (
        isinstance(value, dict)
        and len(value) == 1
        # Two keys b64 are two members.
        and not isinstance(value, Repeated)
        and isinstance(value.get("b64"), str)
    )


def shown(value: Any) -> str:
    """``value`` for a message, cut: a body may hold a film."""
    if isinstance(value, dict):
        return "{" + ", ".join(f'"{str(key)[:40]}"' for key in list(value)[:5]) + "}"
    if isinstance(value, list | Numbers):
        return f"a list of {len(value)}"
    return json.dumps(value)[:_SHOWN_CHARACTERS]


def _numbers(value: Any, dtype: np.dtype[Any]) -> Array | None:
    """The quick way for well-formed numbers; None where the slow one must say what is wrong."""
    leaves: Array | list[Any]
    if isinstance(value, Numbers):
        leaves, shape = value.values, value.shape
    else:
        try:
            objects = np.array(value, object)
        except ValueError:
            return None
        leaves, shape = objects.ravel().tolist(), objects.shape
    array = _array(leaves, dtype)
    return None if array is None else array.reshape(shape)


def _array(leaves: Array | list[Any], dtype: np.dtype[Any]) -> Array | None:
    if isinstance(leaves, np.ndarray):
        array = leaves
    else:
        # By type, not isinstance: True must not pass for 1.
        kinds = set(map(type, leaves))
        if not kinds <= ({int, float} if dtype.kind == "f" else {int}):
            return None
        try:
            array = np.array(leaves, float if float in kinds else np.int64)
        except OverflowError:
            return None
    fits = _is_lossless(array, dtype) if dtype.kind == "f" else _is_within(array, dtype)
    return array.astype(dtype) if fits else None


def _is_lossless(array: Array, dtype: np.dtype[Any]) -> bool:
    """Whether no whole number in ``array`` might need more digits than ``dtype`` has."""
    finite = array[np.isfinite(array)]
    return not finite.size or float(np.abs(finite).max()) <= _largest_exact(dtype)


def _is_within(array: Array, dtype: np.dtype[Any]) -> bool:
    limits = _limits(dtype)
    if not array.size:
        return True
    return bool(limits.min <= int(array.min()) and int(array.max()) <= limits.max)


def _limits(dtype: np.dtype[Any]) -> np.iinfo[Any]:
    """Upstream reads every small integer as one of 32 bits, and cuts it later."""
    return INT32 if dtype.itemsize < 4 else np.iinfo(dtype)


def _largest_exact(dtype: np.dtype[Any]) -> int:
    # The first bit is not stored.
    digits: int = np.finfo(dtype).nmant + 1
    return int(2**digits) - 1


def _shape(value: Any) -> tuple[int, ...]:
    shape = []
    while isinstance(value, list):
        shape.append(len(value))
        if len(shape) > MAX_DIMENSIONS:
            raise invalid(f"Encountered list at unexpected level: {MAX_DIMENSIONS}")
        if not value:
            break
        value = value[0]
    return tuple(shape)


def _collect(value: Any, level: int, shape: tuple[int, ...], dtype: str, out: list[Any]) -> None:
    """The leaves of ``value`` in order; raises ``Fault`` where it is no dense tensor."""
    if not isinstance(value, list):
        if level != len(shape):
            raise invalid(
                f"JSON Value: {shown(value)} found at incorrect level: {level + 1} in the JSON "
                f"DOM. Expected at level: {len(shape)}"
            )
        out.append(_leaf(value, dtype))
        return
    if level >= len(shape):
        text = f"Encountered list at unexpected level: {level} expected < {len(shape)}"
        raise invalid(text)
    if len(value) != shape[level]:
        raise invalid(
            f"Encountered list at unexpected size: {len(value)} at level: {level} "
            f"expected size: {shape[level]}"
        )
    for one in value:
        _collect(one, level + 1, shape, dtype, out)


def _leaf(value: Any, dtype: str) -> Any:
    if dtype == "string":
        return _text(value)
    if dtype == "bool":
        if isinstance(value, bool):
            return value
        raise _type_error(value, dtype)
    # A bool is an int in Python, and no number in JSON.
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise _type_error(value, dtype)
    return _number(value, np.dtype(dtype))


def _text(value: Any) -> bytes:
    if isinstance(value, str):
        return value.encode("utf-8", "surrogatepass")
    if isinstance(value, dict):
        return from_base64(value)
    raise _type_error(value, "string")


def _number(value: int | float, dtype: np.dtype[Any]) -> int | float:
    if dtype.kind != "f":
        limits = _limits(dtype)
        if isinstance(value, int) and limits.min <= value <= limits.max:
            # What fits 32 bits but not the dtype is cut, as C++ cuts it.
            return int(np.array(value).astype(dtype))
        raise _type_error(value, dtype.name)
    if isinstance(value, int) and not MIN_INT64 <= value <= MAX_UINT64:
        # Upstream's parser keeps what no 64-bit integer holds as a double.
        value = _double(value)
    limit = _largest_exact(dtype) if isinstance(value, int) else float(np.finfo(dtype).max)
    if abs(value) <= limit or (isinstance(value, float) and not math.isfinite(value)):
        return value
    raise invalid(
        f"Cannot convert JSON value: {shown(value)} to {cpp_name(dtype.name)} without loss of "
        "precision."
    )


def _double(value: int) -> float:
    try:
        return float(value)
    except OverflowError:
        raise json_errors.too_big() from None


def from_base64(value: dict[str, Any]) -> bytes:
    """The bytes that ``{"b64": "…"}`` stands for; raises ``Fault``."""
    if not is_base64(value):
        text = f"JSON Value: {shown(value)} not formatted correctly for base64 data"
        raise invalid(text)
    text = value["b64"].encode("utf-8", "surrogatepass").translate(None, _BASE64_BLANKS)
    found = _BASE64.fullmatch(text)
    digits, padding = found.groups() if found else (b"=", b"")
    # absl: padding may be absent, but of no other length; bits beyond the last byte are lost.
    missing = -len(digits) % 4
    if not found or missing == 3 or len(padding) not in (0, missing):
        raise invalid("Unable to base64 decode")
    return base64.b64decode(digits + b"=" * missing)


def _type_error(value: Any, dtype: str) -> Fault:
    return invalid(
        f"JSON Value: {shown(value)} Type: {json_type(value)} is not of expected type: "
        f"{cpp_name(dtype)}"
    )


def json_type(value: Any) -> str:
    """What upstream's JSON parser calls the type of ``value``."""
    names = {type(None): "Null", bool: str(value), str: "String", dict: "Object", list: "Array"}
    return names.get(type(value), "Number")
