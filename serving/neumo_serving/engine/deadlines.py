"""Whether the request that this thread answers is still waited for: until when, and by whom.

Upstream computes what nobody waits for. That is not seen from outside, but under overload it
leaves no time for the others: nothing is answered while everything is late.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

from neumo_serving.request_faults import CANCELLED, DEADLINE_EXCEEDED, Fault


def _there() -> bool:
    return True


@dataclass(frozen=True, slots=True)
class Caller:
    """Who waits for an answer: ``until`` when by ``time.monotonic``, None for without end.

    ``is_there`` says whether the client is still connected and has not cancelled.
    """

    until: float | None = None
    is_there: Callable[[], bool] = _there

    def waits(self) -> bool:
        """Whether an answer would still be read."""
        return not self.is_late() and self.is_there()

    def is_late(self) -> bool:
        """Whether the time is over."""
        return self.until is not None and self.until < time.monotonic()


_ANYBODY = Caller()
_caller: ContextVar[Caller] = ContextVar("caller", default=_ANYBODY)
"""Not a parameter: between the transport and the batch queue nobody else needs to know it."""


@contextmanager
def within(seconds: float | None, is_there: Callable[[], bool] = _there) -> Iterator[Caller]:
    """What is run inside is waited for so long, None for without end, and while ``is_there``."""
    made = Caller(None if seconds is None else time.monotonic() + seconds, is_there)
    token = _caller.set(made)
    try:
        yield made
    finally:
        _caller.reset(token)


def caller() -> Caller:
    """Who waits for what this thread does."""
    return _caller.get()


def check(who: Caller) -> None:
    """Raise ``Fault`` where nobody waits any more; it is read by nobody, but counted."""
    if who.is_late():
        raise Fault(DEADLINE_EXCEEDED, "the deadline passed before the request was run")
    if not who.is_there():
        raise Fault(CANCELLED, "the client went away before the request was run")
