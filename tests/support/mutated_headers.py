"""A drawn film under headers that contradict it: hypothesis draws them, ``judge`` reads them."""

from __future__ import annotations

import struct
import warnings

import numpy as np
from hypothesis import strategies as st

from neumo import image
from neumo.errors import ImageError
from support import films

MOST_LEVELS = 2.0
Element = tuple[str, str, bytes]


def _short(keyword: str, *values: int) -> st.SearchStrategy[Element]:
    """The element as US, or with the number as text under a VR that it should not have."""
    number = st.sampled_from(values)
    as_us = number.map(lambda n: (keyword, "US", struct.pack("<H", n % 65536)))
    as_is = number.map(lambda n: (keyword, "IS", f"{n} ".encode()[: 12 - len(str(n)) % 2]))
    return as_us | as_is


def _texts(keyword: str, vr: str, *values: str) -> st.SearchStrategy[Element]:
    return st.sampled_from(values).map(lambda text: (keyword, vr, text.encode("latin-1")))


_ANY_TEXT = st.text(st.characters(max_codepoint=255), max_size=12)
# Spellings of the control's own number, or what is none: another valid number is another picture.
_CENTRE = ("2048", "2048,0", "2.048,0", "2048.000 ", "+2048", "2048E0", "2048\\17", "", "\\2048")
_WIDTH = ("4096", "4096,0", " 4096", "4.096e3", "4096\\", "0", "-4096", "0.5")
_WRONG = ("-30000", "1e9", "nan", "inf", "-", "1e999", "2,048", "x", "2 048", "\xb2", "1e-9")

_ELEMENT = st.one_of(
    _short("BitsStored", *range(21), 255, 65535),
    _short("HighBit", *range(21), 65535),
    _short("PixelRepresentation", 0, 1, 2, 65535),
    _short("BitsAllocated", 0, 1, 8, 12, 16, 24, 32, 64),
    _short("SamplesPerPixel", 0, 1, 2, 3, 4),
    _short("PlanarConfiguration", 0, 1, 2),
    _short("Rows", 0, 1, 64, 128, 200, 255, 256, 257, 512, 65535),
    _short("Columns", 0, 1, 64, 128, 200, 255, 256, 257, 512, 65535),
    _texts("NumberOfFrames", "IS", "0", "1", "2", "-1", "1.0", "x", "", "99999999999"),
    _texts(
        *("PhotometricInterpretation", "CS", "MONOCHROME1", "MONOCHROME2", "monochrome2", "RGB"),
        *("YBR_FULL", "YBR_FULL_422", "PALETTE COLOR", "YBR_RCT", "", "HSV", "MONOCHROME"),
    ),
    _texts("PresentationLUTShape", "CS", "IDENTITY", "INVERSE", "LIN OD", "", "x"),
    _texts("WindowCenter", "DS", *_CENTRE, *_WRONG),
    _texts("WindowWidth", "DS", *_WIDTH, *_WRONG),
    _texts("VOILUTFunction", "CS", "LINEAR", "linear", "LINEAR_EXACT", "GAMMA", ""),
    _texts("RescaleSlope", "DS", "1", "1,0", "1.", "", "0", "nan", "x", "1 0"),
    _texts("RescaleIntercept", "DS", "0", "0,0", "-0", "", "inf", "x"),
    _short("PixelPaddingValue", 0, 63536, 65535),
    st.tuples(st.sampled_from(["WindowCenter", "RescaleSlope"]), st.just("DS"), _ANY_TEXT).map(
        lambda drawn: (drawn[0], drawn[1], drawn[2].encode("latin-1"))
    ),
)
HEADERS = st.lists(_ELEMENT, min_size=1, max_size=3, unique_by=lambda one: one[0])
"""One to three elements that take the place of those of a 12-bit film with its window."""

_control = None


def judge(elements: list[Element]) -> str | None:
    """None where the film is the control's, or carries a caution, or is refused; else the fault."""
    global _control  # noqa: PLW0603 - read once, in whichever process judges
    if _control is None:
        _control = image.read(films.radiograph(films.twelve_bits(), 12, **films.WINDOW)).pixels
    odd = [films.raw(keyword, vr, value) for keyword, vr, value in elements]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # pydicom's writer, about what is written here on purpose
        data = films.radiograph(films.twelve_bits(), 12, *odd, **films.WINDOW)
    try:
        read = image.read(data)
    except ImageError:
        return None
    difference = float(np.abs(read.pixels.astype(int) - _control).mean())
    if difference <= MOST_LEVELS or read.cautions:
        return None
    return f"{difference:.1f} levels without a word: {elements}"
