"""The client that awaits: the same plans as ``Client``, driven by asyncio."""

from __future__ import annotations

import asyncio
import copy
import os
from collections.abc import AsyncIterable, AsyncIterator, Iterable, Mapping, Sequence
from types import TracebackType
from typing import TypeVar

from neumo import settings
from neumo._drive import client_state_async, many, many_async
from neumo._drive.client_state import Planned, Reading
from neumo._drive.driver import Deadline
from neumo._drive.driver_async import drive
from neumo._drive.many import DEFAULT_CONCURRENCY, A, Course, Failure, Group, Progress, Taken
from neumo._engine import operations
from neumo._engine.operations import ReadFilm
from neumo._engine.plan import Plan, Terms
from neumo._images.film_readers import AT_ONCE
from neumo._transports.transport import Transport
from neumo.ensemble import SHIPPED, Ensemble
from neumo.errors import ContractError, ImageError, NeumoError, ServingError
from neumo.image import Source
from neumo.model_status import ModelStatus
from neumo.results import Explanation, Prediction
from neumo.settings import DEFAULT_RETRIES, Screen, Tls, Token

T = TypeVar("T")


class AsyncClient:
    """``Client`` for asyncio: the same arguments, answers and errors.

    Films are read on threads, so that the event loop goes on; a task that is cancelled gives its
    calls up. Close it, or use it in ``async with``.
    """

    def __init__(  # noqa: PLR0913 - all but the first by keyword
        self,
        url: str | None = None,
        *,
        timeout: float | None = None,
        release: int | None = None,
        labels: str | Mapping[str, str] | None = None,
        retries: int = DEFAULT_RETRIES,
        hedge: float | None = None,
        screen: Screen = True,
        token: Token | None = None,
        metadata: Mapping[str, str] | None = None,
        tls: Tls | None = None,
        connections: int | None = None,
        ensemble: Ensemble | None = None,
        transport: Transport | None = None,
    ) -> None:
        """As ``Client``; connects with the first call."""
        asked = ensemble or SHIPPED
        chosen = settings.resolve(
            url,
            timeout=timeout,
            release=release,
            labels=labels,
            retries=retries,
            hedge=hedge,
            screen=screen,
            token=token,
            tls=tls,
            connections=connections,
            members=asked.members,
        )
        self._state = client_state_async.begin(chosen, metadata, transport, asked)

    async def predict(self, source: Source, *, request_id: str | None = None) -> Prediction:
        """The ensemble's answer about one film; raises as ``Client.predict``."""
        return await self._one(operations.predict, source, request_id)

    async def explain(self, source: Source, *, request_id: str | None = None) -> Explanation:
        """As ``predict``, with the heat map of what moved the score, and the lungs where served."""
        return await self._one(operations.explain, source, request_id)

    def predict_many(
        self,
        sources: Iterable[Source] | AsyncIterable[Source] | str | os.PathLike[str],
        *,
        concurrency: int = DEFAULT_CONCURRENCY,
        batch_size: int = 1,
        ordered: bool = True,
        progress: Progress | None = None,
    ) -> AsyncIterator[Prediction | Failure]:
        """A ``Prediction`` or a ``Failure`` for each source, in order, as ``Client.predict_many``.

        What ``sources`` raises comes after the answers about the films before it.
        """
        course = many.Course(concurrency, batch_size, progress, ordered)
        return self._answers(operations.predict, *many.counted(sources), course)

    def explain_many(
        self,
        sources: Iterable[Source] | AsyncIterable[Source] | str | os.PathLike[str],
        *,
        concurrency: int = DEFAULT_CONCURRENCY,
        batch_size: int = 1,
        ordered: bool = True,
        progress: Progress | None = None,
    ) -> AsyncIterator[Explanation | Failure]:
        """An ``Explanation`` or a ``Failure`` for each source, as ``predict_many``."""
        course = many.Course(concurrency, batch_size, progress, ordered)
        return self._answers(operations.explain, *many.counted(sources), course)

    def with_options(
        self,
        *,
        timeout: float | None = None,
        release: int | None = None,
        screen: Screen | None = None,
        metadata: Mapping[str, str] | None = None,
    ) -> AsyncClient:
        """A client over the same connections with other options, as ``Client.with_options``."""
        other = copy.copy(self)
        other._state = self._state.changed(timeout, release, screen, metadata)
        return other

    async def status(self) -> tuple[ModelStatus, ...]:
        """Every model of the contract that the server knows, with all its versions."""
        with self._state.request() as terms:
            return await self._run(operations.status(terms), self._state.deadline())

    async def check(self) -> None:
        """Compare the served models with the contract; raises ``ContractError`` if they differ."""
        with self._state.request():
            await self._run(self._state.check(), self._state.deadline())

    async def close(self) -> None:
        """Close the connections; a call under way ends with an error."""
        if not self._state.is_owner:
            return
        await self._state.transport.close()
        self._state.workers.close()

    async def __aenter__(self) -> AsyncClient:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.close()

    async def _one(self, planned: Planned[A], source: Source, request_id: str | None) -> A:
        with self._state.request(request_id) as terms:
            reading = self._state.read(source)
            read, deadline = await self._film(reading), reading.deadline
            with self._state.telemetry.prediction(planned.__name__, 1) as seen:
                plan = self._state.about((read,), planned, deadline, terms)
                outcomes = await self._run(plan, deadline)
                operations.tell(outcomes, seen)
                return operations.only(outcomes)

    async def _film(self, reading: Reading) -> ReadFilm:
        if reading.future.done():
            return reading.future.result()
        future = asyncio.wrap_future(reading.future)
        try:
            await asyncio.wait([future], timeout=reading.deadline.remaining())
            if not future.done():
                raise self._state.unread()
            return future.result()
        finally:
            future.cancel()

    async def _answers(
        self,
        planned: Planned[A],
        films: Iterable[Source] | AsyncIterable[Source],
        total: int | None,
        course: Course,
    ) -> AsyncIterator[A | Failure]:
        terms = self._state.patient_terms()

        def start(group: Group) -> asyncio.Task[list[A | Failure]]:
            return asyncio.create_task(self._group(planned, group, terms))

        def read(numbered: Sequence[tuple[int, Source]]) -> asyncio.Task[list[A | Failure]]:
            return asyncio.create_task(self._read_group(planned, numbered, terms))

        if course.is_ordered:
            groups = many_async.grouped(self._taken(films), course.batch_size)
            answered = many_async.ordered(start, groups, course.concurrency)
        else:
            # Each group reads its own films, so that a slow one holds up no other.
            several = many_async.grouped(many_async.numbered(films), course.batch_size)
            answered = many_async.as_they_come(read, several, course.concurrency)
        done = 0
        async for outcomes in answered:
            for outcome in outcomes:
                done += 1
                course.tell(done, total)
                yield outcome

    async def _taken(self, films: Iterable[Source] | AsyncIterable[Source]) -> AsyncIterator[Taken]:
        """Each source read, in order; several are read at a time."""

        def start(numbered: tuple[int, Source]) -> asyncio.Task[Taken]:
            index, source = numbered
            return asyncio.create_task(self._take(index, self._state.read(source)))

        numbered = many_async.numbered(films)
        async for taken in many_async.ordered(start, numbered, AT_ONCE):
            yield taken

    async def _take(self, index: int, reading: Reading) -> Taken:
        try:
            return Taken(index, reading.path, await self._film(reading))
        except (ImageError, ServingError) as error:
            return Taken(index, reading.path, error)

    async def _read_group(
        self, planned: Planned[A], numbered: Sequence[tuple[int, Source]], terms: Terms
    ) -> list[A | Failure]:
        readings = [self._take(index, self._state.read(source)) for index, source in numbered]
        return await self._group(planned, tuple(await asyncio.gather(*readings)), terms)

    async def _group(self, planned: Planned[A], group: Group, terms: Terms) -> list[A | Failure]:
        """What came of the films of one batch."""
        films = many.films_of(group)
        outcomes: list[A | NeumoError] = []
        if films:
            deadline = self._state.deadline(max(read.seconds for read in films))
            try:
                with (
                    self._state.request(terms=terms) as asked,
                    self._state.telemetry.prediction(planned.__name__, len(films)) as seen,
                ):
                    plan = self._state.about(films, planned, deadline, asked)
                    outcomes = await self._run(plan, deadline)
                    operations.tell(outcomes, seen)
            except (ContractError, ServingError) as error:
                outcomes = [error] * len(films)
        return many.in_place(group, outcomes)

    async def _run(self, plan: Plan[T], deadline: Deadline) -> T:
        return await drive(plan, self._state.transport, deadline)
