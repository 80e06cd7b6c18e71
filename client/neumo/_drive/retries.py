"""Whether a call that failed is made again, and after how long."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable

from neumo._engine.plan import Pause
from neumo.errors import ServingError, Unavailable

FIRST_PAUSE_S = 0.1
LONGEST_PAUSE_S = 2.0
BUDGET = 10.0
EARNED = 0.1
"""A retry costs 1, an answered call earns this back, and less than half of the budget allows
none: a server in trouble gets at most a tenth more calls (gRPC's proposal A6, throttling)."""


class Retries:
    """At most ``most`` further tries of each call, within one budget for all of them.

    The pause doubles from 0.1 s to 2 s, and is shortened at random by up to all of it ("full
    jitter"), so that clients that failed together do not come back together.
    """

    def __init__(self, most: int, chance: Callable[[], float] = random.random) -> None:
        self.most = most
        self._chance = chance
        self._left = BUDGET
        self._lock = threading.Lock()

    def after(self, tries: int, error: ServingError) -> Pause:
        """The pause after ``tries`` failed tries; raises ``error`` where it was the last one."""
        if tries > self.most or not self.spend():
            raise error
        return self.pause(tries, error)

    def pause(self, tries: int, error: ServingError) -> Pause:
        """The pause after ``tries`` failed tries, whether or not one is allowed."""
        longest = min(LONGEST_PAUSE_S, FIRST_PAUSE_S * 2.0 ** min(tries - 1, 10))
        return Pause(longest * self._chance(), error)

    def spend(self) -> bool:
        """Take one further call from the budget; False where it allows none."""
        with self._lock:
            if self._left <= BUDGET / 2:
                return False
            self._left -= 1.0
            return True

    def answered(self) -> None:
        """A call was answered."""
        with self._lock:
            self._left = min(BUDGET, self._left + EARNED)


class Patience:
    """The retries of a stream of films: a server that is away for a while is waited for.

    Once something was answered, Unavailable is retried until the film's own deadline, for as long
    as the server is away for less than ``seconds``; then, and before the first answer, ``inner``
    decides, as it does where it allows no retry at all. The stream's concurrency bounds how much
    is asked meanwhile.
    """

    def __init__(
        self, inner: Retries, seconds: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._inner = inner
        self._seconds = seconds
        self._clock = clock
        self._has_answered = False
        self._away_since: float | None = None

    def after(self, tries: int, error: ServingError) -> Pause:
        """The pause after ``tries`` failed tries; raises ``error`` where it was the last one."""
        if self._has_answered and self._inner.most and isinstance(error, Unavailable):
            now = self._clock()
            if self._away_since is None:
                self._away_since = now
            if now - self._away_since < self._seconds:
                return self._inner.pause(tries, error)
        return self._inner.after(tries, error)

    def answered(self) -> None:
        """A call was answered: the server is there."""
        self._has_answered = True
        self._away_since = None
        self._inner.answered()
