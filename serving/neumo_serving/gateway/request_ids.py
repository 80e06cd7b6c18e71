"""One id for a request, in its answer, in the log, and with each call to the models. Pure."""

from __future__ import annotations

import os
import re

from starlette.types import Scope

HEADER = b"x-request-id"
_VALID = re.compile(rb"[A-Za-z0-9._:/+=@-]{1,128}")
"""Nothing that could break a line of a log, or end a quotation in it."""


def of(scope: Scope) -> str:
    """The id that the request brings, where it brings one that is valid; else a new one."""
    given = [value for name, value in scope["headers"] if name == HEADER]
    if len(given) == 1 and _VALID.fullmatch(given[0]):
        return str(given[0].decode())
    return os.urandom(16).hex()
