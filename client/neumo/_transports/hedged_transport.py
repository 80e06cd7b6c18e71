"""A call that takes long is sent a second time, and the first answer counts.

Source: Dean and Barroso, "The Tail at Scale", 2013: hedged requests.
"""

from __future__ import annotations

import contextvars
import functools
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from functools import partial
from typing import Any, TypeVar

from neumo._transports.transport import Transport, one_server
from neumo._wire.calls import Call, Reply
from neumo.errors import ConfigError

A = TypeVar("A")


class HedgedTransport:
    """Over ``inner``: a call without an answer after ``after_s`` seconds is sent once more.

    ``allowed`` is asked before each second sending, so that a server in trouble is spared. It goes
    over what ``second`` gives, where that is given.
    """

    def __init__(
        self,
        inner: Transport,
        after_s: float,
        allowed: Callable[[], bool],
        second: Callable[[], Transport] | None = None,
    ) -> None:
        self.target = inner.target
        self._inner = inner
        self._second = second or (lambda: inner)
        self._after_s = after_s
        self._allowed = allowed

    def one_server(self) -> HedgedTransport:
        """All calls of a film to one server, and those that are sent once more to another.

        That one is chosen when it is needed: the first has more to do then, and is avoided.
        """
        second = functools.cache(partial(one_server, self._inner))
        return HedgedTransport(one_server(self._inner), self._after_s, self._allowed, second)

    def start(self, call: Call[A], timeout_s: float) -> Future[Reply[A]]:
        """Send ``call``, and perhaps once more; the future gives the first answer."""
        race: _Race[A] = _Race()
        deadline = time.monotonic() + timeout_s

        def again() -> None:
            left = deadline - time.monotonic()
            if race.done() or left <= 0 or not self._allowed():
                return
            try:
                race.enter(self._second().start(call, left))
            except ConfigError:  # the client was closed meanwhile: the first call says so
                return

        # A thread for each hedged call: one in a hundred is late, and the rest cancel theirs.
        in_context = contextvars.copy_context().run  # with the headers and the trace of the first
        timer = threading.Timer(self._after_s, in_context, (again,))
        timer.daemon = True
        race.add_done_callback(lambda _: timer.cancel())
        race.enter(self._inner.start(call, timeout_s))
        if not race.done():
            timer.start()
        return race

    def close(self) -> None:
        """Close ``inner``."""
        self._inner.close()


class _Race(Future[Reply[A]]):
    """Done with the first answer of those that entered, or with the last one's error."""

    def __init__(self) -> None:
        super().__init__()
        self._lock = threading.Lock()
        self._entered: list[Future[Reply[A]]] = []
        self._decided = False

    def enter(self, runner: Future[Reply[A]]) -> None:
        with self._lock:
            self._entered.append(runner)
            too_late = self._decided
        if too_late:
            runner.cancel()
        else:
            runner.add_done_callback(self._arrived)

    def cancel(self) -> bool:
        cancelled = super().cancel()
        if cancelled:
            self._end()
        return cancelled

    def _arrived(self, runner: Future[Any]) -> None:
        lost = runner.cancelled() or runner.exception() is not None
        with self._lock:
            # An error counts only where nobody is left who may still answer.
            if self._decided or (lost and not all(one.done() for one in self._entered)):
                return
            self._decided = True
        if not self.set_running_or_notify_cancel():
            return
        error = None if runner.cancelled() else runner.exception()
        if runner.cancelled():
            self.set_exception(ConfigError("the client was closed during a call: make a new one"))
        elif error is not None:
            self.set_exception(error)
        else:
            self.set_result(runner.result())
        self._end()

    def _end(self) -> None:
        with self._lock:
            self._decided = True
            others = [one for one in self._entered if not one.done()]
        for one in others:
            one.cancel()
