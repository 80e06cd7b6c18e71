"""``TensorProto`` to arrays and back, as TensorFlow Serving reads and writes them."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import tensorflow as tf
from tensorflow.core.framework import tensor_pb2, types_pb2

from neumo_serving.engine import faults
from neumo_serving.engine.faults import Fault
from neumo_serving.engine.loader import Array, numpy_dtype

MAX_FILLED_BYTES = 256 * 1024 * 1024
"""A few bytes may claim any shape by repetition; a larger one than this is refused."""

_STRING_BYTES = 32
"""What TensorFlow and Python hold of an empty string."""

_FIELDS = {
    types_pb2.DT_FLOAT: "float_val",
    types_pb2.DT_DOUBLE: "double_val",
    types_pb2.DT_INT8: "int_val",
    types_pb2.DT_INT16: "int_val",
    types_pb2.DT_INT32: "int_val",
    types_pb2.DT_UINT8: "int_val",
    types_pb2.DT_UINT16: "int_val",
    types_pb2.DT_INT64: "int64_val",
    types_pb2.DT_UINT32: "uint32_val",
    types_pb2.DT_UINT64: "uint64_val",
    types_pb2.DT_BOOL: "bool_val",
}
"""Where ``Tensor::AsProtoField`` puts the values of each dtype (``core/framework/tensor.cc``)."""


def decode(tensor: Any, name: str) -> Array:
    """The array in the ``TensorProto`` sent for the input ``name``.

    Raises ``Fault`` INVALID_ARGUMENT where it contradicts itself, or claims more than was sent.
    """
    failed = faults.invalid(f"tensor parsing error: {name}")
    shape = tuple(dim.size for dim in tensor.tensor_shape.dim)
    if tensor.tensor_shape.unknown_rank or any(size < 0 for size in shape):
        raise failed
    try:
        dtype = numpy_dtype(tensor.dtype)
        if tensor.tensor_content and dtype.kind != "O":
            return np.frombuffer(tensor.tensor_content, dtype).reshape(shape)
        item_bytes = _STRING_BYTES if dtype.kind == "O" else dtype.itemsize
        if math.prod(shape) * item_bytes > max(MAX_FILLED_BYTES, 16 * tensor.ByteSize()):
            raise failed
        array: Array = tf.make_ndarray(tensor)
    except (ValueError, TypeError, KeyError, OverflowError):
        raise failed from None
    return array


def encode(array: Array, as_content: bool) -> Any:
    """``array`` as a ``TensorProto``: values in their field, or as ``tensor_content``."""
    dtype = tf.dtypes.as_dtype(array.dtype)
    number = dtype.as_datatype_enum
    proto = tensor_pb2.TensorProto(dtype=number)
    for size in array.shape:
        proto.tensor_shape.dim.add().size = size
    if number == types_pb2.DT_STRING:
        proto.string_val.extend(array.ravel().tolist())
    elif as_content:
        proto.tensor_content = array.tobytes()
    elif number in (types_pb2.DT_HALF, types_pb2.DT_BFLOAT16):
        proto.half_val.extend(array.view(np.uint16).ravel().tolist())
    elif number in _FIELDS:
        getattr(proto, _FIELDS[number]).extend(array.ravel().tolist())
    else:
        raise Fault(faults.UNIMPLEMENTED, f"outputs of type {dtype.name} cannot be sent")
    return proto
