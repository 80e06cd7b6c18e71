"""JSON bodies to arrays, by TensorFlow Serving's rules and with its error texts.

Upstream: ``util/json_tensor.cc``.
"""

from __future__ import annotations

import base64
import binascii
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from neumo_serving.engine.faults import Fault, invalid
from neumo_serving.engine.inference import DEFAULT_SIGNATURE
from neumo_serving.engine.loader import Array, dtype_name, numpy_dtype

INT32 = np.iinfo(np.int32)
_SHOWN_CHARACTERS = 200


@dataclass(frozen=True, slots=True)
class Body:
    """A predict request's JSON object; ``is_row`` is the row format, ``instances``."""

    signature: str
    is_row: bool
    value: Any


def parse(data: bytes) -> Body:
    """The request in ``data``; raises ``Fault`` INVALID_ARGUMENT where it is none."""
    document = _document(data)
    signature = document.get("signature_name", "")
    if not isinstance(signature, str):
        raise invalid(
            f"JSON Value: {_shown(document)} not formatted correctly. "
            "'signature_name' key must be a string value."
        )
    has_instances, has_inputs = "instances" in document, "inputs" in document
    if has_instances and has_inputs:
        raise invalid(
            f"JSON Value: {_shown(document)} Not formatted correctly expecting only one of "
            "'inputs' or 'instances' keys to exist "
        )
    if has_inputs:
        return Body(signature, False, document["inputs"])
    if not has_instances:
        raise invalid("Missing 'inputs' or 'instances' key")
    rows = document["instances"]
    if not isinstance(rows, list):
        text = f"JSON Value: {_shown(document)} Excepting 'instances' to be an list/array"
        raise invalid(text)
    if not rows:
        raise invalid(f"JSON Value: {_shown(document)} No values in 'instances' array")
    return Body(signature, True, rows)


def arrays(body: Body, signatures: Mapping[str, Any]) -> dict[str, Array]:
    """The inputs in ``body`` for a model with ``signatures``; raises ``Fault``."""
    name = body.signature or DEFAULT_SIGNATURE
    if name not in signatures:
        raise invalid(f'Serving signature name: "{name}" not found in signature def')
    infos = signatures[name].inputs
    if not infos:
        raise invalid(f"Failed to get input map for signature: {body.signature or 'DEFAULT'}")
    return _of_rows(body.value, infos) if body.is_row else _of_columns(body.value, infos)


def _document(data: bytes) -> dict[str, Any]:
    if not data:
        raise invalid("JSON Parse error: The document is empty")
    try:
        document = json.loads(data)
    except json.JSONDecodeError as failed:
        raise invalid(f"JSON Parse error: {failed.msg} at offset: {failed.pos}") from None
    except UnicodeDecodeError:
        raise invalid("JSON Parse error: Invalid encoding in string. at offset: 0") from None
    except (RecursionError, ValueError):
        raise invalid("JSON Parse error: nested too deeply, or a number too long") from None
    if not isinstance(document, dict):
        raise invalid(f"JSON Value: {_shown(document)} Is not object")
    return document


def _of_columns(value: Any, infos: Mapping[str, Any]) -> dict[str, Array]:
    if not isinstance(value, dict) or _is_base64(value):
        if len(infos) > 1:
            raise invalid(
                "inputs is a plain value/list, but expecting an object as multiple input tensors "
                "required as per tensorinfo_map"
            )
        return {name: dense(value, info.dtype) for name, info in infos.items()}
    for name in infos:
        if name not in value:
            raise invalid(f"Missing named input: {name} in 'inputs' object.")
    return {name: dense(value[name], info.dtype) for name, info in infos.items()}


def _of_rows(rows: list[Any], infos: Mapping[str, Any]) -> dict[str, Array]:
    named = _is_named(rows[0])
    if len(infos) > 1 and not isinstance(rows[0], dict):
        raise invalid(
            "instances is a plain list, but expecting list of objects as multiple input tensors "
            "required as per tensorinfo_map"
        )
    for number, row in enumerate(rows):
        if named != _is_named(row):
            what = "object but got list" if named else "value/list but got object"
            raise invalid(f"Expecting {what} at item {number} of input list")
        if named and row.keys() != set(infos):
            raise invalid(
                f"Failed to process element: {number} of 'instances' list. JSON object: "
                f"{_shown(row)} keys must be equal to: {','.join(sorted(infos))}"
            )
    if not named:
        ((name, info),) = infos.items()
        return {name: _stacked(rows, info.dtype, "")}
    return {
        name: _stacked([row[name] for row in rows], info.dtype, f" key: {name}")
        for name, info in infos.items()
    }


def _stacked(rows: list[Any], number: int, key: str) -> Array:
    """The rows' tensors in one array; the first row that does not fit is named."""
    try:
        return dense(rows, number)
    except Fault:
        first = None
        for element, row in enumerate(rows):
            try:
                shape = dense(row, number).shape
                _same_shape(first or shape, shape)
            except Fault as fault:
                raise invalid(
                    f"Failed to process element: {element}{key} of 'instances' list. "
                    f"Error: {fault.code}: {fault.message}"
                ) from None
            first = first or shape
        raise


def _same_shape(first: tuple[int, ...], other: tuple[int, ...]) -> None:
    sizes = math.prod(first), math.prod(other)
    if sizes[0] != sizes[1]:
        raise invalid(f"Expecting tensor size: {sizes[0]} but got: {sizes[1]}")
    if first != other:
        texts = ["[" + ",".join(map(str, shape)) + "]" for shape in (first, other)]
        raise invalid(f"Expecting shape {texts[0]} but got: {texts[1]}")


def dense(value: Any, number: int) -> Array:
    """Nested lists as an array of TensorFlow's dtype ``number``; raises ``Fault``."""
    dtype = numpy_dtype(number)
    if dtype.kind != "O":
        array = _numbers(value, dtype)
        if array is not None:
            return array
    shape = _shape(value)
    leaves: list[Any] = []
    _collect(value, 0, shape, dtype_name(number), leaves)
    flat = np.empty(len(leaves), dtype)
    flat[:] = leaves
    if flat.size != math.prod(shape):
        raise invalid(f"{flat.size} values do not fill the shape {list(shape)}")
    return flat.reshape(shape)


def _numbers(value: Any, dtype: np.dtype[Any]) -> Array | None:
    """The quick way for well-formed numbers; None where the slow one must say what is wrong."""
    try:
        array = np.array(value)
    except (ValueError, OverflowError, RecursionError):
        return None
    if array.size == 0:
        return array.astype(dtype)
    if dtype.kind == "f" and array.dtype.kind in "iuf":
        return _lossless(array, dtype)
    if dtype.kind in "iu" and array.dtype.kind in "iu":
        limits = INT32 if dtype.itemsize < 4 else np.iinfo(dtype)
        if int(array.min()) < limits.min or int(array.max()) > limits.max:
            return None
        return array.astype(dtype)
    return array if dtype.kind == array.dtype.kind == "b" else None


def _lossless(array: Array, dtype: np.dtype[Any]) -> Array | None:
    """``array`` as floats, unless a whole number in it might need more digits than they have."""
    finite = array[np.isfinite(array)] if array.dtype.kind == "f" else array
    exact = _largest_exact(dtype)
    if finite.size and max(float(finite.max()), -float(finite.min())) > exact:
        return None
    return array.astype(dtype)


def _largest_exact(dtype: np.dtype[Any]) -> int:
    digits: int = np.finfo(dtype).nmant + 1
    return int(2**digits) - 1


def _shape(value: Any) -> tuple[int, ...]:
    shape = []
    while isinstance(value, list):
        shape.append(len(value))
        if not value:
            break
        value = value[0]
    return tuple(shape)


def _collect(value: Any, level: int, shape: tuple[int, ...], dtype: str, out: list[Any]) -> None:
    """The leaves of ``value`` in order; raises ``Fault`` where it is no dense tensor."""
    if not isinstance(value, list):
        if level != len(shape):
            raise invalid(
                f"JSON Value: {_shown(value)} found at incorrect level: {level + 1} in the JSON "
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
        if isinstance(value, str):
            return value.encode("utf-8", "surrogatepass")
        if isinstance(value, dict):
            return _from_base64(value)
        raise _type_error(value, dtype)
    if isinstance(value, bool) or not isinstance(value, int | float):
        if isinstance(value, bool) and dtype == "bool":
            return value
        raise _type_error(value, dtype)
    return _number(value, np.dtype(dtype))


def _number(value: int | float, dtype: np.dtype[Any]) -> int | float:
    if dtype.kind == "f":
        limit = _largest_exact(dtype) if isinstance(value, int) else float(np.finfo(dtype).max)
        if value in (math.inf, -math.inf) or value != value or abs(value) <= limit:  # noqa: PLR0124 - NaN
            return value
        raise invalid(
            f"Cannot convert JSON value: {_shown(value)} to {_cpp(dtype.name)} without loss of "
            "precision."
        )
    limits = INT32 if dtype.itemsize < 4 else np.iinfo(dtype)
    if isinstance(value, int) and limits.min <= value <= limits.max:
        return int(np.array(value).astype(dtype))
    raise _type_error(value, dtype.name)


def _from_base64(value: dict[str, Any]) -> bytes:
    if not _is_base64(value):
        text = f"JSON Value: {_shown(value)} not formatted correctly for base64 data"
        raise invalid(text)
    try:
        return base64.b64decode(value["b64"], validate=True)
    except (binascii.Error, ValueError):
        raise invalid("Unable to base64 decode") from None


def _type_error(value: Any, dtype: str) -> Fault:
    return invalid(
        f"JSON Value: {_shown(value)} Type: {_json_type(value)} is not of expected type: "
        f"{_cpp(dtype)}"
    )


def _json_type(value: Any) -> str:
    names = {type(None): "Null", bool: str(value), str: "String", dict: "Object", list: "Array"}
    return names.get(type(value), "Number")


def _is_base64(value: Any) -> bool:
    return isinstance(value, dict) and len(value) == 1 and isinstance(value.get("b64"), str)


def _is_named(value: Any) -> bool:
    return isinstance(value, dict) and not _is_base64(value)


def _shown(value: Any) -> str:
    """``value`` for a message, cut: a body may hold a film."""
    if isinstance(value, dict):
        return "{" + ", ".join(f'"{str(key)[:40]}"' for key in list(value)[:5]) + "}"
    if isinstance(value, list):
        return f"a list of {len(value)}"
    return json.dumps(value)[:_SHOWN_CHARACTERS]


def _cpp(name: str) -> str:
    return {"float32": "float", "float64": "double"}.get(name, name)
