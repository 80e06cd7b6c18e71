"""``TensorProto`` to arrays and back, as TensorFlow reads and writes them.

Source: ``Tensor::FromProto``, ``AsProtoField`` and ``AsProtoTensorContent`` in TensorFlow's
``core/framework/tensor.cc``.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from tensorflow.core.framework import tensor_pb2, types_pb2

from neumo_serving import request_faults
from neumo_serving.engine import string_tensors
from neumo_serving.engine.dtypes import Array, dtype_number, numpy_dtype
from neumo_serving.request_faults import Fault

MAX_FILLED_BYTES = 16 * 1024 * 1024
"""A few bytes may claim any shape by repetition; a larger one than this is refused."""

_LENGTH_DELIMITED = 2
"""Protobuf's wire type of a packed field."""

_STRING_BYTES = 32
"""What TensorFlow and Python hold of an empty string."""


_SMALL = (
    *("INT4", "INT8", "INT16", "INT32", "UINT4", "UINT8", "UINT16"),
    *("QINT8", "QINT16", "QINT32", "QUINT8", "QUINT16"),
)
_NAMED = {
    "FLOAT": "float_val",
    "DOUBLE": "double_val",
    "INT64": "int64_val",
    "UINT32": "uint32_val",
    "UINT64": "uint64_val",
    "BOOL": "bool_val",
    "HALF": "half_val",
    "BFLOAT16": "half_val",
    "COMPLEX64": "scomplex_val",
    "COMPLEX128": "dcomplex_val",
}


@dataclass(frozen=True, slots=True)
class _Field:
    """Where a dtype's values are, and what the field holds of them: ``wire`` viewed as it."""

    name: str
    wire: np.dtype[Any]


def _fields() -> dict[int, _Field]:
    named = dict.fromkeys(_SMALL, "int_val") | _NAMED
    # Half floats travel as their 16 bits, complex numbers as pairs.
    bits = dict.fromkeys(("HALF", "BFLOAT16"), np.uint16)
    parts = {"COMPLEX64": np.float32, "COMPLEX128": np.float64}
    fields = {}
    for name, field in named.items():
        data_type = types_pb2.DataType.Value(f"DT_{name}")
        dtype = numpy_dtype(data_type)
        # Quantized types are structures of one number.
        base = dtype[0] if dtype.names else dtype
        wire = np.dtype(bits.get(name) or parts.get(name) or base)
        fields[data_type] = _Field(field, wire)
    return fields


_FIELDS: Mapping[int, _Field] = _fields()


def decode(tensor: Any, name: str) -> Array:
    """The array in the ``TensorProto`` sent for the input ``name``.

    Raises ``Fault`` INVALID_ARGUMENT where it contradicts itself, or claims more than was sent.
    """
    try:
        return _decoded(tensor)
    except (ValueError, TypeError, KeyError, OverflowError):
        raise request_faults.invalid(f"tensor parsing error: {name}") from None


def _decoded(tensor: Any) -> Array:
    shape = tuple([dim.size for dim in tensor.tensor_shape.dim])
    if tensor.tensor_shape.unknown_rank or any(size < 0 for size in shape):
        raise ValueError(shape)
    data_type = tensor.dtype
    if data_type == types_pb2.DT_STRING:
        return _strings(tensor, shape)
    dtype = numpy_dtype(data_type)
    field = _FIELDS[data_type]
    content = tensor.tensor_content
    # Content wins where both are sent, as in TensorFlow.
    if content:
        return np.frombuffer(content, dtype).reshape(shape)
    count = math.prod(shape)
    _check_size(tensor, count * dtype.itemsize)
    values = np.array(getattr(tensor, field.name), _wide(field.wire)).astype(field.wire)
    # Half a complex number at the end counts for nothing, as in upstream's division.
    whole = len(values) // (dtype.itemsize // field.wire.itemsize)
    sent = values[: whole * (dtype.itemsize // field.wire.itemsize)].view(dtype)
    return _filled(sent, count).reshape(shape)


def _wide(wire: np.dtype[Any]) -> np.dtype[Any]:
    """What holds every value that the field of ``wire`` may have; C++ cuts what is too large."""
    return np.dtype(np.int32) if wire.kind in "iu" and wire.itemsize < 4 else wire


def _filled(sent: Array, count: int) -> Array:
    """``count`` values: what was sent, its last repeated where there are fewer, zero for none."""
    if len(sent) >= count:
        return sent[:count]
    filled = np.zeros(count, sent.dtype)
    if len(sent):
        filled[: len(sent)] = sent
        filled[len(sent) :] = sent[-1]
    return filled


def _strings(tensor: Any, shape: tuple[int, ...]) -> Array:
    count = math.prod(shape)
    _check_size(tensor, count * _STRING_BYTES)
    if tensor.tensor_content:
        texts = string_tensors.decode(tensor.tensor_content, count)
    else:
        texts = list(tensor.string_val[:count])
        # As with numbers: the last is repeated, and where there is none they are empty.
        texts += (texts[-1:] or [b""]) * (count - len(texts))
    array = np.empty(count, object)
    array[:] = texts
    return array.reshape(shape)


def _check_size(tensor: Any, size_bytes: int) -> None:
    if size_bytes > MAX_FILLED_BYTES and size_bytes > 16 * tensor.ByteSize():
        raise ValueError(size_bytes)


def encode(array: Array, as_content: bool) -> Any:
    """``array`` as a ``TensorProto``: values in their field, or as ``tensor_content``."""
    proto = tensor_pb2.TensorProto()
    encode_into(proto, array, as_content)
    return proto


def encode_into(proto: Any, array: Array, as_content: bool) -> None:
    """As ``encode``, into the empty ``TensorProto`` given."""
    data_type = dtype_number(array.dtype)
    proto.dtype = data_type
    for size in array.shape:
        proto.tensor_shape.dim.add().size = size
    if data_type == types_pb2.DT_STRING:
        _encode_strings(proto, array.ravel().tolist(), as_content)
    elif data_type not in _FIELDS:
        text = f"outputs of type {array.dtype.name} cannot be sent"
        raise Fault(request_faults.UNIMPLEMENTED, text)
    elif as_content:
        proto.tensor_content = array.tobytes()
    else:
        field = _FIELDS[data_type]
        flat = np.ascontiguousarray(array).reshape(-1).view(field.wire)
        _extend(proto, field.name, flat)


def _extend(proto: Any, field: str, values: Array) -> None:
    """Append ``values`` to the packed ``field``.

    Where the array has the bytes of the field already they are read as such, which takes a tenth
    of the time of number by number: fixed-width numbers, and integers that take one byte.
    """
    # Of integers only those below 128 are one byte as a varint.
    is_fixed = values.dtype.kind == "f"
    is_short = values.dtype.kind in "bu" and values.dtype.itemsize == 1 and not (values > 127).any()
    if not (is_fixed or is_short):
        getattr(proto, field).extend(values.tolist())
        return
    packed = values.tobytes()
    key = proto.DESCRIPTOR.fields_by_name[field].number << 3 | _LENGTH_DELIMITED
    proto.MergeFromString(string_tensors.varint(key) + string_tensors.varint(len(packed)) + packed)


def _encode_strings(proto: Any, texts: list[bytes], as_content: bool) -> None:
    if as_content:
        proto.tensor_content = string_tensors.encode(texts)
    else:
        proto.string_val.extend(texts)
