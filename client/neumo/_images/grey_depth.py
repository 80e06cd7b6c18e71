"""Grey levels of any depth to 8 bits, by one rule for every format.

**The rule.** What is stored in more than 8 bits without saying its white level (PNG, TIFF, JPEG
2000, arrays, palettes; grey, colour and with alpha) has the bits in use: the fewest of 8, 10, 12,
14 and 16 that hold the brightest value of all colour channels. The upper 8 of them are kept. Alpha
has its own white: all bits set, of 16 or of the bits in use. Floats in [0, 1] are taken as they
are. Integers outside 16 bits and other floats say no white level: they are stretched from the
darkest to the brightest, with the caution ``rescaled``. NaN and infinities are refused. DICOM says
its white level by window or lookup table: ``neumo._images.dicom.windowing``.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

DEPTHS = (8, 10, 12, 14, 16)
"""Bits that detectors deliver, and that files of 16 bits therefore hold."""


def bits_in_use(brightest: int) -> int:
    """The fewest of ``DEPTHS`` that hold ``brightest``, at most 65,535.

    12-bit films stored in 16 bits would else be black.
    """
    return next(depth for depth in DEPTHS if brightest >> depth == 0)


def from_uint16(values: npt.NDArray[np.uint16]) -> npt.NDArray[np.uint8]:
    """uint8 of the same shape: the upper 8 of the bits in use.

    Dropping the lower bits restores an 8-bit film exactly, whether it was widened by 256 or 257.
    """
    bits = bits_in_use(int(values.max(initial=0)))
    return (values >> (bits - 8)).astype(np.uint8)


def from_unit(values: npt.NDArray[np.floating[Any]]) -> npt.NDArray[np.uint8]:
    """uint8 of the same shape: ``values`` in [0, 1] times 255, rounded to even."""
    levels: npt.NDArray[np.uint8] = np.rint(values * 255.0).astype(np.uint8)
    return levels


def stretch(values: npt.NDArray[Any], low: float, high: float) -> npt.NDArray[np.uint8]:
    """uint8 of the same shape: linear, ``low`` and below 0, ``high`` and above 255."""
    span = high - low if high > low else 1.0
    unit = (values.astype(np.float64) - low) / span
    return from_unit(np.clip(unit, 0.0, 1.0))
