"""Many films, in order, some at a time."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeVar

from neumo.errors import NeumoError

S = TypeVar("S")
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Failure:
    """What stands in a prediction's place where there is none.

    ``source_index`` counts the sources from 0; ``error`` is an ``ImageError``, a
    ``ContractError`` or a ``ServingError``.
    """

    source_index: int
    error: NeumoError


def ordered(function: Callable[[S], T], items: Iterable[S], concurrency: int) -> Iterator[T]:
    """``function`` of every item, in the items' order, ``concurrency`` of them at a time.

    An item is taken only when one of the ``concurrency`` places is free, so ``items`` may be
    endless. What ``function`` or ``items`` raises ends the iteration, after the results before it.
    """
    pool = ThreadPoolExecutor(concurrency, thread_name_prefix="neumo-many")
    waiting: deque[Future[T]] = deque()
    try:
        for future in _submitted(pool, function, items):
            waiting.append(future)
            if len(waiting) == concurrency:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


def _submitted(
    pool: ThreadPoolExecutor, function: Callable[[S], T], items: Iterable[S]
) -> Iterator[Future[T]]:
    """A future for each item, and for the error of ``items`` where it has one."""
    try:
        for item in items:
            yield pool.submit(function, item)
    except Exception as error:  # noqa: BLE001 - it is raised to the caller, in its place
        failed: Future[T] = Future()
        failed.set_exception(error)
        yield failed
