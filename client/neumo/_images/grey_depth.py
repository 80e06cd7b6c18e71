"""Grey levels of any depth to 8 bits."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

DEPTHS = (8, 10, 12, 14, 16)
"""Bits that detectors deliver, and that files of 16 bits therefore hold."""


def from_uint16(values: npt.NDArray[np.uint16]) -> npt.NDArray[np.uint8]:
    """uint8 of the same shape: the upper 8 of the bits in use.

    The bits in use are the fewest of ``DEPTHS`` that hold the brightest value, because 12-bit
    films stored in 16 bits would else be black. Dropping the lower bits restores an 8-bit film
    exactly, whether it was widened by 256 or by 257.
    """
    brightest = int(values.max(initial=0))
    bits = next(depth for depth in DEPTHS if brightest >> depth == 0)
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
