"""numpy arrays <-> ``TensorProto``."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from neumo._proto import serving_pb2 as pb
from neumo._wire import varints
from neumo.errors import ConfigError

MAX_FILLED_BYTES = 256 * 1024 * 1024
"""A few bytes may claim any shape by repetition; a larger one than this is refused."""


@dataclass(frozen=True, slots=True)
class _Kind:
    """A dtype's number, its little-endian numpy dtype, and the field of its packed values."""

    number: pb.DataType
    dtype: np.dtype[np.generic]
    field: str


_KINDS = tuple(
    _Kind(number, np.dtype(dtype), field)
    for number, dtype, field in (
        (pb.DT_FLOAT, "<f4", "float_val"),
        (pb.DT_DOUBLE, "<f8", "double_val"),
        (pb.DT_HALF, "<f2", "half_val"),
        (pb.DT_INT8, "i1", "int_val"),
        (pb.DT_INT16, "<i2", "int_val"),
        (pb.DT_INT32, "<i4", "int_val"),
        (pb.DT_INT64, "<i8", "int64_val"),
        (pb.DT_UINT8, "u1", "int_val"),
        (pb.DT_UINT16, "<u2", "int_val"),
        (pb.DT_UINT32, "<u4", "uint32_val"),
        (pb.DT_UINT64, "<u8", "uint64_val"),
        (pb.DT_BOOL, "?", "bool_val"),
    )
)
_BY_NUMBER: dict[int, _Kind] = {kind.number: kind for kind in _KINDS}
_BY_DTYPE = {kind.dtype: kind for kind in _KINDS}


def encode(array: npt.NDArray[np.generic], tensor: pb.TensorProto) -> None:
    """Write ``array`` into the empty ``tensor``, in its place in a message: a film is not copied.

    Numbers are ``tensor_content``, text and bytes ``string_val``. Bytes are given as an array of
    dtype object. Raises ``ConfigError`` for a dtype that TensorFlow Serving has no input for.
    """
    tensor.tensor_shape.dim.extend([pb.TensorShapeProto.Dim(size=n) for n in array.shape])
    if array.dtype.kind in "OU":
        tensor.dtype = pb.DT_STRING
        tensor.string_val.extend([_to_bytes(value) for value in array.flat])
        return
    kind = _BY_DTYPE.get(array.dtype.newbyteorder("<"))
    if kind is None:
        raise ConfigError(
            f"an array of {array.dtype} cannot be sent: use numbers, or bytes with dtype=object"
        )
    tensor.dtype = kind.number
    tensor.tensor_content = array.astype(kind.dtype, copy=False).tobytes()


def decode(tensor: pb.TensorProto) -> npt.NDArray[np.generic]:
    """The array in ``tensor``; strings as an array of bytes with dtype object.

    Fewer values than the shape has elements mean that the last one is repeated, as in
    TensorFlow's ``Tensor::FromProto``; but no value at all, which TensorFlow reads as zeros and
    no server sends, is refused rather than taken for a probability.
    Raises ``ValueError`` where the tensor contradicts itself or has an unknown dtype.
    """
    shape = _shape(tensor.tensor_shape)
    if tensor.dtype == pb.DT_STRING:
        strings = np.empty(len(tensor.string_val), dtype=object)
        strings[:] = list(tensor.string_val)
        return _filled(strings, shape)
    kind = _BY_NUMBER.get(tensor.dtype)
    if kind is None:
        raise ValueError(f"a tensor of unknown dtype {tensor.dtype}")
    if tensor.tensor_content:
        return _from_content(tensor.tensor_content, kind.dtype, shape)
    return _filled(_from_values(b"".join(getattr(tensor, kind.field)), kind), shape)


def narrowed(wide: npt.NDArray[np.generic], dtype: np.dtype[np.generic]) -> npt.NDArray[np.generic]:
    """The integers ``wide`` as ``dtype``; ``ValueError`` where one does not fit."""
    narrow = wide.astype(dtype)
    if not np.array_equal(narrow, wide):
        raise ValueError(f"a value does not fit into {dtype}")
    return narrow


def dtype_of(name: str) -> np.dtype[np.generic]:
    """The numpy dtype of TensorFlow's ``name``, such as DT_FLOAT; ``ValueError`` if unknown."""
    if name == "DT_STRING":
        return np.dtype(object)
    return _BY_NUMBER[pb.DataType.Value(name)].dtype


def _to_bytes(value: object) -> bytes:
    if isinstance(value, bytes):
        return value
    if isinstance(value, str):
        return value.encode()
    raise ConfigError(f"bytes or text expected in an array of objects, not {type(value).__name__}")


def _shape(shape: pb.TensorShapeProto) -> tuple[int, ...]:
    sizes = tuple(dim.size for dim in shape.dim)
    if shape.unknown_rank or any(size < 0 for size in sizes):
        raise ValueError("a tensor without a whole shape")
    return sizes


def _from_content(
    content: bytes, dtype: np.dtype[np.generic], shape: tuple[int, ...]
) -> npt.NDArray[np.generic]:
    if len(content) != math.prod(shape) * dtype.itemsize:
        raise ValueError(f"{len(content)} bytes are no {dtype} tensor of shape {list(shape)}")
    return np.frombuffer(content, dtype).reshape(shape)


def _from_values(packed: bytes, kind: _Kind) -> npt.NDArray[np.generic]:
    if kind.field in {"float_val", "double_val"}:
        return np.frombuffer(packed, kind.dtype)
    values = varints.decode(packed)
    if kind.field == "half_val":
        return narrowed(values, np.dtype("<u2")).view("<f2")
    if kind.dtype.kind == "i":
        values = values.view(np.int64)  # a negative number is sent as its 64 bits
    return narrowed(values, kind.dtype)


def _filled(values: npt.NDArray[np.generic], shape: tuple[int, ...]) -> npt.NDArray[np.generic]:
    missing = math.prod(shape) - len(values)
    if missing < 0 or (missing > 0 and not len(values)):
        raise ValueError(f"{len(values)} values for a tensor of shape {list(shape)}")
    if missing * values.itemsize > MAX_FILLED_BYTES:
        raise ValueError(f"a tensor of shape {list(shape)} is too large")
    if missing:
        values = np.concatenate([values, np.repeat(values[-1:], missing)])
    return values.reshape(shape)
