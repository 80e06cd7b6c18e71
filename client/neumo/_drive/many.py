"""Many films, in order, some at a time, some of them together on the server."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence, Sized
from concurrent.futures import FIRST_COMPLETED, Future, wait
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Protocol, TypeAlias, TypeVar

from neumo._engine.operations import ReadFilm
from neumo._images import film_folders
from neumo.errors import ConfigError, NeumoError
from neumo.results import Explanation, Prediction

A = TypeVar("A", Prediction, Explanation)
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

    ``error`` is an ``ImageError``, a ``ContractError`` or a ``ServingError``, with the
    ``request_id`` where a server was asked; ``source_index`` and ``source`` are as a
    ``Prediction``'s.
    """

    source_index: int
    error: NeumoError
    source: Path | None = field(default=None, repr=False)

    def to_dict(self) -> dict[str, Any]:
        """It as JSON takes it, without the source's name."""
        error = {"type": type(self.error).__name__, "text": str(self.error)}
        request_id = self.error.request_id
        return {"source_index": self.source_index, "error": error, "request_id": request_id}


@dataclass(frozen=True, slots=True)
class Taken:
    """A source that was taken, by its place and path, and the film in it or why there is none."""

    source_index: int
    source: Path | None
    read: ReadFilm | NeumoError


Group: TypeAlias = tuple[Taken, ...]
"""Films that are asked about in one batch."""


@dataclass(frozen=True, slots=True)
class Course:
    """How many films are asked about; raises ``ConfigError`` for a number that cannot be."""

    concurrency: int
    batch_size: int
    progress: Progress | None
    is_ordered: bool

    def __post_init__(self) -> None:
        _check("concurrency", self.concurrency, MAX_CONCURRENCY)
        _check("batch_size", self.batch_size, MAX_BATCH_SIZE)

    def tell(self, done: int, total: int | None) -> None:
        """Say to whoever wants to know it that ``done`` films are answered."""
        if self.progress is not None:
            self.progress(done, total)


def _check(name: str, number: int, most: int) -> None:
    is_whole = isinstance(number, int) and not isinstance(number, bool)
    if not is_whole or not 1 <= number <= most:
        raise ConfigError(f"{name} is {number!r}: give a whole number from 1 to {most}")


def counted(sources: Any) -> tuple[Any, int | None]:  # noqa: ANN401 - any iterable, also asynchronous
    """``sources``, a folder replaced by its films, and their number where it is known.

    Raises ``ConfigError`` for one film where several are wanted, and for a folder that is not
    there, ``ImageError`` for one without a film.
    """
    if isinstance(sources, str | os.PathLike):
        if not Path(sources).exists():
            raise ConfigError(
                "no such folder, and one path where several are wanted: give a list, or a folder"
            )
        if not Path(sources).is_dir():
            raise ConfigError("one path where several films are wanted: give a list, or a folder")
        sources = film_folders.films_in(Path(sources))
    elif isinstance(sources, bytes | bytearray | memoryview):
        raise ConfigError("one film where several are wanted: give a list of films, or a folder")
    elif not hasattr(sources, "__iter__") and not hasattr(sources, "__aiter__"):
        kind = type(sources).__name__
        raise ConfigError(f"several films are wanted, not a {kind}: give a list, or a folder")
    return sources, len(sources) if isinstance(sources, Sized) else None


def ordered(start: Callable[[S], T], items: Iterable[S], ahead: int) -> Iterator[T]:
    """What ``start`` makes of every item, in the items' order, when ``ahead`` are started.

    An item is taken only when one of the ``ahead`` places is free, so ``items`` may be endless.
    What ``items`` raises comes after the results before it. Where the caller stops early, what
    was started is cancelled.
    """

    def first(waiting: list[T], *, is_full: bool) -> list[T]:
        return waiting[:1] if is_full else []

    return _started(start, items, ahead, first)


def as_they_come(
    start: Callable[[S], Future[T]], items: Iterable[S], ahead: int
) -> Iterator[Future[T]]:
    """As ``ordered``, but whatever is done is given first."""

    def those_done(waiting: list[Future[T]], *, is_full: bool) -> list[Future[T]]:
        done, _ = wait(waiting, None if is_full else 0.0, FIRST_COMPLETED)
        return [one for one in waiting if one in done]

    return _started(start, items, ahead, those_done)


class _Choice(Protocol[T]):
    """Which of those that wait are given now: at least one where no place is free."""

    def __call__(self, waiting: list[T], *, is_full: bool) -> list[T]: ...


def _started(
    start: Callable[[S], T], items: Iterable[S], ahead: int, chosen: _Choice[T]
) -> Iterator[T]:
    waiting: list[Any] = []
    broken: Exception | None = None
    iterator = iter(items)
    is_over = False
    try:
        while not is_over or waiting:
            if not is_over:
                try:
                    item = next(iterator)
                except StopIteration:
                    is_over = True
                except Exception as error:  # noqa: BLE001 - it is raised in its place, below
                    broken, is_over = error, True
                else:
                    waiting.append(start(item))
            for one in chosen(waiting, is_full=len(waiting) >= ahead or is_over):
                waiting.remove(one)
                yield one
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


def in_place(group: Group, outcomes: Sequence[A | NeumoError]) -> list[A | Failure]:
    """What came of ``group``: ``outcomes`` are those of the films that could be read."""
    answered = iter(outcomes)
    placed: list[A | Failure] = []
    for taken in group:
        outcome = next(answered) if isinstance(taken.read, ReadFilm) else taken.read
        if isinstance(outcome, NeumoError):
            placed.append(Failure(taken.source_index, without_frames(outcome), taken.source))
        else:
            placed.append(_beside(outcome, taken))
    return placed


def _beside(outcome: A, taken: Taken) -> A:
    """``outcome``, which says from then on which source it is about."""
    if isinstance(outcome, Explanation):
        return replace(outcome, prediction=_beside(outcome.prediction, taken))
    return replace(outcome, source_index=taken.source_index, source=taken.source)


def without_frames(error: NeumoError) -> NeumoError:
    """``error`` without its tracebacks: a kept failure would keep the pixels in their frames."""
    chain: BaseException | None = error
    while chain is not None:
        chain.__traceback__ = None
        chain = chain.__cause__ or chain.__context__
    return error
