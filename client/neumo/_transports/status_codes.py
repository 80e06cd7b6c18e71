"""The one table from gRPC codes and HTTP statuses to the classes of ``neumo.errors``.

TensorFlow Serving's REST API answers a fault with the HTTP status that stands beside its gRPC
code here (``tensorflow_serving/util/net_http``), so the same fault is the same class on both.
"""

from __future__ import annotations

import math
import re
import time
from email.utils import parsedate_to_datetime

from neumo.errors import (
    BadResponse,
    DeadlineExceeded,
    InvalidRequest,
    ModelNotFound,
    PermissionDenied,
    ServingError,
    Unavailable,
)

MAX_DETAIL_CHARACTERS = 400

OF_GRPC: dict[str, type[ServingError]] = {
    "CANCELLED": Unavailable,
    "UNKNOWN": ServingError,
    "INVALID_ARGUMENT": InvalidRequest,
    "DEADLINE_EXCEEDED": DeadlineExceeded,
    "NOT_FOUND": ModelNotFound,
    "ALREADY_EXISTS": ServingError,
    "PERMISSION_DENIED": PermissionDenied,
    "UNAUTHENTICATED": PermissionDenied,
    "RESOURCE_EXHAUSTED": Unavailable,
    "FAILED_PRECONDITION": InvalidRequest,
    "ABORTED": ServingError,
    "OUT_OF_RANGE": InvalidRequest,
    "UNIMPLEMENTED": BadResponse,
    "INTERNAL": ServingError,
    "UNAVAILABLE": Unavailable,
    "DATA_LOSS": ServingError,
}
"""By the code's name. ``ModelNotFound`` is provisional: ``neumo._engine.operations`` asks on."""

OF_HTTP: dict[int, type[ServingError]] = {
    400: InvalidRequest,
    401: PermissionDenied,
    403: PermissionDenied,
    404: ModelNotFound,
    407: PermissionDenied,
    408: DeadlineExceeded,
    409: ServingError,
    429: Unavailable,
    499: Unavailable,
    500: ServingError,
    501: BadResponse,
    502: Unavailable,
    503: Unavailable,
    504: DeadlineExceeded,
}
_OF_HTTP_HUNDRED = {4: InvalidRequest, 5: ServingError}


def of_grpc(code: str) -> type[ServingError]:
    """The class for the gRPC code called ``code``."""
    return OF_GRPC[code]


def of_http(status: int, *, said_by_server: bool) -> type[ServingError]:
    """The class for the HTTP ``status``.

    ``said_by_server`` is whether the body is TensorFlow Serving's ``{"error": "…"}``: a bare 404
    is a wrong address, not a missing model (gRPC's UNIMPLEMENTED).
    """
    if status == 404 and not said_by_server:
        return BadResponse
    return OF_HTTP.get(status) or _OF_HTTP_HUNDRED.get(status // 100, BadResponse)


def is_about_certificates(text: str) -> bool:
    """Whether a connection failed because one side did not accept the other's certificate.

    gRPC and urllib3 say so in words only, both in those of their TLS libraries.
    """
    return any(word in text.upper() for word in ("CERTIFICATE", "UNKNOWN_CA", "UNKNOWN CA"))


_MISDIRECTED = {
    "WRONG_VERSION_NUMBER": "no TLS is spoken there: use a grpc:// or http:// URL",
    "WRONG VERSION NUMBER": "no TLS is spoken there: use a grpc:// or http:// URL",
    "FAILED PARSING HTTP/2": "no gRPC is spoken there: use gRPC's port (8500), or http:// for REST",
    "MISSING SELECTED ALPN": "no gRPC is spoken there: use the gRPC port, or https:// for REST",
}
"""What the libraries say where a server speaks another protocol, and what helps."""


def misdirected(text: str) -> str | None:
    """What to say where the server speaks another protocol than the URL's; None elsewhere."""
    told = text.upper()
    return next((hint for words, hint in _MISDIRECTED.items() if words in told), None)


def not_http(line: str) -> str:
    """What to say where a server's answer begins with ``line``, which is not HTTP's.

    gRPC's servers say their settings first, by a frame of type 4 (RFC 9113, sections 4.1 and 6.5).
    """
    if line[:1] == "\0" and line[3:4] == "\x04":
        return "gRPC is spoken there, not REST: use a grpc:// URL, or the REST port (8501)"
    return "what answered there does not speak HTTP"


_OUT_OF_REACH = (
    "failed to connect to all addresses",
    "connections to all backends failing",
    "resolution fail",
    "errors resolving",
    "empty address list",
)
"""gRPC's words for a call that no server has seen: its code is that of refused ones, too."""


def is_out_of_reach(text: str) -> bool:
    """Whether gRPC says in ``text`` that it reached no server at all."""
    return any(words in text.lower() for words in _OUT_OF_REACH)


def retry_after_seconds(text: str | None, now: float | None = None) -> float | None:
    """The seconds in ``Retry-After``, a number or a date; None where there is none to be read."""
    if text is None:
        return None
    if text.strip().isdecimal():
        return float(text)
    try:
        date = parsedate_to_datetime(text)
    except ValueError:
        return None
    return max(0.0, date.timestamp() - (time.time() if now is None else now))


def pushback_seconds(text: str | None) -> float | None:
    """The seconds in gRPC's ``grpc-retry-pushback-ms``; ``inf`` for "do not ask again"."""
    if text is None:
        return None
    # By gRPC's proposal A6 what is no whole number from 0 says: not again.
    return int(text) / 1000.0 if text.isdecimal() else math.inf


def brief(text: str) -> str:
    """``text`` without markup, on one line, at most ``MAX_DETAIL_CHARACTERS`` long.

    What no terminal should be sent is replaced.
    """
    bare = re.sub(r"<[^<>]*>", " ", text[: 16 * MAX_DETAIL_CHARACTERS])
    plain = "".join(c if c.isprintable() else "\ufffd" for c in " ".join(bare.split()))
    if len(plain) <= MAX_DETAIL_CHARACTERS:
        return plain
    return plain[: MAX_DETAIL_CHARACTERS - 1] + "…"
