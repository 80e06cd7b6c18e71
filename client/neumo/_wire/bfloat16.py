"""bfloat16, which numpy has not: the upper half of a float32."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

_CUT_BITS = np.uint32(16)
_QUIET_NAN = np.uint32(0x7FC0)


def values(bits: npt.NDArray[np.generic]) -> npt.NDArray[np.float32]:
    """The numbers with these ``bits`` (uint16, any shape), exactly, as float32."""
    return (bits.astype(np.uint32) << _CUT_BITS).view(np.float32)


def bits(numbers: npt.NDArray[np.float32]) -> npt.NDArray[np.uint16]:
    """The nearest bfloat16 to each of ``numbers``, uint16; the even one of two, as TensorFlow."""
    whole = np.ascontiguousarray(numbers).view(np.uint32).reshape(numbers.shape)
    is_odd = (whole >> _CUT_BITS) & np.uint32(1)
    # Half of the last bit that is kept, less where that one is even: a tie goes to the even one.
    rounded = (whole + np.uint32(0x7FFF) + is_odd) >> _CUT_BITS
    # Rounding up would make infinity, or a number, of a NaN whose bits lie in the lower half.
    return np.where(np.isnan(numbers), _QUIET_NAN, rounded).astype(np.uint16)
