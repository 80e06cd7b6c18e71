"""Many films, in order, some at a time, some of them together on the server."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence, Sized
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias, TypeVar

from neumo._engine.operations import ReadFilm
from neumo._images import film_folders
from neumo.errors import ConfigError, NeumoError
from neumo.results import Prediction

S = TypeVar("S")
T = TypeVar("T")

Progress: TypeAlias = Callable[[int, int | None], object]
"""Called after each film with how many are answered, and of how many where that is known."""

DEFAULT_CONCURRENCY = 8
MAX_CONCURRENCY = 64
MAX_BATCH_SIZE = 1024


@dataclass(frozen=True, slots=True)
class Failure:
    """What stands in a prediction's place where there is none.

    ``source_index`` counts the sources from 0; ``error`` is an ``ImageError``, a
    ``ContractError`` or a ``ServingError``.
    """

    source_index: int
    error: NeumoError


@dataclass(frozen=True, slots=True)
class Taken:
    """A source that was taken, by its place, and the film in it or why there is none."""

    source_index: int
    read: ReadFilm | NeumoError


Group: TypeAlias = tuple[Taken, ...]
"""Films that are asked about in one batch."""


def check(concurrency: int, batch_size: int) -> None:
    """Raise ``ConfigError`` for numbers outside their bounds."""
    if not 1 <= concurrency <= MAX_CONCURRENCY:
        raise ConfigError(f"concurrency is {concurrency}: give 1 to {MAX_CONCURRENCY}")
    if not 1 <= batch_size <= MAX_BATCH_SIZE:
        raise ConfigError(f"batch_size is {batch_size}: give 1 to {MAX_BATCH_SIZE}")


def counted(sources: Any) -> tuple[Any, int | None]:  # noqa: ANN401 - any iterable, also asynchronous
    """``sources``, a folder replaced by its films, and their number where it is known.

    Raises ``ConfigError`` for one film where several are wanted, and ``ImageError`` for a folder
    without a film.
    """
    if isinstance(sources, str | os.PathLike):
        if not Path(sources).is_dir():
            raise ConfigError("one path where several films are wanted: give a list, or a folder")
        sources = film_folders.films_in(Path(sources))
    elif isinstance(sources, bytes | bytearray | memoryview):
        raise ConfigError("one film where several are wanted: give a list of films, or a folder")
    return sources, len(sources) if isinstance(sources, Sized) else None


def ordered(start: Callable[[S], T], items: Iterable[S], ahead: int) -> Iterator[T]:
    """What ``start`` makes of every item, in the items' order, when ``ahead`` are started.

    An item is taken only when one of the ``ahead`` places is free, so ``items`` may be endless.
    What ``items`` raises comes after the results before it. Where the caller stops early, what
    was started is cancelled.
    """
    waiting: deque[Any] = deque()
    broken: Exception | None = None
    iterator = iter(items)
    try:
        while True:
            try:
                item = next(iterator)
            except StopIteration:
                break
            except Exception as error:  # noqa: BLE001 - it is raised in its place, below
                broken = error
                break
            waiting.append(start(item))
            if len(waiting) == ahead:
                yield waiting.popleft()
        while waiting:
            yield waiting.popleft()
    finally:
        for one in waiting:
            one.cancel()
    if broken is not None:
        raise broken


def grouped(items: Iterable[S], size: int) -> Iterator[tuple[S, ...]]:
    """``items`` in tuples of ``size``, the last one shorter, also where ``items`` then raises."""
    group: list[S] = []
    iterator = iter(items)
    broken: Exception | None = None
    while True:
        try:
            group.append(next(iterator))
        except StopIteration:
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


def films_of(group: Group) -> tuple[ReadFilm, ...]:
    """The films of ``group`` that could be read."""
    return tuple(taken.read for taken in group if isinstance(taken.read, ReadFilm))


def in_place(
    group: Group, outcomes: Sequence[Prediction | NeumoError]
) -> list[Prediction | Failure]:
    """What came of ``group``: ``outcomes`` are those of the films that could be read."""
    answered = iter(outcomes)
    placed: list[Prediction | Failure] = []
    for taken in group:
        outcome = next(answered) if isinstance(taken.read, ReadFilm) else taken.read
        if isinstance(outcome, NeumoError):
            placed.append(Failure(taken.source_index, without_frames(outcome)))
        else:
            placed.append(outcome)
    return placed


def without_frames(error: NeumoError) -> NeumoError:
    """``error`` without its tracebacks: a kept failure would keep the pixels in their frames."""
    chain: BaseException | None = error
    while chain is not None:
        chain.__traceback__ = None
        chain = chain.__cause__ or chain.__context__
    return error


def tell(outcomes: Sequence[Prediction | NeumoError], seen: Callable[[int], None]) -> None:
    """Tell ``seen`` the release of a batch that was answered."""
    for outcome in outcomes:
        if isinstance(outcome, Prediction):
            seen(outcome.release)
            return
