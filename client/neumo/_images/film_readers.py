"""Threads that read films: whoever waits for them can stop waiting."""

from __future__ import annotations

import os
import queue
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import TypeAlias, TypeVar

from neumo.errors import CLIENT_CLOSED, ConfigError

T = TypeVar("T")
_Job: TypeAlias = Callable[[], None]

AT_ONCE = 2 * (os.cpu_count() or 1)
"""Films read at a time: decoding keeps a core busy, opening a file waits."""


class FilmReaders:
    """At most ``most`` daemon threads, started when they are needed.

    Unlike those of ``concurrent.futures``, they do not hold up the interpreter's exit: a file on
    a network drive that is gone may never come to its end. A forked child has threads of its own.
    """

    def __init__(self, most: int = AT_ONCE) -> None:
        self._most = most
        self._team_of: dict[int, _Team] = {}
        self._is_closed = False

    def submit(self, function: Callable[[], T]) -> Future[T]:
        """The future of ``function()``; one that is cancelled before its turn is not begun."""
        if self._is_closed:
            raise ConfigError(CLIENT_CLOSED)
        team = self._team_of.get(os.getpid())
        if team is None:
            # The parent's threads are not in a forked child, and its lock may be held for ever.
            team = self._team_of.setdefault(os.getpid(), _Team(self._most))
        return team.submit(function)

    def close(self) -> None:
        """Let the threads end when they have done what they are at."""
        self._is_closed = True
        if team := self._team_of.get(os.getpid()):
            team.close()

    def __del__(self) -> None:
        if os is not None:  # as it is at the interpreter's end
            self.close()


class _Team:
    """The threads of one process."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._idle = threading.Semaphore(0)
        self._lock = threading.Lock()
        self._started = 0

    def submit(self, function: Callable[[], T]) -> Future[T]:
        future: Future[T] = Future()
        self._jobs.put(lambda: _run(future, function))
        if not self._idle.acquire(blocking=False):
            self._start_another()
        return future

    def close(self) -> None:
        with self._lock:
            for _ in range(self._started):
                self._jobs.put(None)

    def _start_another(self) -> None:
        with self._lock:
            if self._started == self._most:
                return
            self._started += 1
        target = threading.Thread(
            target=_work, args=(self._jobs, self._idle), name="neumo-read", daemon=True
        )
        target.start()


def done(function: Callable[[], T]) -> Future[T]:
    """The future of ``function()``, done here and now."""
    future: Future[T] = Future()
    _run(future, function)
    return future


def _work(jobs: queue.SimpleQueue[_Job | None], idle: threading.Semaphore) -> None:
    while (job := jobs.get()) is not None:
        job()
        del job  # what it read is not kept while the thread waits
        idle.release()


def _run(future: Future[T], function: Callable[[], T]) -> None:
    if not future.set_running_or_notify_cancel():
        return
    try:
        future.set_result(function())
    except BaseException as error:  # noqa: BLE001 - a future carries every error to its waiter
        future.set_exception(error)
