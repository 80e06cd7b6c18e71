"""DICOM's colours to RGB: palettes, YBR, and grey films that are stored as colour.

Source: DICOM PS3.3, C.7.6.3.1.2 (photometric interpretation) and C.7.9 (palettes).
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from pydicom import Dataset
from pydicom.pixels import apply_color_lut, convert_color_space

from neumo._images import grey_depth
from neumo._images.dicom import lookup_tables
from neumo.cautions import LOOKUP_TABLE, PHOTOMETRIC, Caution

PALETTES = ("Red", "Green", "Blue")
KEYWORDS = tuple(
    f"{segmented}{colour}PaletteColorLookupTable{part}"
    for colour in PALETTES
    for segmented, part in (("", "Descriptor"), ("", "Data"), ("Segmented", "Data"))
)
_ALIKE = 2
"""Levels of 8 bits by which the channels of a grey film differ after lossy compression."""

Picture = tuple[npt.NDArray[np.uint8], tuple[Caution, ...]]


def rgb(values: npt.NDArray[Any], photometric: str, bits: int) -> Picture:
    """uint8 [rows, columns, 3] of three samples a pixel.

    A grey film tells whether its samples are RGB (all alike) or YBR (two of them constant,
    half of white): where that contradicts the header, the pixels are believed.
    """
    levels = _eight_bits(values[:, :, :3], bits)
    is_ybr = photometric.startswith("YBR") and photometric not in {"YBR_ICT", "YBR_RCT"}
    if is_ybr and _all_alike(levels):
        return levels, (PHOTOMETRIC,)
    if not is_ybr and _is_luma_and_half(levels):
        return np.repeat(levels[:, :, :1], 3, axis=2), (PHOTOMETRIC,)
    if not is_ybr:
        return levels, ()
    converted = convert_color_space(levels, "YBR_FULL", "RGB")
    return np.asarray(converted, dtype=np.uint8), ()


def from_palette(values: npt.NDArray[Any], dataset: Dataset) -> Picture:
    """uint8 [rows, columns, 3] through the palette, by the depth that its entries have."""
    if "SegmentedRedPaletteColorLookupTableData" in dataset:
        looked_up = apply_color_lut(values, dataset).astype(np.uint16)
        return grey_depth.from_uint16(looked_up), ()
    seen = float(values.min()), float(values.max())
    stem = "PaletteColorLookupTable"
    tables = [
        lookup_tables.read(dataset, f"{c}{stem}Descriptor", f"{c}{stem}Data", seen, signed=False)
        for c in PALETTES
    ]
    found = [table for table in tables if table is not None]
    if len(found) < len(tables):
        # Without its palette, an index is as good a grey as any.
        return np.repeat(_eight_bits(values, 16)[:, :, None], 3, axis=2), (PHOTOMETRIC,)
    white = max(table.white for table in found)
    picture = np.stack([grey_depth.stretch(t.apply(values), 0, white) for t in found], axis=2)
    contradicts = any(table.contradicts for table in found)
    return picture, (LOOKUP_TABLE,) if contradicts else ()


def _eight_bits(values: npt.NDArray[Any], bits: int) -> npt.NDArray[np.uint8]:
    if bits <= 8 and values.dtype.itemsize == 1:
        return values.astype(np.uint8)
    if int(values.max(initial=0)) >> 16:
        return (values >> (8 * values.itemsize - 8)).astype(np.uint8)
    # As everywhere: the bits in use, since BitsStored often only repeats those allocated.
    return grey_depth.from_uint16(values.astype(np.uint16))


def _all_alike(levels: npt.NDArray[np.uint8]) -> bool:
    spread = levels.max(axis=2).astype(int) - levels.min(axis=2)
    return bool(np.percentile(spread, 99) <= _ALIKE and np.ptp(levels) > 32)


def _is_luma_and_half(levels: npt.NDArray[np.uint8]) -> bool:
    chroma = np.abs(levels[:, :, 1:].astype(int) - 128)
    return bool(np.percentile(chroma, 99) <= _ALIKE and np.ptp(levels[:, :, 0]) > 32)
