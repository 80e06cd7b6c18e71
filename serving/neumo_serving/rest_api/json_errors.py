"""A body's text to JSON, refused in the words of the parser that TensorFlow Serving uses.

Upstream: ``util/json_tensor.cc`` with RapidJSON's ``error/en.h``. Python's parser reads,
and its errors are translated.
"""

from __future__ import annotations

import json
import math
import re
from typing import Any

from neumo_serving.request_faults import Fault, invalid
from neumo_serving.rest_api import json_text, number_lists

_EMPTY = "The document is empty"
_TOO_BIG = "Number too big to be stored in double."
_ENCODING = "Invalid encoding in string."
_ESCAPE = "Invalid escape character in string."
"""RapidJSON 1.1 says this of control characters, too."""
_UNCLOSED = "Missing a closing quotation mark in string."
_BROKEN_NUMBERS = (
    (re.compile(r"(?<![\d.eE+-])-?\d+\.\Z"), "Miss fraction part in number."),
    (re.compile(r"(?<![\d.eE+-])-?\d+(?:\.\d+)?[eE]\Z"), "Miss exponent in number."),
)
"""By the text up to the character at which Python's parser takes a number to be over."""
_WORDS = (
    ("Expecting property name", "Missing a name for object member."),
    ("Illegal trailing comma before end of object", "Missing a name for object member."),
    ("Expecting ':' delimiter", "Missing a colon after a name of object member."),
    ("Unterminated string", _UNCLOSED),
    ("Invalid control character", _ESCAPE),
    ("Invalid \\escape", _ESCAPE),
    ("Invalid \\u", "Incorrect hex digit after \\u escape in string."),
)
"""By how Python's parser begins; what is not here is an invalid value."""

_MISSING_COMMA = {
    "[": "Missing a comma or ] after an array element.",
    "{": "Missing a comma or } after an object member.",
}
_BROKEN_ESCAPE = re.compile(r"(?<!\\)(?:\\\\)*\\\Z")
_BRACKET_OR_STRING = re.compile(r'[\[\]{}]|"(?:[^"\\]|\\.)*"')


def parse(data: bytes) -> Any:
    """The JSON value in ``data``, with ``Numbers`` for large lists of them.

    Raises ``Fault`` INVALID_ARGUMENT where there is none.
    """
    if not data:
        raise invalid(f"JSON Parse error: {_EMPTY}")
    try:
        # Only then slowly: Python reads 1e999 as infinity, upstream refuses it.
        if _has_large_exponent(data):
            return json_text.first_value(data, _bounded)
        return number_lists.loads(data)
    except json.JSONDecodeError as failed:
        raise _refused(_words(failed), failed.pos) from None
    except UnicodeDecodeError as failed:
        raise _refused(_ENCODING, failed.start) from None
    except (OverflowError, ValueError):  # ValueError is Python's for a number of 4,300 digits
        raise too_big() from None
    except RecursionError:
        raise invalid("JSON Parse error: nested too deeply") from None


def _has_large_exponent(data: bytes) -> bool:
    """Whether a number may be beyond a double; quick on a film's numbers."""
    # Small numbers are no matter.
    text = data.replace(b"e-", b"").replace(b"E", b"e")
    at = text.find(b"e")
    while at >= 0:
        exponent = text[at + 1 : at + 5].lstrip(b"+")[:3]
        if len(exponent) == 3 and exponent.isdigit():
            return True
        at = text.find(b"e", at + 1)
    return False


def too_big() -> Fault:
    """What is said of a number beyond a double."""
    return _refused(_TOO_BIG, 0)


def _refused(words: str, offset: int) -> Fault:
    return invalid(f"JSON Parse error: {words} at offset: {offset}")


def _words(failed: json.JSONDecodeError) -> str:
    at = failed.doc[failed.pos : failed.pos + 1]
    if failed.msg.startswith("Expecting ',' delimiter"):
        for pattern, words in _BROKEN_NUMBERS:
            if pattern.search(failed.doc, 0, failed.pos + 1):
                return words
        return _MISSING_COMMA[_innermost(failed.doc[: failed.pos])]
    # A string ends for RapidJSON at a NUL, and in an escape where the text does.
    if failed.msg.startswith("Invalid control character") and at == "\0":
        return _UNCLOSED
    if failed.msg.startswith("Unterminated string") and _BROKEN_ESCAPE.search(failed.doc):
        return _ESCAPE
    if not failed.doc.strip(" \t\r\n"):
        return f"{_EMPTY}."
    return next(
        (ours for theirs, ours in _WORDS if failed.msg.startswith(theirs)), "Invalid value."
    )


def _innermost(text: str) -> str:
    """The bracket that is still open at the end of ``text``."""
    opened: list[str] = []
    # Strings are matched whole, so that brackets in them do not count.
    for piece in _BRACKET_OR_STRING.findall(text):
        if piece in "[{":
            opened.append(piece)
        elif piece in "]}":
            opened.pop()
    return opened[-1]


def _bounded(numeral: str) -> float:
    """A float; raises ``OverflowError`` for one beyond a double."""
    value = float(numeral)
    if math.isinf(value):
        raise OverflowError(numeral)
    return value
