"""``neumo._drive.many`` for asyncio."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterable, AsyncIterator, Callable, Iterable
from typing import Any, TypeVar

S = TypeVar("S")
T = TypeVar("T")


async def numbered(items: Iterable[S] | AsyncIterable[S]) -> AsyncIterator[tuple[int, S]]:
    """``items`` counted from 0, whether they are awaited or not."""
    index = 0
    if isinstance(items, AsyncIterable):
        async for item in items:
            yield index, item
            index += 1
    else:
        for pair in enumerate(items):
            yield pair


async def ordered(
    start: Callable[[S], asyncio.Future[T]], items: AsyncIterator[S], ahead: int
) -> AsyncIterator[T]:
    """The results of what ``start`` makes of every item, as ``neumo._drive.many.ordered``."""
    waiting: deque[asyncio.Future[T]] = deque()
    broken: Exception | None = None
    try:
        while True:
            try:
                item = await anext(items)
            except StopAsyncIteration:
                break
            except Exception as error:  # noqa: BLE001 - it is raised in its place, below
                broken = error
                break
            waiting.append(start(item))
            if len(waiting) == ahead:
                yield await waiting.popleft()
        while waiting:
            yield await waiting.popleft()
    finally:
        for future in waiting:
            future.cancel()
    if broken is not None:
        raise broken


async def as_they_come(
    start: Callable[[S], asyncio.Future[T]], items: AsyncIterator[S], ahead: int
) -> AsyncIterator[T]:
    """As ``ordered``, but whatever is done is given first, also while an item is waited for."""
    waiting: set[asyncio.Future[T]] = set()
    coming: asyncio.Future[S] | None = None
    broken: Exception | None = None
    is_over = False
    try:
        while waiting or not is_over:
            if coming is None and not is_over and len(waiting) < ahead:
                coming = asyncio.ensure_future(_next(items))
            awaited: set[asyncio.Future[Any]] = {*waiting, *([coming] if coming else [])}
            await asyncio.wait(awaited, return_when=asyncio.FIRST_COMPLETED)
            if coming is not None and coming.done():
                try:
                    waiting.add(start(coming.result()))
                except StopAsyncIteration:
                    is_over = True
                except Exception as error:  # noqa: BLE001 - it is raised in its place, below
                    broken, is_over = error, True
                coming = None
            for future in [one for one in waiting if one.done()]:
                waiting.remove(future)
                yield future.result()
    finally:
        for left in (*waiting, coming):
            if left is not None:
                left.cancel()
    if broken is not None:
        raise broken


async def _next(items: AsyncIterator[S]) -> S:
    return await anext(items)


async def grouped(items: AsyncIterator[S], size: int) -> AsyncIterator[tuple[S, ...]]:
    """``items`` in tuples, as ``neumo._drive.many.grouped``."""
    group: list[S] = []
    broken: Exception | None = None
    while True:
        try:
            group.append(await anext(items))
        except StopAsyncIteration:
            break
        except Exception as error:  # noqa: BLE001 - it is raised in its place, below
            broken = error
            break
        if len(group) == size:
            yield tuple(group)
            group = []
    if group:
        yield tuple(group)
    if broken is not None:
        raise broken
