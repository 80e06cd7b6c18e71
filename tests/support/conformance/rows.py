"""What a conformance row is: what is sent, what must come back, and the source that says so.

``source`` is a file below ``tensorflow_serving/`` in TensorFlow Serving's repository, or begins
with ``tensorflow:`` for a text of TensorFlow's own, or with ``ours:`` where this server is
stricter than the original; the last kind judges no other server.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

PLAIN = "plain"
"""The server that most rows ask: the whole store, and no other feature."""

Text = str | re.Pattern[str]
"""A text that must be met exactly, or a pattern that must be found."""


@dataclass(frozen=True, slots=True)
class GrpcRow:
    """A gRPC call; ``fields`` are paths in the answer, such as ``outputs[y].float_val``."""

    id: str
    method: str
    request: Any
    source: str
    code: str = "OK"
    text: Text = ""
    fields: Mapping[str, Any] = field(default_factory=dict)
    server: str = PLAIN


@dataclass(frozen=True, slots=True)
class RestRow:
    """An HTTP request: POST where there is a ``body``, else GET, unless ``method`` says otherwise.

    ``answer`` is the whole JSON document, ``numerals`` the same with each number as it is written,
    ``fields`` are paths in it, such as ``predictions[0].y``; ``error`` is what stands there
    instead. ``raw`` must be found in the answer's text. With ``is_whole_url`` the server's address
    stands before the path in the request's first line.
    """

    id: str
    path: str
    source: str
    body: str | bytes | None = None
    method: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    status: int = 200
    answer: Any = None
    numerals: Any = None
    error: Text | None = None
    fields: Mapping[str, Any] = field(default_factory=dict)
    answer_headers: Mapping[str, str | None] = field(default_factory=dict)
    raw: Text | None = None
    server: str = PLAIN
    is_whole_url: bool = False


@dataclass(frozen=True, slots=True)
class CrowdRow:
    """A gRPC call, sent ``count`` times at once; ``answered`` of them are OK.

    The others are refused with ``code`` and ``text``.
    """

    id: str
    method: str
    request: Any
    source: str
    count: int
    answered: int
    code: str
    text: Text
    server: str


Row = GrpcRow | RestRow | CrowdRow


def is_met(wanted: Text, found: str) -> bool:
    """Whether ``found`` is what a row wants."""
    return wanted == found if isinstance(wanted, str) else bool(wanted.search(found))


def reached(value: Any, path: str) -> Any:
    """What lies at ``path`` in a message or a JSON document; lists are plain lists."""
    for name, key in re.findall(r"(?:^|\.)([^.\[\]]+)|\[([^\]]*)\]", path):
        if name:
            value = value[name] if isinstance(value, dict) else getattr(value, name)
        else:
            value = value[int(key)] if _is_list(value) else value[key]
    return list(value) if _is_list(value) else value


def _is_list(value: Any) -> bool:
    return (
        not isinstance(value, str | bytes | dict)
        and hasattr(value, "__getitem__")
        and not (hasattr(value, "keys"))
    )
