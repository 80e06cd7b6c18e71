"""A DICOM image's stored values to 8-bit grey: modality, then values of interest (VOI).

Source: DICOM PS3.3, C.11.1 (modality LUT) and C.11.2 (VOI LUT).
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from pydicom import Dataset
from pydicom.pixels import apply_modality_lut, apply_voi

from neumo._images import grey_depth

KEYWORDS = (
    "ModalityLUTSequence",
    "RescaleIntercept",
    "RescaleSlope",
    "VOILUTSequence",
    "WindowCenter",
    "WindowWidth",
    "VOILUTFunction",
    "PixelPaddingValue",
    "PixelPaddingRangeLimit",
)

_PERCENTILES = (0.5, 99.5)
"""Without a window: burnt-in letters and the collimator's edge shall not set the contrast."""


def grey(stored: npt.NDArray[Any], dataset: Dataset) -> npt.NDArray[np.uint8]:
    """uint8 [rows, columns] of the stored values of one frame.

    The first VOI LUT, else the first window (of any VOI LUT function), else, for unsigned values
    of up to 8 bits without modality transformation, the values as they are, else a window over
    the percentiles 0.5 to 99.5 of what is not padding.
    """
    values = _modality(stored, dataset)
    if dataset.get("VOILUTSequence"):
        return _voi_lut(values, dataset)
    window = _window(dataset)
    if window is not None:
        return windowed(values, *window, str(dataset.get("VOILUTFunction") or "LINEAR"))
    bits = int(dataset.get("BitsStored") or 16)
    if values is stored and stored.dtype.kind == "u" and bits <= 8:
        return grey_depth.stretch(values, 0, 2**bits - 1)
    low, high = np.percentile(values[~_padding(stored, dataset)], _PERCENTILES)
    return grey_depth.stretch(values, float(low), float(high))


def windowed(
    values: npt.NDArray[Any], centre: float, width: float, function: str
) -> npt.NDArray[np.uint8]:
    """uint8 of the same shape: ``values`` through a window (PS3.3 C.11.2.1.2 and .3)."""
    if function == "SIGMOID":
        exponent = np.clip(-4.0 * (values.astype(np.float64) - centre) / width, -700.0, 700.0)
        return grey_depth.from_unit(1.0 / (1.0 + np.exp(exponent)))
    if function == "LINEAR_EXACT":
        return grey_depth.stretch(values, centre - width / 2, centre + width / 2)
    low = centre - 0.5 - (width - 1) / 2
    return grey_depth.stretch(values, low, low + max(width - 1, np.finfo(float).tiny))


def _modality(stored: npt.NDArray[Any], dataset: Dataset) -> npt.NDArray[Any]:
    if dataset.get("ModalityLUTSequence"):
        values: npt.NDArray[Any] = apply_modality_lut(stored, dataset)
        return values
    slope, intercept = _number(dataset, "RescaleSlope"), _number(dataset, "RescaleIntercept")
    if slope in {None, 0.0} or (slope, intercept or 0.0) == (1.0, 0.0):
        return stored
    return stored * float(slope or 1.0) + float(intercept or 0.0)


def _voi_lut(values: npt.NDArray[Any], dataset: Dataset) -> npt.NDArray[np.uint8]:
    indices = np.rint(values).astype(np.int64) if values.dtype.kind == "f" else values
    bits = int(dataset.VOILUTSequence[0].LUTDescriptor[2])
    return grey_depth.stretch(apply_voi(indices, dataset), 0, 2**bits - 1)


def _window(dataset: Dataset) -> tuple[float, float] | None:
    """The first window's centre and width; None where there is none or it is no window."""
    centre, width = _number(dataset, "WindowCenter"), _number(dataset, "WindowWidth")
    if centre is None or width is None or not width >= 1:
        return None
    return centre, width


def _number(dataset: Dataset, keyword: str) -> float | None:
    """The first value of an element, None where it is absent or not a finite number."""
    try:
        value = dataset.get(keyword)
        first = value if isinstance(value, int | float) else value[0]
        number = float(first)
    except (TypeError, ValueError, IndexError, OverflowError):
        return None
    return number if np.isfinite(number) else None


def _padding(stored: npt.NDArray[Any], dataset: Dataset) -> npt.NDArray[np.bool_]:
    """Where the stored values are padding; nowhere if all of them would be."""
    first = _number(dataset, "PixelPaddingValue")
    if first is None:
        return np.zeros(stored.shape, np.bool_)
    last = _number(dataset, "PixelPaddingRangeLimit")
    low, high = sorted((first, first if last is None else last))
    padding: npt.NDArray[np.bool_] = (stored >= low) & (stored <= high)
    return padding & ~padding.all()
