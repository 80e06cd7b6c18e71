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

    ``source_index`` counts the sources from 0; ``error`` is an ``ImageError`` or a
    ``ServingError``.
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
        yield from _windowed(pool, function, iter(items), concurrency, waiting)
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


def _windowed(
    pool: ThreadPoolExecutor,
    function: Callable[[S], T],
    items: Iterator[S],
    concurrency: int,
    waiting: deque[Future[T]],
) -> Iterator[T]:
    try:
        for item in items:
            waiting.append(pool.submit(function, item))
            if len(waiting) == concurrency:
                yield waiting.popleft().result()
    finally:
        pass
    while waiting:
        yield waiting.popleft().result()
