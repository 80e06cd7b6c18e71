"""Lookup tables of a DICOM file, applied by their entries rather than by their header.

Source: DICOM PS3.3, C.11.1.1 (modality LUT), C.11.2.1.1 (VOI LUT), C.7.6.3.1.5 (palettes).
pydicom's own ``apply_voi`` indexes tables of 8-bit output modulo 256, and believes the header.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from pydicom import Dataset

from neumo._images.dicom import element_numbers
from neumo._images.grey_depth import DEPTHS

_MOST_ENTRIES = 2**16
_NEAR_WHITE = 0.75


@dataclass(frozen=True, slots=True, eq=False)
class LookupTable:
    """``entries`` for the values from ``first`` on; ``white`` is the entry of full brightness.

    ``contradicts`` where the descriptor says another number of entries or of bits than there are.
    """

    first: int
    entries: npt.NDArray[np.uint16]
    white: int
    contradicts: bool

    def apply(self, values: npt.NDArray[Any]) -> npt.NDArray[np.uint16]:
        """The entries of ``values``, rounded; those below and above get the outermost entry."""
        whole = np.rint(values) if values.dtype.kind == "f" else values
        # 64 bits: a difference of unsigned values would wrap.
        index = np.clip(whole.astype(np.int64) - self.first, 0, len(self.entries) - 1)
        found: npt.NDArray[np.uint16] = self.entries[index]
        return found


def read(
    item: Dataset, descriptor: str, data: str, seen: tuple[float, float], *, signed: bool
) -> LookupTable | None:
    """The table in ``item``; None where it has no entries.

    ``descriptor`` and ``data`` are the keywords; ``seen`` are the lowest and highest value to look
    up, ``signed`` whether the pixels are. The first value mapped is 16 bits without a certain sign
    (US or SS): of its two readings, that which covers more of ``seen`` counts.
    """
    said = element_numbers.values(item, descriptor)
    count, first, bits = (int(said[k] or 0) if k < len(said) else 0 for k in range(3))
    wanted = count % _MOST_ENTRIES or _MOST_ENTRIES  # 0 stands for 65,536: C.11.1.1.1
    entries = _entries(item, data, wanted)
    if not len(entries):
        return None
    white, fits = _white(entries, bits)
    start = _first_mapped(first, len(entries), seen, signed=signed)
    return LookupTable(start, entries, white, not fits or len(entries) != wanted)


def _white(entries: npt.NDArray[np.uint16], bits: int) -> tuple[int, bool]:
    """The brightest level, and whether the entries can have the bits that are declared.

    They cannot where one is larger, or where all would fit one bit less: white would be darker
    than half. cornerstone, too, takes the bits in use ("thanks to Agfa").
    """
    top = int(entries.max())
    if DEPTHS[0] <= bits <= DEPTHS[-1] and top.bit_length() == bits:
        return 2**bits - 1, True
    white = 2 ** top.bit_length() - 1
    return (white if top >= _NEAR_WHITE * white else max(top, 1)), False


def _first_mapped(first: int, count: int, seen: tuple[float, float], *, signed: bool) -> int:
    as_signed = (first + 2**15) % 2**16 - 2**15
    as_unsigned = first % 2**16
    # By the pixels' sign where both readings cover as much.
    readings = (as_signed, as_unsigned) if signed else (as_unsigned, as_signed)
    low, high = seen
    return max(readings, key=lambda start: min(high, start + count - 1) - max(low, start))


def _entries(item: Dataset, data: str, wanted: int) -> npt.NDArray[np.uint16]:
    """What the table holds, at most ``wanted``; entries of 8 bits may be packed two to a word."""
    element = item.get_item(data)
    value = getattr(element, "value", None)
    if value is None:
        return np.zeros(0, np.uint16)
    if not isinstance(value, bytes):
        numbers = np.atleast_1d(np.asarray(list(value) if _several(value) else value))
        # Parsed as words by pydicom: of which VR they were, US or SS, is lost and no matter.
        value = (numbers.astype(np.int64) % _MOST_ENTRIES).astype("<u2").tobytes()
        little_endian = True
    else:
        little_endian = getattr(element, "is_little_endian", not _is_big_endian(item))
    words = np.frombuffer(value[: len(value) // 2 * 2], "<u2" if little_endian else ">u2")
    if len(value) <= wanted + 1 and len(value) >= wanted:
        # The first of two packed entries is the lower byte of their word: PS3.5, 8.3.
        packed = np.stack([words & 255, words >> 8], axis=1).ravel()
        odd = np.frombuffer(value[len(words) * 2 :], np.uint8)
        return np.concatenate([packed, odd]).astype(np.uint16)[:wanted]
    return words[:wanted].astype(np.uint16)


def _several(value: Any) -> bool:  # noqa: ANN401 - pydicom's
    return hasattr(value, "__iter__")


def _is_big_endian(item: Dataset) -> bool:
    encoding = getattr(item, "original_encoding", (None, None))
    return encoding[1] is False
