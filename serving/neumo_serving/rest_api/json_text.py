"""A body's first JSON value, by what RapidJSON takes where Python's parser is of another mind.

Upstream parses with ``kParseStopWhenDoneFlag`` and ``kParseNanAndInfFlag``: what follows the value
is not looked at, and ``Inf`` is a number. Of equal keys an object keeps all; the first is found.

Upstream: ``util/json_tensor.cc`` with RapidJSON's ``reader.h``.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable
from typing import Any

from neumo_serving.request_faults import invalid

_BOM = b"\xef\xbb\xbf"
_BLANKS = " \t\r\n"
_SPECIAL = re.compile(r'"(?:[^"\\]|\\.)*"|-?NaN|Inf(?:inity)?')
"""Strings are matched whole, so that words in them stay."""
_ESCAPE = re.compile(r"\\(?:u([0-9a-fA-F]{4})|.)", re.DOTALL)
_ESCAPED_BYTE = re.compile("[\\udc80-\\udcff]")
_HIGH = re.compile(r"\\u[dD][89abAB]")
_HIGH_SURROGATES, _LOW_SURROGATES = range(0xD800, 0xDC00), range(0xDC00, 0xE000)


class Repeated(dict[str, Any]):
    """An object in which a key stands several times: as a mapping it has each one's first value.

    ``pairs`` are all of them.
    """

    def __init__(self, pairs: list[tuple[str, Any]]) -> None:
        super().__init__(reversed(pairs))
        self.pairs = pairs


def pairs(members: dict[str, Any]) -> Iterable[tuple[str, Any]]:
    """Every member of an object, repeated ones as often as they stand there."""
    return members.pairs if isinstance(members, Repeated) else members.items()


def first_value(data: bytes, parse_float: Callable[[str], float] | None = None) -> Any:
    """The value that ``data`` begins with.

    Raises ``json.JSONDecodeError``, ``UnicodeDecodeError`` for text that is no UTF-8, and
    ``Fault`` for half a pair of surrogates.
    """
    data = data.removeprefix(_BOM)
    try:
        return _decoded(data.decode(), parse_float)[0]
    except UnicodeDecodeError as failed:
        # What follows the value may be anything.
        text = data.decode("utf-8", "surrogateescape")
        value, end = _decoded(text, parse_float)
        if not text[:end].isascii() and _ESCAPED_BYTE.search(text, 0, end):
            raise failed from None
        return value


def _decoded(text: str, parse_float: Callable[[str], float] | None) -> tuple[Any, int]:
    if "Inf" in text or "-NaN" in text:
        text = _SPECIAL.sub(_word, text)
    start = len(text) - len(text.lstrip(_BLANKS))
    decoder = json.JSONDecoder(object_pairs_hook=_members, parse_float=parse_float)
    value, end = decoder.raw_decode(text, start)
    if _HIGH.search(text, 0, end):
        _check_surrogates(text[:end])
    return value, end


def _word(found: re.Match[str]) -> str:
    """As Python's parser knows it."""
    return {"Inf": "Infinity", "-NaN": "NaN"}.get(found[0], found[0])


def _members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    return members if len(members) == len(pairs) else Repeated(pairs)


def _check_surrogates(text: str) -> None:
    """Raise ``Fault`` for the first half of a pair that the second does not follow."""
    expected_at = -1
    for escape in _ESCAPE.finditer(text):
        code = int(escape[1], 16) if escape[1] else 0
        is_second = code in _LOW_SURROGATES
        if expected_at >= 0 and not (is_second and escape.start() == expected_at):
            break
        expected_at = escape.end() if code in _HIGH_SURROGATES else -1
    else:
        if expected_at < 0:
            return
    text = "The surrogate pair in string is invalid."
    raise invalid(f"JSON Parse error: {text} at offset: {max(expected_at, 0)}")
