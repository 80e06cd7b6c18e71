"""numpy arrays <-> ``TensorProto``."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from neumo._proto import serving_pb2 as pb
from neumo._wire import bfloat16, varints
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
        (pb.DT_COMPLEX64, "<c8", "scomplex_val"),
        (pb.DT_COMPLEX128, "<c16", "dcomplex_val"),
        # What numpy has no dtype for comes last: a plain array of integers is none of these.
        (pb.DT_QINT8, "i1", "int_val"),
        (pb.DT_QUINT8, "u1", "int_val"),
        (pb.DT_QINT16, "<i2", "int_val"),
        (pb.DT_QUINT16, "<u2", "int_val"),
        (pb.DT_QINT32, "<i4", "int_val"),
        (pb.DT_BFLOAT16, "<u2", "half_val"),
    )
)
_BY_NUMBER: dict[int, _Kind] = {kind.number: kind for kind in _KINDS}
# In reverse, since the last of one dtype wins.
_BY_DTYPE = {kind.dtype: kind for kind in reversed(_KINDS)}
_FIXED_WIDTH = ("float_val", "double_val", "scomplex_val", "dcomplex_val")


def encode(
    array: npt.NDArray[np.generic], tensor: pb.TensorProto, dtype: str | None = None
) -> None:
    """Write ``array`` into the empty ``tensor``, in its place in a message: a film is not copied.

    Numbers are ``tensor_content``, text and bytes ``string_val``. Bytes are given as an array of
    dtype object. ``dtype`` is TensorFlow's name of the dtype, the array's own without it;
    DT_BFLOAT16 is given as float32, and quantised numbers as integers.
    Raises ``ConfigError`` for a dtype that TensorFlow Serving has no input for.
    """
    tensor.tensor_shape.dim.extend([pb.TensorShapeProto.Dim(size=n) for n in array.shape])
    if array.dtype.kind in "OU":
        tensor.dtype = pb.DT_STRING
        tensor.string_val.extend([_to_bytes(value) for value in array.flat])
        return
    if dtype is None:
        kind = _BY_DTYPE.get(array.dtype.newbyteorder("<"))
    else:
        kind = _BY_NUMBER.get(pb.DataType.Value(dtype))
    if kind is None:
        raise ConfigError(
            f"an array of {array.dtype} cannot be sent: use numbers, or bytes with dtype=object"
        )
    tensor.dtype = kind.number
    if kind.number == pb.DT_BFLOAT16:
        array = bfloat16.bits(array.astype(np.float32))
    tensor.tensor_content = array.astype(kind.dtype, copy=False).tobytes()


def decode(tensor: pb.TensorProto) -> npt.NDArray[np.generic]:
    """The array in ``tensor``; strings as an array of bytes with dtype object.

    DT_BFLOAT16, which numpy has not, comes as float32, which holds each of its numbers; quantised
    numbers come as the integers that they are.
    Fewer values than the shape has elements mean that the last one is repeated, as in
    TensorFlow's ``Tensor::FromProto``; but no value at all, which TensorFlow reads as zeros and
    no server sends, is refused rather than taken for a probability.
    Raises ``ValueError`` where the tensor contradicts itself or has an unknown dtype.
    """
    shape = _shape(tensor.tensor_shape)
    if tensor.dtype == pb.DT_STRING:
        return _filled(_strings(tensor, math.prod(shape)), shape)
    kind = _BY_NUMBER.get(tensor.dtype)
    if kind is None:
        raise ValueError(f"a tensor of unknown dtype {tensor.dtype}")
    if tensor.tensor_content:
        array = _from_content(tensor.tensor_content, kind.dtype, shape)
    else:
        array = _filled(_from_values(b"".join(getattr(tensor, kind.field)), kind), shape)
    return bfloat16.values(array) if kind.number == pb.DT_BFLOAT16 else array


def narrowed(wide: npt.NDArray[np.generic], dtype: np.dtype[np.generic]) -> npt.NDArray[np.generic]:
    """The integers ``wide`` as ``dtype``; ``ValueError`` where one does not fit."""
    narrow = wide.astype(dtype)
    if not np.array_equal(narrow, wide):
        raise ValueError(f"a value does not fit into {dtype}")
    return narrow


def whole(value: object, floats: npt.NDArray[np.generic]) -> npt.NDArray[np.generic]:
    """``value``, of which numpy made ``floats``, as uint64 where it is whole numbers.

    numpy makes floats of those that only fit uint64 beside smaller ones.
    """
    exact = np.array(value, dtype=object)
    if {type(one) for one in exact.ravel().tolist()} != {int}:
        return floats
    try:
        return exact.astype(np.uint64)
    except OverflowError:
        return floats


def dtype_of(name: str) -> np.dtype[np.generic]:
    """The numpy dtype that ``decode`` gives for TensorFlow's ``name``, such as DT_FLOAT.

    Raises ``ValueError`` where it is unknown.
    """
    if name == "DT_STRING":
        return np.dtype(object)
    if name == "DT_BFLOAT16":
        return np.dtype(np.float32)
    kind = _BY_NUMBER.get(pb.DataType.Value(name))
    if kind is None:
        raise ValueError(f"tensors of {name} are unknown to this client")
    return kind.dtype


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


def _strings(tensor: pb.TensorProto, count: int) -> npt.NDArray[np.generic]:
    """The strings of a tensor, one after the other."""
    texts = list(tensor.string_val)
    if tensor.tensor_content:
        texts = varints.split(tensor.tensor_content, count)
    strings = np.empty(len(texts), dtype=object)
    strings[:] = texts
    return strings


def _from_content(
    content: bytes, dtype: np.dtype[np.generic], shape: tuple[int, ...]
) -> npt.NDArray[np.generic]:
    if len(content) != math.prod(shape) * dtype.itemsize:
        raise ValueError(f"{len(content)} bytes are no {dtype} tensor of shape {list(shape)}")
    return np.frombuffer(content, dtype).reshape(shape)


def _from_values(packed: bytes, kind: _Kind) -> npt.NDArray[np.generic]:
    if kind.field in _FIXED_WIDTH:
        return np.frombuffer(packed, kind.dtype)
    values = varints.decode(packed)
    if kind.number == pb.DT_HALF:
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
