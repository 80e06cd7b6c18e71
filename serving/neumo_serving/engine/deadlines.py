"""Until when the request that this thread answers is waited for."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_until: ContextVar[float | None] = ContextVar("until", default=None)
"""Not a parameter: between the transport and the batch queue nobody else needs to know it."""


@contextmanager
def within(seconds: float | None) -> Iterator[None]:
    """What is run inside is waited for so long; None is without end."""
    token = _until.set(None if seconds is None else time.monotonic() + seconds)
    try:
        yield
    finally:
        _until.reset(token)


def until() -> float | None:
    """The end by ``time.monotonic``; None where there is none."""
    return _until.get()
