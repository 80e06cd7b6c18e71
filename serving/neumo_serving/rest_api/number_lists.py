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
from neumo_serving.request_faults import Fault
from neumo_serving.rest_api import json_text

MIN_BYTES = 2048
"""Below this ``json`` is as quick."""

MAX_LISTS = 10_000
"""A body of more lists than this is of another kind."""

MAX_RANK = 32
"""numpy's own limit, before version 2."""
LARGEST = 10**18
"""C reads what is beyond 64 bits as the largest number of 64."""

_BLANKS = b" \t\r\n"
_OTHER, _BLANK, _DIGIT, _ZERO, _SIGN, _FRACTION, _COMMA, _OPEN, _CLOSE = range(9)
"""What a character is; those from the comma on are the skeleton, those between are numbers."""


def _table() -> bytes:
    table = bytearray(256)
    kinds = {
        _BLANKS: _BLANK,
        b"123456789": _DIGIT,
        b"0": _ZERO,
        b"-": _SIGN,
        b".eE+": _FRACTION,
        b",": _COMMA,
        b"[": _OPEN,
        b"]": _CLOSE,
    }
    for characters, kind in kinds.items():
        for character in characters:
            table[character] = kind
    return bytes(table)


_KINDS = _table()
_WITHOUT_BRACKETS = bytes.maketrans(b"[]", b"  ")


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
    """What ``json_text`` makes of ``data``, with ``Numbers`` for large lists where it can be.

    They are at ``inputs`` or ``instances``, or in an object there.
    """
    spans = _spans(data)
    return (_with_numbers(data, spans) if spans else None) or json_text.first_value(data)


def _with_numbers(data: bytes, spans: list[tuple[int, int, Numbers]]) -> Any:
    """The document with the lists of ``spans`` put in; None where one is in an unusual place."""
    # Nobody can know it, so that no text of a request is taken for one.
    mark = secrets.token_hex(16)
    numbers = {f"{mark}{place}": one for place, (_, _, one) in enumerate(spans)}
    rest, end = [], 0
    for name, (start, stop, _) in zip(numbers, spans, strict=True):
        rest += [data[end:start], b'"', name.encode(), b'"']
        end = stop
    try:
        document = json_text.first_value(b"".join([*rest, data[end:]]))
    except (Fault, ValueError, RecursionError):
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
    spans: list[tuple[int, int, Numbers]] = []
    if len(data) < MIN_BYTES or b"\\" in data:
        return []
    counted = quotes = 0
    start = data.find(b"[")
    for _ in range(MAX_LISTS):
        if start < 0:
            return spans
        ends = data.find(b'"', start), data.find(b"}", start)
        end = min((at for at in ends if at >= 0), default=len(data))
        following = start + 1
        if end - start >= MIN_BYTES:
            # An odd number of quotes before it: the bracket is within a text.
            quotes += data.count(b'"', counted, start)
            counted = start
            read = None if quotes % 2 else _read(data[start:end])
            if read is None:
                return []
            length, numbers = read
            following = start + length
            spans.append((start, following, numbers))
        start = data.find(b"[", following)
    return []


def _read(text: bytes) -> tuple[int, Numbers] | None:
    """The list that ``text`` begins with, and its length; None where it is for ``json``."""
    length = text.rfind(b"]") + 1
    if text[length:].strip(_BLANKS + b","):
        return None
    text = text[:length]
    kinds = np.frombuffer(text.translate(_KINDS), np.uint8)
    # By places: half of the characters are what is looked for, and a mask is slow where it changes.
    solid = kinds[np.flatnonzero(kinds != _BLANK)]
    skeleton = solid[np.flatnonzero(solid >= _COMMA)].tobytes()
    shape = _shape(skeleton)
    if shape is None or skeleton != _skeleton(shape):
        return None
    if not _is_in_place(kinds, solid, math.prod(shape)):
        return None
    flat = text.translate(_WITHOUT_BRACKETS)
    values = _decimal(flat) if (solid == _FRACTION).any() else _whole(solid, flat)
    return None if values is None else (length, Numbers(values, shape))


def _shape(skeleton: bytes) -> tuple[int, ...] | None:
    """The sizes of the lists whose brackets and commas begin ``skeleton``, from its first ones."""
    rank = len(skeleton) - len(skeleton.lstrip(bytes([_OPEN])))
    if not 1 <= rank <= MAX_RANK:
        return None
    sizes: list[int] = []
    inner = 0
    for level in range(rank, 0, -1):
        closing = skeleton.find(bytes([_CLOSE]) * (rank - level + 1))
        if closing < 0:
            return None
        length = closing + rank - level - level + 2
        count, left = divmod(length - 1, inner + 1)
        if left or count < 1:
            return None
        # From the innermost list outwards.
        sizes.insert(0, count)
        inner = length
    return tuple(sizes)


def _skeleton(shape: tuple[int, ...]) -> bytes:
    """The brackets and commas of lists of these sizes."""
    opening, comma, closing = (bytes([kind]) for kind in (_OPEN, _COMMA, _CLOSE))
    inner = b""
    for size in reversed(shape):
        inner = opening + (inner + comma) * (size - 1) + inner + closing
    return inner


def _is_in_place(kinds: Array, solid: Array, count: int) -> bool:
    """Whether there are ``count`` numbers, no blanks in them, none beside a whole list."""
    if not solid.all():
        return False
    is_number = solid < _COMMA
    begins = ~is_number[:-1] & is_number[1:]
    behind = begins & (solid[:-1] == _CLOSE)
    before = is_number[:-1] & (solid[1:] == _OPEN)
    in_text = (kinds >= _DIGIT) & (kinds < _COMMA)
    with_blanks = in_text[1:] & ~in_text[:-1]
    runs = {np.count_nonzero(begins), np.count_nonzero(with_blanks), count}
    return len(runs) == 1 and not behind.any() and not before.any()


def _decimal(flat: bytes) -> list[int | float] | None:
    try:
        values: list[int | float] = json.loads(b"[" + flat + b"]")
    except ValueError:
        return None
    return values


def _whole(solid: Array, flat: bytes) -> Array | None:
    is_sign = solid == _SIGN
    if is_sign.any():
        within = is_sign[1:] & (solid[:-1] < _COMMA)
        alone = is_sign[:-1] & (solid[1:] >= _COMMA)
        if within.any() or alone.any():
            return None
    is_digit = (solid == _DIGIT) | (solid == _ZERO)
    # JSON knows no 007.
    leading = (solid[1:-1] == _ZERO) & ~is_digit[:-2] & is_digit[2:]
    if leading.any():
        return None
    # Quicker than json by far, and as exact: whole numbers, checked above.
    values: Array = np.fromstring(flat, np.int64, sep=",")
    return values if values.min() > -LARGEST and values.max() < LARGEST else None
