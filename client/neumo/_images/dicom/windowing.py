"""A DICOM image's stored values to 8-bit grey: modality, then values of interest (VOI).

Source: DICOM PS3.3, C.11.1 (modality LUT), C.11.2 (VOI LUT), C.7.5.1.1.2 (padding).
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from pydicom import Dataset

from neumo._images import grey_depth
from neumo._images.dicom import element_numbers, lookup_tables
from neumo.cautions import LOOKUP_TABLE, RESCALE, WINDOW, Caution

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
    "LossyImageCompression",
)

_PERCENTILES = (0.5, 99.5)
"""Without a window: burnt-in letters and the collimator's edge shall not set the contrast."""
_LEAST_SPREAD = 32
"""Of 255, between the percentiles 1 and 99: below it nobody could read the film."""
_SPREAD = (1.0, 99.0)
_LEAST_HELD = 0.1
"""The share of its range that a film with spread still shows between black and white."""
_LOSSY_REACH = 1 / 64
"""How far, of the values' range, lossy compression moves padding."""
_FUNCTIONS = ("LINEAR", "LINEAR_EXACT", "SIGMOID")

Window = tuple[float, float, str]
Grey = tuple[npt.NDArray[np.uint8], tuple[Caution, ...]]


def grey(stored: npt.NDArray[Any], dataset: Dataset, bits: int) -> Grey:
    """uint8 [rows, columns] of the stored values of one frame of ``bits``, and what to know.

    The first VOI LUT, else the first window (of any VOI LUT function), else, for unsigned values
    of up to 8 bits without modality transformation, the values as they are, else a window over
    the percentiles 0.5 to 99.5 of what is not padding. A VOI LUT or window that leaves no picture
    of these pixels is not used, and a caution says so.
    """
    padding = padded(stored, dataset)
    values, cautions = _modality(stored, dataset)
    seen = values[~padding] if padding.any() else values
    found, told = _of_interest(values, seen, dataset)
    cautions = (*cautions, *told)
    if found is None:
        if values is stored and stored.dtype.kind == "u" and bits <= 8:
            found = grey_depth.stretch(values, 0, 2**bits - 1)
        else:
            low, high = np.percentile(seen, _PERCENTILES)
            found = grey_depth.stretch(values, float(low), float(high))
    return found, tuple(dict.fromkeys(cautions))


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


def padded(stored: npt.NDArray[Any], dataset: Dataset) -> npt.NDArray[np.bool_]:
    """Where the stored values are padding; nowhere if all of them would be.

    After lossy compression, values next to the padding's count, too.
    """
    signed = stored.dtype.kind == "i"
    first = element_numbers.first(dataset, "PixelPaddingValue", signed=signed)
    if first is None:
        return np.zeros(stored.shape, np.bool_)
    last = element_numbers.first(dataset, "PixelPaddingRangeLimit", signed=signed)
    low, high = sorted((first, first if last is None else last))
    if _is_lossy(dataset):
        reach = (float(stored.max()) - float(stored.min())) * _LOSSY_REACH
        low, high = low - reach, high + reach
    padding: npt.NDArray[np.bool_] = (stored >= low) & (stored <= high)
    return padding & ~padding.all()


def _is_lossy(dataset: Dataset) -> bool:
    meta = getattr(dataset, "file_meta", None)
    syntax = str(getattr(meta, "TransferSyntaxUID", ""))
    said = element_numbers.text(dataset, "LossyImageCompression")
    return said in {"01", "1", "YES"} or syntax in {
        "1.2.840.10008.1.2.4.50",
        "1.2.840.10008.1.2.4.51",
        "1.2.840.10008.1.2.4.81",
        "1.2.840.10008.1.2.4.91",
        "1.2.840.10008.1.2.4.203",
    }


def _modality(
    stored: npt.NDArray[Any], dataset: Dataset
) -> tuple[npt.NDArray[Any], tuple[Caution, ...]]:
    """The values after the modality LUT or the rescale, of which C.11.1 allows one."""
    if dataset.get("ModalityLUTSequence"):
        table = _table(dataset.ModalityLUTSequence[0], stored)
        if table is None:
            return stored, (RESCALE,)
        return table.apply(stored), (LOOKUP_TABLE,) if table.contradicts else ()
    slope = element_numbers.first(dataset, "RescaleSlope")
    intercept = element_numbers.first(dataset, "RescaleIntercept") or 0.0
    if slope == 0.0:
        # Every pixel would be the intercept. dcmtk, too, leaves such a slope out.
        return stored, (RESCALE,)
    if slope is None or (slope, intercept) == (1.0, 0.0):
        return stored, ()
    return stored * slope + intercept, ()


def _of_interest(
    values: npt.NDArray[Any], seen: npt.NDArray[Any], dataset: Dataset
) -> tuple[npt.NDArray[np.uint8] | None, tuple[Caution, ...]]:
    """The picture by VOI LUT or window, None where the file has none that shows its pixels."""
    cautions: tuple[Caution, ...] = ()
    if dataset.get("VOILUTSequence"):
        table = _table(dataset.VOILUTSequence[0], values)
        if table is not None:
            looked_up = grey_depth.stretch(table.apply(values), 0, table.white)
            if _shows(grey_depth.stretch(table.apply(seen), 0, table.white), seen):
                return looked_up, (LOOKUP_TABLE,) if table.contradicts else ()
        cautions = (LOOKUP_TABLE,)
    window, told = _window(dataset)
    cautions = (*cautions, *told)
    if window is None:
        return None, cautions
    if not _shows(windowed(seen, *window), seen):
        return None, (*cautions, WINDOW)
    return windowed(values, *window), cautions


def _shows(picture: npt.NDArray[np.uint8], values: npt.NDArray[Any]) -> bool:
    """Whether ``picture`` shows what there is to see in ``values``; always where it is nothing."""
    if np.ptp(values) == 0:
        return True
    low, high = np.percentile(picture, _SPREAD)
    between = np.mean((picture > 0) & (picture < 255))
    # Two clipped levels alone are a drawing, unless the values themselves are but two.
    least = _LEAST_HELD if len(np.unique(values.ravel()[:: max(values.size // 4096, 1)])) > 8 else 0
    return bool(high - low >= _LEAST_SPREAD and between >= least)


def _table(item: Dataset, values: npt.NDArray[Any]) -> lookup_tables.LookupTable | None:
    seen = float(values.min()), float(values.max())
    return lookup_tables.read(item, "LUTDescriptor", "LUTData", seen, signed=seen[0] < 0)


def _window(dataset: Dataset) -> tuple[Window | None, tuple[Caution, ...]]:
    """The first window that has both its numbers, None where there is none or it is no window."""
    centres = element_numbers.values(dataset, "WindowCenter")
    widths = element_numbers.values(dataset, "WindowWidth")
    function, told = _function(dataset)
    for centre, width in zip(centres, widths, strict=False):
        if centre is not None and width is not None:
            # C.11.2.1.2.1 wants 1 of a linear window, C.11.2.1.3 more than 0 of the others.
            if width >= 1 or (width > 0 and function != "LINEAR"):
                return (centre, width, function), told
            return None, (WINDOW,)
    is_half = any(one is not None for one in (*centres, *widths))
    return None, (WINDOW,) if is_half else ()


def _function(dataset: Dataset) -> tuple[str, tuple[Caution, ...]]:
    """The VOI LUT function, LINEAR where the file says none or one that the standard lacks."""
    said = element_numbers.text(dataset, "VOILUTFunction").replace(" ", "_").replace("-", "_")
    if said in _FUNCTIONS:
        return said, ()
    return "LINEAR", (WINDOW,) if said else ()
