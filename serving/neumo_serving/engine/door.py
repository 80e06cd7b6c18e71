"""Whether a request would be answered in time; one that would not is refused at once.

Upstream takes what its threads hold and lets it wait. A film that is refused now may be asked of
another server; one that waits until its deadline cannot, and what was computed of it is lost.

Only a deadline is a reason to refuse, and only a server that is known to be busy refuses.
"""

from __future__ import annotations

import os
import threading
import time
from collections import deque
from typing import Self

from neumo_serving.engine.deadlines import Caller
from neumo_serving.request_faults import RESOURCE_EXHAUSTED, Fault

BUSY = 4 * (os.cpu_count() or 1)
"""So many requests under way keep every core at work: more are not answered any faster."""
WINDOW = 256
"""The latest answers, of which the rate is told."""
FEWEST = 32
"""With fewer it is not known."""
SHUT_AT, OPEN_AT = 0.75, 0.4
"""The shares of the time left that waiting may take, and below which the door opens again.

Apart, since a film is several requests: one place that comes free would let in one of them, whose
answer nobody can use without the others.
"""
REFUSAL = "The server is busy: the request would wait beyond its deadline"


class Visit:
    """One request under way."""

    def __init__(self, door: Door, caller: Caller) -> None:
        self._door = door
        self._caller = caller
        self._is_over = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.end()

    def end(self) -> None:
        """It is answered, or its client has gone; a second time nothing happens."""
        self._door._left(self, self._caller.waits())


class Door:
    """Counts the requests under way, and how many are answered a second while they are many."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._visits: set[Visit] = set()
        self._is_shut = False
        self._looked_at = 0.0
        self._busy_s = 0.0
        """A clock that goes on only while the server is busy: idle time tells no rate."""
        self._answered_at: deque[float] = deque(maxlen=WINDOW)

    @property
    def under_way(self) -> int:
        """How many requests are."""
        return len(self._visits)

    def enter(self, caller: Caller) -> Visit:
        """One request is under way from now on; raises ``Fault`` where it would come too late."""
        visit = Visit(self, caller)
        with self._lock:
            self._look()
            self._check(caller)
            self._visits.add(visit)
        return visit

    def _left(self, visit: Visit, was_answered: bool) -> None:
        with self._lock:
            if visit not in self._visits:
                return
            self._look()
            # What was dropped took no time, and would make the server look quicker.
            if was_answered and self._is_busy():
                self._answered_at.append(self._busy_s)
            self._visits.remove(visit)

    def _is_busy(self) -> bool:
        return len(self._visits) >= BUSY

    def _look(self) -> None:
        now = time.monotonic()
        if self._is_busy():
            self._busy_s += now - self._looked_at
        self._looked_at = now

    def _check(self, caller: Caller) -> None:
        if caller.until is None:
            return
        left_s = caller.until - time.monotonic()
        self._is_shut = self._wait_s() > left_s * (OPEN_AT if self._is_shut else SHUT_AT)
        if self._is_shut:
            raise Fault(RESOURCE_EXHAUSTED, REFUSAL)

    def _wait_s(self) -> float:
        """How long those under way will take; 0 where that is not known."""
        if not self._is_busy() or len(self._answered_at) < FEWEST:
            return 0.0
        took_s = self._busy_s - self._answered_at[0]
        return len(self._visits) * took_s / len(self._answered_at)
