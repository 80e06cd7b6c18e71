"""Runs a plan: its steps' calls together, within one deadline, and again within one budget."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_EXCEPTION, Future, wait
from typing import Any, TypeVar

from neumo._engine.plan import Calls, Pause, Plan, Step
from neumo._transports.transport import Transport
from neumo._wire.calls import Reply
from neumo.errors import ConfigError, DeadlineExceeded, ServingError, Unavailable

T = TypeVar("T")

GRACE_S = 0.1
"""What a transport may take beyond the deadline to say itself that it has passed."""


def drive(plan: Plan[T], transport: Transport, deadline: Deadline) -> T:
    """The result of ``plan``, each of its steps by ``run_step``."""
    try:
        step = next(plan)
        while True:
            try:
                replies = run_step(transport, step, deadline)
            except ServingError as error:
                step = plan.throw(error)
            else:
                step = plan.send(replies)
    except StopIteration as stop:
        result: T = stop.value
        return result


def run_step(transport: Transport, step: Step, deadline: Deadline) -> Sequence[Reply[Any]]:
    """The replies to the calls of ``step``, in their order; none after a pause.

    The first fault is raised, and the calls still under way are given up.
    """
    check_time(step, transport.target, deadline)
    if isinstance(step, Pause):
        time.sleep(step.seconds)
        return ()
    futures: list[Future[Reply[Any]]] = []
    try:
        futures += (transport.start(call, deadline.remaining()) for call in step)
        _, late = wait(futures, deadline.remaining() + GRACE_S, FIRST_EXCEPTION)
        raise_fault(futures)
        if late:
            raise no_answer(step, transport.target, deadline)
        return [future.result() for future in futures]
    finally:
        for future in futures:
            future.cancel()


def check_time(step: Step, target: str, deadline: Deadline) -> None:
    """Raise the error of a pause that would outlast the deadline, or that no time is left."""
    if isinstance(step, Pause):
        if step.seconds >= deadline.remaining():
            raise step.because
    elif not deadline.remaining():
        detail = f"the {deadline.seconds:g} s had passed before it was asked"
        raise DeadlineExceeded(step[0].model, target, detail)


def no_answer(step: Calls, target: str, deadline: Deadline) -> DeadlineExceeded:
    """What is raised where a transport keeps silent beyond the deadline."""
    detail = f"no answer within {deadline.seconds:g} s"
    return DeadlineExceeded(step[0].model, target, detail)


def raise_fault(futures: Sequence[Any]) -> None:
    """Raise the first error among ``futures``, which may be threads' or asyncio's."""
    if any(future.cancelled() for future in futures):
        raise ConfigError("the client was closed during a call: make a new one")
    # All of them are looked at: asyncio complains about an error that nobody saw.
    errors = [future.exception() for future in futures if future.done()]
    for error in errors:
        if error is not None:
            raise error


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
