"""Requests that are not batched, run in the order in which they came, so many at a time.

Upstream runs as many at once as its threads hold; where those are many, each waits for all others
and under overload all are late together. In turns the first are in time.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Mapping, Sequence
from typing import Any

from neumo_serving.engine import deadlines
from neumo_serving.engine.dtypes import Array
from neumo_serving.engine.graph_session import Session

AT_ONCE = 4 * (os.cpu_count() or 1)
"""Upstream's default number of threads, so that only more than these wait for a turn."""

_turns = threading.BoundedSemaphore(AT_ONCE)
"""One for all models: they share the cores."""


class SessionInTurns:
    """A session that runs ``inner`` when it is its caller's turn, if that still waits."""

    def __init__(self, inner: Session) -> None:
        self._inner = inner

    def run(self, feeds: Mapping[str, Array], fetches: Sequence[str]) -> list[Any]:
        """The tensors named ``fetches`` for the ``feeds`` by name; raises ``Fault``."""
        with _turns:
            deadlines.check(deadlines.caller())
            return self._inner.run(feeds, fetches)

    def close(self) -> None:
        """Give the memory back; nothing may run any more."""
        self._inner.close()
