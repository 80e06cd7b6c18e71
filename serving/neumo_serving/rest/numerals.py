"""Large lists of numbers in JSON, read without an object for every number.

A film is 65,536 numbers: ``json`` makes as many objects and lists of them, and takes ten times as
long as the model. Here the bytes of such a list are looked at all at once. Whatever is unusual,
and whatever is wrong, is left to ``json``, whose result and errors are the reference.
"""

from __future__ import annotations

import json
import math
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from neumo_serving.engine.dtypes import Array

MIN_BYTES = 2048
"""Below this ``json`` is as quick."""

MAX_LISTS = 10_000
"""A body of more lists than this is of another kind."""

MAX_RANK = 32
LARGEST = 10**18
"""C reads what is beyond 64 bits as the largest number of 64."""

_BLANKS = b" \t\r\n"
_DIGITS = b"0123456789"
_FRACTIONS = b".eE+"
_OPEN, _CLOSE, _MINUS, _ZERO = b"[]-0"
_OTHER, _DIGIT, _SIGN, _MARK = 0, 1, 2, 3


def _table() -> bytes:
    table = bytearray(256)
    for characters, kind in ((_DIGITS, _DIGIT), (b"-", _SIGN), (b"[],", _MARK)):
        for character in characters:
            table[character] = kind
    return bytes(table)


_KINDS = _table()
_IS_BLANK = bytes(character in _BLANKS for character in range(256))


@dataclass(frozen=True, slots=True, eq=False)
class Numbers:
    """Nested lists of numbers: all of them in order, and the lists' sizes.

    ``values`` is an array where all are whole, else a list of what ``json`` made of them.
    """

    values: Array | list[int | float]
    shape: tuple[int, ...]

    def __len__(self) -> int:
        return self.shape[0]

    def nested(self) -> Any:
        """The lists as ``json`` would have made them."""
        if isinstance(self.values, list):
            flat = np.empty(len(self.values), object)
            flat[:] = self.values
            return flat.reshape(self.shape).tolist()
        return self.values.reshape(self.shape).tolist()


def loads(data: bytes) -> Any:
    """What ``json.loads`` makes of ``data``, with ``Numbers`` for large lists where it can be.

    They are at ``inputs`` or ``instances``, or in an object there.
    """
    found = _spans(data)
    return (_with_numbers(data, found) if found else None) or json.loads(data)


def _with_numbers(data: bytes, found: list[tuple[int, int, Numbers]]) -> Any:
    """The document with the lists ``found`` put in; None where one is in an unusual place."""
    mark = secrets.token_hex(16)
    numbers = {f"{mark}{place}": one for place, (_, _, one) in enumerate(found)}
    rest, end = [], 0
    for name, (start, stop, _) in zip(numbers, found, strict=True):
        rest += [data[end:start], b'"', name.encode(), b'"']
        end = stop
    try:
        document = json.loads(b"".join([*rest, data[end:]]))
    except (ValueError, RecursionError):
        return None  # its error must name a place in the whole
    return document if _put_back(document, numbers) == len(numbers) else None


def _put_back(document: Any, numbers: Mapping[str, Numbers]) -> int:
    """Replace the marks in the places where numbers are expected; how many were."""
    if not isinstance(document, dict):
        return 0
    count = 0
    for key in ("inputs", "instances"):
        value = document.get(key)
        places: list[Any] = [document]
        places += value if isinstance(value, list) else [value]
        for place in places:
            count += _replace(place, numbers) if isinstance(place, dict) else 0
    return count


def _replace(place: dict[str, Any], numbers: Mapping[str, Numbers]) -> int:
    marked = [key for key, one in place.items() if isinstance(one, str) and one in numbers]
    for key in marked:
        place[key] = numbers[place[key]]
    return len(marked)


def _spans(data: bytes) -> list[tuple[int, int, Numbers]]:
    """Where large lists of numbers begin and end in ``data``, and what they hold.

    None where one of them is unusual, or where a text might hold what looks like one.
    """
    found: list[tuple[int, int, Numbers]] = []
    if len(data) < MIN_BYTES or b"\\" in data:
        return []
    counted = quotes = 0
    start = data.find(b"[")
    for _ in range(MAX_LISTS):
        if start < 0:
            return found
        ends = data.find(b'"', start), data.find(b"}", start)
        end = min((at for at in ends if at >= 0), default=len(data))
        following = start + 1
        if end - start >= MIN_BYTES:
            quotes += data.count(b'"', counted, start)
            counted = start
            read = None if quotes % 2 else _read(data[start:end])
            if read is None:
                return []
            length, numbers = read
            following = start + length
            found.append((start, following, numbers))
        start = data.find(b"[", following)
    return []


def _read(text: bytes) -> tuple[int, Numbers] | None:
    """The list that ``text`` begins with, and its length; None where it is for ``json``."""
    length = text.rfind(b"]") + 1
    if text[length:].strip(_BLANKS + b","):
        return None
    text = text[:length]
    packed = text.translate(None, _BLANKS)
    skeleton = packed.translate(None, _DIGITS + _FRACTIONS + b"-")
    shape = _shape(skeleton)
    if shape is None or skeleton != _skeleton(shape) or _is_broken(text, packed):
        return None
    kinds = np.frombuffer(packed.translate(_KINDS), np.uint8)
    if not _is_in_place(np.frombuffer(packed, np.uint8), kinds, math.prod(shape)):
        return None
    flat = packed.translate(None, b"[]")
    values = _decimal(flat) if (kinds == _OTHER).any() else _whole(packed, kinds, flat)
    return None if values is None else (length, Numbers(values, shape))


def _shape(skeleton: bytes) -> tuple[int, ...] | None:
    """The sizes of the lists whose brackets and commas begin ``skeleton``, from its first ones."""
    rank = len(skeleton) - len(skeleton.lstrip(b"["))
    if not 1 <= rank <= MAX_RANK:
        return None
    sizes: list[int] = []
    inner = 0
    for level in range(rank, 0, -1):
        closing = skeleton.find(b"]" * (rank - level + 1))
        if closing < 0:
            return None
        length = closing + rank - level - level + 2
        count, left = divmod(length - 1, inner + 1)
        if left or count < 1:
            return None
        sizes.insert(0, count)
        inner = length
    return tuple(sizes)


def _skeleton(shape: tuple[int, ...]) -> bytes:
    """The brackets and commas of lists of these sizes."""
    inner = b""
    for size in reversed(shape):
        inner = b"[" + (inner + b",") * (size - 1) + inner + b"]"
    return inner


def _is_broken(text: bytes, packed: bytes) -> bool:
    """Whether blanks separate two parts of what would be one number."""
    if len(text) == len(packed):
        return False
    is_blank = np.frombuffer(text.translate(_IS_BLANK), np.bool_)
    is_mark = np.frombuffer(text.translate(_KINDS), np.uint8) == _MARK
    if not (is_blank[1:] & ~is_blank[:-1] & ~is_mark[:-1]).any():
        return False
    places = np.flatnonzero(~is_blank)
    after_gap = np.flatnonzero(np.diff(places) > 1)
    return bool((~is_mark[places[after_gap]] & ~is_mark[places[after_gap + 1]]).any())


def _is_in_place(raw: Array, kinds: Array, count: int) -> bool:
    """Whether there are ``count`` numbers, none of them before or behind a whole list."""
    is_mark = kinds == _MARK
    begins = is_mark[:-1] & ~is_mark[1:]
    ends = ~is_mark[:-1] & is_mark[1:]
    behind = begins & (raw[:-1] == _CLOSE)
    before = ends & (raw[1:] == _OPEN)
    return np.count_nonzero(begins) == count and not behind.any() and not before.any()


def _decimal(flat: bytes) -> list[int | float] | None:
    try:
        found: list[int | float] = json.loads(b"[" + flat + b"]")
    except ValueError:
        return None
    return found


def _whole(packed: bytes, kinds: Array, flat: bytes) -> Array | None:
    raw = np.frombuffer(packed, np.uint8)
    is_digit = kinds == _DIGIT
    before = kinds[:-1]
    if b"-" in packed:
        is_sign = kinds == _SIGN
        if (is_sign[1:] & (before != _MARK)).any() or (is_sign[:-1] & ~is_digit[1:]).any():
            return None
    leading = (raw[1:-1] == _ZERO) & ~is_digit[:-2] & is_digit[2:]
    if leading.any():
        return None
    values: Array = np.fromstring(flat, np.int64, sep=",")
    return values if values.min() > -LARGEST and values.max() < LARGEST else None
