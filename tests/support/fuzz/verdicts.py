"""Whether an answer to a malformed request is a proper one."""

from __future__ import annotations

import json
from dataclasses import dataclass

CANONICAL = frozenset(
    {
        *("CANCELLED", "INVALID_ARGUMENT", "DEADLINE_EXCEEDED", "NOT_FOUND", "ALREADY_EXISTS"),
        *("PERMISSION_DENIED", "RESOURCE_EXHAUSTED", "FAILED_PRECONDITION", "ABORTED"),
        *("OUT_OF_RANGE", "UNIMPLEMENTED", "UNAVAILABLE", "UNAUTHENTICATED"),
    }
)
UNREADABLE = "Exception deserializing request!"
"""What gRPC itself says, INTERNAL, of bytes that are no message."""

UNFORESEEN = ("Traceback", "internal error")
SLOW_CODES = ("DEADLINE_EXCEEDED", "UNAVAILABLE")
"""Proper words, but not for a request that costs nothing."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What came back, in a word, and why it is improper, or nothing."""

    outcome: str
    wrong: str = ""


def of_call(code: str, text: str) -> Verdict:
    """A gRPC answer."""
    outcome = f"gRPC {code}"
    if any(word in text for word in UNFORESEEN):
        return Verdict(outcome, text[:300])
    if code == "OK" or (code == "INTERNAL" and text == UNREADABLE):
        return Verdict(outcome)
    if code == "INTERNAL" and text.startswith("Expected prediction signature method_name"):
        return Verdict(outcome)
    if code in CANONICAL and code not in SLOW_CODES:
        return Verdict(outcome)
    return Verdict(outcome, f"{code}: {text[:300]}")


def of_response(method: str, status: int, body: bytes) -> Verdict:
    """An HTTP answer to a request that was HTTP."""
    outcome = f"HTTP {status}"
    if any(word.encode() in body for word in UNFORESEEN):
        return Verdict(outcome, body[:300].decode("utf-8", "replace"))
    if status in (500, 503, 504):
        return Verdict(outcome, body[:300].decode("utf-8", "replace"))
    if method == "HEAD":
        return Verdict(outcome)
    return Verdict(outcome, _not_json(status, body))


def _not_json(status: int, body: bytes) -> str:
    try:
        document = json.loads(body)
    except ValueError:
        return f"{status} without JSON: {body[:300]!r}"
    if status >= 400 and list(document) != ["error"]:
        return f"{status} without an error: {body[:300]!r}"
    return ""


def of_garbage(answer: bytes) -> Verdict:
    """What is said to bytes that are no HTTP: nothing, or an HTTP answer that is no 500."""
    if not answer:
        return Verdict("hung up")
    if not answer.startswith(b"HTTP/1.1 ") or answer[9:12] in (b"500", b"503"):
        return Verdict("garbage", repr(answer[:300]))
    return Verdict(f"HTTP {answer[9:12].decode()}")
