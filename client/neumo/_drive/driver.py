"""Runs a plan: its steps' calls together, within one deadline, and again within one budget."""

from __future__ import annotations

import logging
import random
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_EXCEPTION, Future, wait
from typing import Any, TypeVar

from neumo import settings
from neumo._engine.plan import Calls, Pause, Plan, Step
from neumo._transports import credentials
from neumo._transports.transport import Transport
from neumo._wire.calls import Call, Reply
from neumo.errors import ConfigError, DeadlineExceeded, ServingError, Unavailable

T = TypeVar("T")
C = TypeVar("C")

GRACE_S = 0.1
"""What a transport may take beyond the deadline to say itself that it has passed."""

log = logging.getLogger(settings.LOGGER)
"""No film, name of a film or verdict is ever written there, nor what a server says of an input."""


def drive(plan: Plan[T], transport: Transport, deadline: Deadline) -> T:
    """The result of ``plan``, each of its steps by ``run_step``.

    All of its calls go to one server, in a roll so to one release; after one that is unavailable
    to another.
    """
    server = one_server(transport)
    try:
        step = next(plan)
        while True:
            try:
                replies = run_step(server, step, deadline)
            except ServingError as error:
                log_fault(step, error)
                if isinstance(error, Unavailable):
                    server = one_server(transport)
                step = plan.throw(error)
            else:
                log_replies(step, replies)
                step = plan.send(replies)
    except StopIteration as stop:
        result: T = stop.value
        return result


def log_replies(step: Step, replies: Sequence[Reply[Any]]) -> None:
    """Say, to whoever wants to know it, that the calls of ``step`` were answered."""
    if isinstance(step, Pause) or not log.isEnabledFor(logging.DEBUG):
        return
    request_id = credentials.request_id_now()
    for call, reply in zip(step, replies, strict=True):
        log.debug(
            "%s of %s answered in %.3f s, request %s",
            *(_method(call), call.model, reply.seconds, request_id),
        )


def log_fault(step: Step, error: ServingError) -> None:
    """Say that a call of ``step`` failed, or that the time was over before it."""
    if log.isEnabledFor(logging.INFO):
        kind, request_id = type(error).__name__, credentials.request_id_now()
        method = "a pause" if isinstance(step, Pause) else _method(step[0])
        log.info(
            "%s of %s at %s: %s, request %s",
            *(method, error.model or "-", error.target, kind, request_id),
        )


def _method(call: Call[Any]) -> str:
    return call.rpc_method.rpartition("/")[2]


def one_server(transport: C) -> C:
    """The way of ``transport`` to one server, chosen anew; itself where it knows but one."""
    chosen: C = transport.one_server() if hasattr(transport, "one_server") else transport
    return chosen


def run_step(transport: Transport, step: Step, deadline: Deadline) -> Sequence[Reply[Any]]:
    """The replies to the calls of ``step``, in their order; none after a pause.

    The first fault is raised, and the calls still under way are given up.
    """
    check_time(step, transport.target, deadline)
    if isinstance(step, Pause):
        deadline.sleep(step.seconds)
        check_woken(step, deadline)
        return ()
    futures: list[Future[Reply[Any]]] = []
    try:
        futures += (transport.start(call, deadline.remaining()) for call in step)
        deadline.under_way(futures)
        _, late = wait(futures, deadline.remaining() + GRACE_S, FIRST_EXCEPTION)
        raise_fault(futures)
        if late:
            raise no_answer(step, transport.target, deadline)
        return [future.result() for future in futures]
    finally:
        for future in futures:
            future.cancel()
        # An error's traceback holds this frame, and a future its error: a circle with the films.
        deadline.under_way(())
        futures.clear()


_GIVEN_UP = "the client was closed during a call: make a new one"


def check_time(step: Step, target: str, deadline: Deadline) -> None:
    """Raise the error of a pause that would outlast the deadline, or that no time is left."""
    if deadline.is_given_up:
        raise ConfigError(_GIVEN_UP)
    if isinstance(step, Pause):
        if step.seconds >= deadline.remaining():
            raise step.because
    elif not deadline.remaining():
        detail = f"the {deadline.seconds:g} s had passed before it was asked"
        raise DeadlineExceeded(step[0].model, target, detail)


def check_woken(pause: Pause, deadline: Deadline) -> None:
    """Raise the error of a pause that a busy machine made too long: it says more than the time."""
    if not deadline.remaining():
        raise pause.because


def no_answer(step: Calls, target: str, deadline: Deadline) -> DeadlineExceeded:
    """What is raised where a transport keeps silent beyond the deadline."""
    detail = f"no answer within {deadline.seconds:g} s"
    return DeadlineExceeded(step[0].model, target, detail)


def raise_fault(futures: Sequence[Any]) -> None:
    """Raise the first error among ``futures``, which may be threads' or asyncio's."""
    if any(future.cancelled() for future in futures):
        raise ConfigError(_GIVEN_UP)
    # All of them are looked at: asyncio complains about an error that nobody saw.
    errors = [future.exception() for future in futures if future.done()]
    first = next((error for error in errors if error is not None), None)
    if first is not None:
        try:
            raise first
        finally:
            del errors, first  # they would make a circle with this frame


class Deadline:
    """A span of ``seconds``, of which ``spent`` are over, on a clock that is never set back.

    Another thread can give it up, and so end what is done within it.
    """

    def __init__(
        self,
        seconds: float,
        spent: float = 0.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.seconds = seconds
        self._clock = clock
        self._started = clock() - spent
        self._given_up = threading.Event()
        self._calls: Sequence[Future[Any]] = ()

    @property
    def is_given_up(self) -> bool:
        """Whether nobody waits for what is done within it."""
        return self._given_up.is_set()

    def elapsed(self) -> float:
        """Seconds since the beginning."""
        return self._clock() - self._started

    def remaining(self) -> float:
        """Seconds that are left; 0 where none are."""
        return max(0.0, self.seconds - self.elapsed())

    def sleep(self, seconds: float) -> None:
        """Wait for ``seconds``, or until it is given up."""
        self._given_up.wait(seconds)

    def under_way(self, calls: Sequence[Future[Any]]) -> None:
        """These ``calls`` end where it is given up."""
        self._calls = calls
        if calls and self.is_given_up:  # while they were started
            self.give_up()

    def give_up(self) -> None:
        """End what is done within it, from another thread."""
        self._given_up.set()
        for call in self._calls:
            call.cancel()


FIRST_PAUSE_S = 0.1
LONGEST_PAUSE_S = 2.0
WINDOW_S = 10.0
RESERVE = 250
RATIO = 0.1
"""In ``WINDOW_S`` a client makes ``RESERVE`` calls again, and one more for every ten that were
answered: gRPC's proposal A6 throttles by the same ratio, but from a reserve that no traffic sizes,
so that it ended films that would have passed. One film after another never meets the reserve: its
pauses, 0.05 s at the least on the mean, allow 200 in that time."""

HEDGES = 10.0
"""A hedge costs 1, an answer earns ``RATIO``, and less than half of these allows none: nothing
has failed yet, so a server that is slow gets at most a tenth more (A6, as it stands)."""


class Absence:
    """How long a server that had answered has been away: for less than ``seconds`` it is short."""

    def __init__(self, seconds: float, clock: Callable[[], float]) -> None:
        self._seconds = seconds
        self._clock = clock
        self._has_answered = False
        self._since: float | None = None

    def is_short(self) -> bool:
        """Whether a server that cannot be reached now will be waited for."""
        now = self._clock()
        since = self._since
        if since is None:
            since = self._since = now
        return self._has_answered and now - since < self._seconds

    def end(self) -> None:
        """It is there."""
        self._has_answered = True
        self._since = None


class Retries:
    """At most ``most`` further tries of each call, within one budget for all of them.

    The pause doubles from 0.1 s to 2 s, and is shortened at random by up to all of it ("full
    jitter"), so that clients that failed together do not come back together. What a server asks
    for (``Retry-After``) comes before it. A server that had answered and cannot be reached is
    waited for until the film's own deadline, for as long as it is away for less than ``away_s``.

    Threads share it without a lock: a count that is off by one harms nothing, and a lock that is
    held while another thread forks would be held in the child for ever.
    """

    def __init__(
        self,
        most: int,
        away_s: float = 0.0,
        *,
        chance: Callable[[], float] = random.random,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.most = most
        self._chance = chance
        self._clock = clock
        self._window_began = clock()
        self._spent = 0
        self._answers = self._answers_before = 0
        self._hedges = HEDGES
        self._absence = Absence(away_s, clock)

    def after(self, tries: int, error: ServingError) -> Pause:
        """The pause after ``tries`` failed tries; raises ``error`` where it was the last one."""
        if tries > self.most or not self.spend():
            raise error
        return self.pause(tries, error)

    def while_away(self, tries: int, error: Unavailable) -> Pause:
        """As ``after``, where no server was reached: it costs none of the budget."""
        if self.most and self._absence.is_short():
            return self.pause(tries, error)
        return self.after(tries, error)

    def while_coming(self, tries: int, error: ServingError) -> Pause:
        """The pause before a version that is loading is asked for again; ``error`` if none."""
        if not self.most:
            raise error
        return self.pause(tries, error)

    def pause(self, tries: int, error: ServingError) -> Pause:
        """The pause after ``tries`` failed tries, whether or not one is allowed."""
        longest = min(LONGEST_PAUSE_S, FIRST_PAUSE_S * 2.0 ** min(tries - 1, 10))
        wanted = error.retry_after_seconds if isinstance(error, Unavailable) else None
        return Pause((wanted or 0.0) + longest * self._chance(), error)

    def spend(self) -> bool:
        """Take one further call from the budget; False where it allows none."""
        self._turn()
        answers = max(self._answers, self._answers_before)
        if self._spent >= RESERVE + RATIO * answers:
            return False
        self._spent += 1
        return True

    def may_hedge(self) -> bool:
        """Take a second sending of a call from their budget; False where it allows none."""
        if self._hedges <= HEDGES / 2:
            return False
        self._hedges -= 1.0
        return True

    def answered(self) -> None:
        """A call was answered."""
        self._turn()
        self._answers += 1
        self._hedges = min(HEDGES, self._hedges + RATIO)
        self._absence.end()

    def _turn(self) -> None:
        now = self._clock()
        gone = now - self._window_began
        if gone >= WINDOW_S:
            self._answers_before = self._answers if gone < 2 * WINDOW_S else 0
            self._answers = self._spent = 0
            self._window_began = now


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
        self._absence = Absence(seconds, clock)

    def after(self, tries: int, error: ServingError) -> Pause:
        """The pause after ``tries`` failed tries; raises ``error`` where it was the last one."""
        is_away = isinstance(error, Unavailable)
        if is_away and self._inner.most and self._absence.is_short():
            return self._inner.pause(tries, error)
        return self._inner.after(tries, error)

    def while_away(self, tries: int, error: Unavailable) -> Pause:
        """As ``after``: whether a server was reached makes no difference to a stream."""
        return self.after(tries, error)

    def while_coming(self, tries: int, error: ServingError) -> Pause:
        """As ``Retries.while_coming``."""
        return self._inner.while_coming(tries, error)

    def answered(self) -> None:
        """A call was answered: the server is there."""
        self._absence.end()
        self._inner.answered()
