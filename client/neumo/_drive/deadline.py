"""One deadline for everything that a call to the SDK does."""

from __future__ import annotations

import time
from collections.abc import Callable


class Deadline:
    """A span of ``seconds``, of which ``spent`` are over, on a clock that is never set back."""

    def __init__(
        self,
        seconds: float,
        spent: float = 0.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.seconds = seconds
        self._clock = clock
        self._started = clock() - spent

    def elapsed(self) -> float:
        """Seconds since the beginning."""
        return self._clock() - self._started

    def remaining(self) -> float:
        """Seconds that are left; 0 where none are."""
        return max(0.0, self.seconds - self.elapsed())
