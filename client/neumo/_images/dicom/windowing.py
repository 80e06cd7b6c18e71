"""A DICOM image's stored values to 8-bit grey: modality, then values of interest (VOI).

Source: DICOM PS3.3, C.11.1 (modality LUT), C.11.2 (VOI LUT), C.7.5.1.1.2 (padding).
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from pydicom import Dataset

from neumo._images import grey_depth
from neumo._images.dicom import element_numbers, lookup_tables
from neumo.cautions import LOOKUP_TABLE, PADDING, RESCALE, WINDOW, Caution

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
_BLURRED_PX = 8
"""How far from padding lossy compression leaves values between it and the film: a block."""
_LEAST_GAP = 1 / 3
"""Between it and the film, then, of the film's range."""
_LEAST_PADDING = 0.01
"""The share of a film that padding has at least where it is told by the pixels alone."""
_LOST = 1e300
"""Values beyond it, of a rescale that nobody meant, cannot be subtracted any more."""
_FUNCTIONS = ("LINEAR", "LINEAR_EXACT", "SIGMOID")

Window = tuple[float, float, str]
Grey = tuple[npt.NDArray[np.uint8], tuple[Caution, ...]]


def grey(stored: npt.NDArray[Any], dataset: Dataset, bits: int) -> Grey:
    """uint8 [rows, columns] of the stored values of one frame of ``bits``, and what to know.

    The first VOI LUT, else the first window (of any VOI LUT function), else, for unsigned values
    of up to 8 bits without modality transformation, the values as they are, else a window over
    the percentiles 0.5 to 99.5 of what is not padding, declared or plain to see. A VOI LUT or
    window that leaves no picture of these pixels is not used, and a caution says so; one that fits
    them before the rescale only is used as viewers do, with the caution.
    """
    padding, is_blurred = _padding(stored, dataset)
    values, cautions = _modality(stored, dataset)
    hidden = _grown(padding) if is_blurred else padding
    seen = values[~hidden] if padding.any() and not hidden.all() else values
    found, told = _of_interest(values, seen, dataset, _Range(stored, bits, values is not stored))
    cautions = (*cautions, *told)
    if found is None:
        if values is stored and stored.dtype.kind == "u" and bits <= 8:
            found = grey_depth.stretch(values, 0, 2**bits - 1)
        else:
            seen, told = _without_outlier(seen)
            cautions = (*cautions, *told)
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
    return _padding(stored, dataset)[0]


def _padding(stored: npt.NDArray[Any], dataset: Dataset) -> tuple[npt.NDArray[np.bool_], bool]:
    """As ``padded``, and whether lossy compression has blurred it with the film."""
    signed = stored.dtype.kind == "i"
    first = element_numbers.first(dataset, "PixelPaddingValue", signed=signed)
    if first is None:
        return np.zeros(stored.shape, np.bool_), False
    last = element_numbers.first(dataset, "PixelPaddingRangeLimit", signed=signed)
    low, high = sorted((first, first if last is None else last))
    padding = _within(stored, low, high)
    reach = (float(stored.max()) - float(stored.min())) * _LOSSY_REACH
    wide = _within(stored, low - reach, high + reach)
    around = low - 4 * reach, high + 4 * reach
    is_blurred = _is_lossy(dataset) or _is_spread(stored, padding, wide, around)
    if is_blurred:
        padding = wide
    return padding & ~padding.all(), is_blurred


def _within(stored: npt.NDArray[Any], low: float, high: float) -> npt.NDArray[np.bool_]:
    found: npt.NDArray[np.bool_] = (stored >= low) & (stored <= high)
    return found


def _is_spread(
    stored: npt.NDArray[Any],
    exact: npt.NDArray[np.bool_],
    wide: npt.NDArray[np.bool_],
    around: tuple[float, float],
) -> bool:
    """Whether most padding is next to its value, and then nothing: compressed, and not said so."""
    count = int(wide.sum())
    if count < _LEAST_PADDING * stored.size or count < 2 * int(exact.sum()):
        return False
    return int(_within(stored, *around).sum()) - count < count / 20


def _grown(mask: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    """``mask`` and what lies within ``_BLURRED_PX`` of it."""
    for axis in (0, 1):
        for _ in range(_BLURRED_PX):
            mask = mask | _shifted(mask, axis, 1) | _shifted(mask, axis, -1)
    return mask


def _shifted(mask: npt.NDArray[np.bool_], axis: int, by: int) -> npt.NDArray[np.bool_]:
    """``mask`` moved by a pixel, nothing coming in at the edge."""
    moved = np.roll(mask, by, axis)
    moved[(slice(None),) * axis + (0 if by > 0 else -1,)] = False
    return moved


def _without_outlier(seen: npt.NDArray[Any]) -> tuple[npt.NDArray[Any], tuple[Caution, ...]]:
    """``seen`` without padding that no header names: one value, far off all the rest."""
    least = _LEAST_PADDING * seen.size
    low, high = seen.min(), seen.max()
    for end in (low, high):
        is_end = seen == end
        if low < high and is_end.sum() >= least:
            rest = seen[~is_end]
            gap = min(abs(float(rest.min()) - float(end)), abs(float(rest.max()) - float(end)))
            if gap > _LEAST_GAP * (float(rest.max()) - float(rest.min())) > 0:
                return rest, (PADDING,)
    return seen, ()


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
    slope = 1.0 if slope is None else slope
    intercept = element_numbers.first(dataset, "RescaleIntercept") or 0.0
    if (slope, intercept) == (1.0, 0.0):
        return stored, ()
    with np.errstate(over="ignore", invalid="ignore"):
        values = stored * slope + intercept
    most = float(np.abs(values).max())
    # Every pixel would be the intercept, or nearly. dcmtk, too, leaves a slope of 0 out.
    if not most < _LOST or np.spacing(most) > abs(slope) / 2:
        return stored, (RESCALE,)
    return values, ()


class _Range(NamedTuple):
    """The values before the rescale, their bits, and whether there was one."""

    stored: npt.NDArray[Any]
    bits: int
    is_rescaled: bool

    def is_meant_by(self, low: float, high: float, seen: npt.NDArray[Any]) -> bool:
        """Whether ``low`` to ``high`` are just the values before the rescale, and not those after.

        Then a window or table was written for the stored values, which no header can say.
        """
        if not self.is_rescaled or self.stored.dtype.kind != "u":
            return False
        if abs(low) > 1 or abs(high - 2**self.bits) > 1:
            return False
        margin = (high - low) / 16
        return float(seen.min()) < low - margin or float(seen.max()) > high + margin


def _of_interest(
    values: npt.NDArray[Any], seen: npt.NDArray[Any], dataset: Dataset, before: _Range
) -> tuple[npt.NDArray[np.uint8] | None, tuple[Caution, ...]]:
    """The picture by VOI LUT or window, None where the file has none that shows its pixels."""
    cautions: tuple[Caution, ...] = ()
    if dataset.get("VOILUTSequence"):
        table = _table(dataset.VOILUTSequence[0], values)
        if table is not None:
            looked_up = grey_depth.stretch(table.apply(values), 0, table.white)
            if _shows(grey_depth.stretch(table.apply(seen), 0, table.white), seen):
                span = table.first, table.first + len(table.entries)
                is_odd = table.contradicts or before.is_meant_by(*span, seen)
                return looked_up, (LOOKUP_TABLE,) if is_odd else ()
        cautions = (LOOKUP_TABLE,)
    window, told = _window(dataset)
    cautions = (*cautions, *told)
    if window is None:
        return None, cautions
    if not _shows(windowed(seen, *window), seen):
        return None, (*cautions, WINDOW)
    centre, width, _ = window
    if before.is_meant_by(centre - width / 2, centre + width / 2, seen):
        cautions = (*cautions, WINDOW)
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
