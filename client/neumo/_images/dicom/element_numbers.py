"""Numbers of a DICOM header, read as they were meant or refused, never half.

Source: DICOM PS3.5, 6.2 (DS and IS are text of at most 16 and 12 characters, with a point).
"""

from __future__ import annotations

import math
import re
import struct
from typing import Any, cast

from pydicom import Dataset
from pydicom.datadict import dictionary_VR
from pydicom.tag import Tag

from neumo.errors import ImageError

_BINARY = {"US": "H", "SS": "h", "UL": "I", "SL": "i", "FL": "f", "FD": "d", "UV": "Q", "SV": "q"}
_BYTES = {"OB", "OW", "UN", None}
"""VRs that leave open what the bytes are."""
_AMBIGUOUS = "US or SS"
_AS_TEXT = frozenset(b"0123456789+-.,eE\\ \0")

_PLAIN = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")
_DECIMAL_COMMA = re.compile(r"[+-]?(\d+,\d*|,\d+)([eE][+-]?\d+)?")
_THOUSANDS_OR_DECIMALS = re.compile(r"[+-]?[1-9]\d{0,2},\d{3}")
_POINTS_THEN_COMMA = re.compile(r"[+-]?\d{1,3}(\.\d{3})+,\d+")
_COMMAS_THEN_POINT = re.compile(r"[+-]?\d{1,3}(,\d{3})+\.\d*")


def values(dataset: Dataset, keyword: str, *, signed: bool = False) -> tuple[float | None, ...]:
    """The numbers of an element, None for each that is empty; () where the element is absent.

    Elements whose VR PS3.6 leaves open (US or SS) are read by ``signed``, whatever VR the file
    gives them. Raises ``ImageError`` for what is not certainly one finite number.
    """
    element = dataset.get_item(keyword)
    if element is None or element.value is None:
        return ()
    # The dictionary's, because writers that do not know a VR write UN, or guess.
    known = dictionary_VR(Tag(keyword))
    value = element.value
    if isinstance(value, bytes):
        # An element of implicit VR has none of its own.
        given = known if element.VR in _BYTES else element.VR
        little_endian = getattr(element, "is_little_endian", True)
        found = _of_bytes(value, given, keyword, little_endian=little_endian)
    else:
        found = _of_python(value, keyword)
    if known == _AMBIGUOUS:
        return tuple(None if one is None else _by_sign(one, signed=signed) for one in found)
    return found


def first(dataset: Dataset, keyword: str, *, signed: bool = False) -> float | None:
    """The first number of an element; None where it is absent or empty. Raises as ``values``."""
    found = values(dataset, keyword, signed=signed)
    return found[0] if found else None


def whole(dataset: Dataset, keyword: str) -> int | None:
    """The first number, where it is a whole one; None where it is absent, empty or another."""
    number = first(dataset, keyword)
    return int(number) if number is not None and number == int(number) else None


def meant(text: str, keyword: str) -> float | None:
    """The number that ``text`` means, None where it is blank.

    A decimal comma is a point; points or commas between thousands are left out where both stand.
    Raises ``ImageError``, which names the element and not what it holds.
    """
    text = text.strip(" \0\t\r\n")
    if not text:
        return None
    if _POINTS_THEN_COMMA.fullmatch(text):
        text = text.replace(".", "").replace(",", ".")
    elif _COMMAS_THEN_POINT.fullmatch(text):
        text = text.replace(",", "")
    elif _THOUSANDS_OR_DECIMALS.fullmatch(text):
        # 2,048 is 2048 in English and about 2 elsewhere: another picture.
        raise ImageError(
            f"{keyword} in the DICOM header has a comma that may part thousands or decimals: "
            "write it with a point and export the film again"
        )
    elif _DECIMAL_COMMA.fullmatch(text):
        text = text.replace(",", ".")
    if not _PLAIN.fullmatch(text) or not text.isascii():
        raise no_number(keyword)
    return _finite(float(text), keyword)


def no_number(keyword: str) -> ImageError:
    """The error about an element that should hold a number."""
    return ImageError(
        f"{keyword} in the DICOM header is not a number: correct it, or export the film again"
    )


def _finite(number: float, keyword: str) -> float:
    if not math.isfinite(number):
        raise no_number(keyword)
    return number


def _of_bytes(
    value: bytes, vr: str, keyword: str, *, little_endian: bool
) -> tuple[float | None, ...]:
    letter = _BINARY.get("US" if vr == _AMBIGUOUS else vr)
    if letter is None or (letter in "Hh" and _is_text(value)):
        texts = value.decode("latin-1").split("\\")
        return tuple(_later(text, keyword, number) for number, text in enumerate(texts))
    size = struct.calcsize(letter)
    if len(value) % size:
        raise no_number(keyword)
    order = "<" if little_endian else ">"
    numbers = struct.unpack(f"{order}{len(value) // size}{letter}", value)
    return tuple(_finite(float(number), keyword) for number in numbers)


def _later(text: str, keyword: str, number: int) -> float | None:
    """As ``meant``; what follows the first value is not used, so it may be anything."""
    try:
        return meant(text, keyword)
    except ImageError:
        if number:
            return None
        raise


def _is_text(value: bytes) -> bool:
    """Whether a value of a binary VR was written as text, as some converters do."""
    # Two digits are 12,336 and more as a number: longer than any value of two bytes, then.
    return len(value) > 2 and set(value) <= _AS_TEXT and value.strip(b" \0\\") != b""


def _of_python(value: Any, keyword: str) -> tuple[float | None, ...]:  # noqa: ANN401 - pydicom's
    several = isinstance(value, list | tuple) or hasattr(value, "insert")
    parts = list(value) if several else [value]
    return tuple(_one(part, keyword) for part in parts)


def _one(part: object, keyword: str) -> float | None:
    if part is None:
        return None
    if isinstance(part, bytes):
        return meant(part.decode("latin-1"), keyword)
    if isinstance(part, str):
        return meant(part, keyword)
    try:
        return _finite(float(cast(float, part)), keyword)
    except (TypeError, ValueError, OverflowError):
        raise no_number(keyword) from None


def _by_sign(number: float, *, signed: bool) -> float:
    """A value of 16 bits, which its writer may have taken for the other kind."""
    if signed and 2**15 <= number < 2**16:
        return number - 2**16
    if not signed and -(2**15) <= number < 0:
        return number + 2**16
    return number


def text(dataset: Dataset, keyword: str) -> str:
    """The first value in capitals, "" where absent; with its accents, UTF-8 or Latin 1.

    From the raw bytes, because pydicom quotes a malformed value in a warning and in its log.
    """
    element = dataset.get_item(keyword)
    value = getattr(element, "value", None)
    if isinstance(value, bytes):
        value = _decoded(value)
    elif value is None or (not isinstance(value, str) and hasattr(value, "insert")):
        value = value[0] if value else ""
    return str(value).split("\\")[0].strip(" \0\t\r\n").upper()


def _decoded(value: bytes) -> str:
    try:
        return value.decode("utf-8")
    except UnicodeDecodeError:
        return value.decode("latin-1")
