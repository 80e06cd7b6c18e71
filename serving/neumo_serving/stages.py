"""The stages of the start, a line each, so that a server that is slow does not look hung."""

from __future__ import annotations

import logging
import time

log = logging.getLogger(__name__)


class Stages:
    """A clock that begins when it is made."""

    def __init__(self) -> None:
        self._began = self._last = time.monotonic()

    def done(self, name: str) -> None:
        """The stage ``name`` is over."""
        now = time.monotonic()
        log.info("%s: %.1f s", name, now - self._last)
        self._last = now

    def total_s(self) -> float:
        """Seconds since the beginning."""
        return time.monotonic() - self._began
