"""TensorFlow's dtypes: their names in messages, and their arrays."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np
import numpy.typing as npt
from tensorflow.python.framework import dtypes

Array = npt.NDArray[Any]

_CPP_NAMES = {"float16": "half", "float32": "float", "float64": "double"}
"""Where C++ names a type otherwise than Python; its error texts are upstream's."""


@functools.cache
def dtype_name(data_type: int) -> str:
    """TensorFlow's own name of a dtype, such as ``uint8``."""
    name: str = dtypes.as_dtype(data_type).name
    return name


def cpp_name(name: str) -> str:
    """What TensorFlow's C++ texts call the dtype ``name``: the 32-bit float is plain ``float``."""
    return _CPP_NAMES.get(name, name)


def enum_name(array: Array) -> str:
    """The dtype of ``array`` as ``DataType`` names it, such as ``DT_FLOAT``."""
    return "DT_" + cpp_name(dtypes.as_dtype(array.dtype).name).upper()


@functools.cache
def dtype_number(dtype: np.dtype[Any]) -> int:
    """TensorFlow's number of a numpy dtype."""
    return int(dtypes.as_dtype(dtype).as_datatype_enum)


@functools.cache
def numpy_dtype(data_type: int) -> np.dtype[Any]:
    """The numpy dtype of TensorFlow's ``data_type``; of objects for strings."""
    dtype: np.dtype[Any] = np.dtype(dtypes.as_dtype(data_type).as_numpy_dtype)
    return dtype
