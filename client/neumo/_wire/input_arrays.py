"""What a caller gives as an input, as the array that a signature's tensor takes.

The same rule for both transports, TensorFlow Serving's own for JSON: no value changes its kind,
and no whole number its value.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from neumo._wire import bfloat16, tensor_protos
from neumo._wire.answer_types import TensorSpec
from neumo.errors import ConfigError

_TAKEN = {"b": "b", "i": "iu", "u": "iu", "f": "iuf", "c": "iufc"}
"""The kinds of numpy array that each kind of dtype is made of."""


def array_of(name: str, value: object, spec: TensorSpec) -> npt.NDArray[np.generic]:
    """``value`` as an array for the input called ``name``.

    ``value`` is an array, a number, a bool, text, bytes, or nested lists of one of them. Whole
    numbers must fit, fractions are rounded to the dtype. An array of ``ml_dtypes.bfloat16``, or
    of one of TensorFlow's quantised dtypes, is taken too. Raises ``ConfigError`` otherwise.
    """
    try:
        dtype = tensor_protos.dtype_of(spec.dtype)
    except ValueError as error:
        raise ConfigError(f"the input {name} cannot be sent: {error}") from None
    if dtype.kind == "O":
        return _strings(name, value)
    given = _given(name, value)
    if dtype.kind in "iu" and given.dtype.kind in "fO" and not isinstance(value, np.ndarray):
        given = tensor_protos.whole(value, given)
    if given.size and given.dtype.kind not in _TAKEN[dtype.kind]:
        kind = "objects" if given.dtype.kind == "O" else str(given.dtype)
        raise ConfigError(f"the input {name} takes {spec.dtype}, and {kind} were given")
    array = _converted(name, given, dtype)
    if spec.dtype == "DT_BFLOAT16":
        return bfloat16.values(bfloat16.bits(array.astype(np.float32)))
    return array


def _given(name: str, value: object) -> npt.NDArray[np.generic]:
    try:
        array = np.asarray(value)
    except (TypeError, ValueError) as error:
        raise ConfigError(f"the input {name} is no array: {error}") from None
    if array.dtype.names:  # TensorFlow's quantised dtypes: structures of one number
        return array[array.dtype.names[0]]
    # numpy has no kind for bfloat16, which others bring.
    return array.astype(np.float32) if array.dtype.name == "bfloat16" else array


def _converted(
    name: str, given: npt.NDArray[np.generic], dtype: np.dtype[np.generic]
) -> npt.NDArray[np.generic]:
    if dtype.kind in "iu":
        try:
            return tensor_protos.narrowed(given, dtype)
        except ValueError as error:
            raise ConfigError(f"the input {name}: {error}") from None
    with np.errstate(over="ignore"):
        array = given.astype(dtype, copy=False)
    if dtype.kind in "fc" and array is not given and _overflows(given, array):
        raise ConfigError(f"the input {name}: a number is too large for {dtype}")
    return array


def _overflows(wide: npt.NDArray[np.generic], narrow: npt.NDArray[np.generic]) -> bool:
    return not np.array_equal(np.isfinite(wide), np.isfinite(narrow))


def _strings(name: str, value: object) -> npt.NDArray[np.generic]:
    array = np.array(value, dtype=object)
    flat = [one.encode() if isinstance(one, str) else one for one in array.ravel().tolist()]
    strangers = {type(one).__name__ for one in flat if not isinstance(one, bytes)}
    if strangers:
        told = ", ".join(sorted(strangers))
        raise ConfigError(f"the input {name} takes DT_STRING, and {told} were given: text or bytes")
    out = np.empty(len(flat), dtype=object)
    out[:] = flat
    return out.reshape(array.shape)
