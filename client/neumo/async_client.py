"""The client that awaits: the same plans as ``Client``, driven by asyncio."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterable, AsyncIterator, Iterable, Mapping
from types import TracebackType
from typing import TypeVar

from neumo import image, session, settings
from neumo.asking_async import drive
from neumo.core import planning
from neumo.core.deadline import Deadline
from neumo.core.planning import Plan
from neumo.ensemble import Explanation, Prediction
from neumo.errors import ContractError, DeadlineExceeded, ImageError, ServingError
from neumo.image import Film, Source
from neumo.settings import DEFAULT_RETRIES
from neumo.streams import Failure
from neumo.transports import Transport
from neumo.transports.access import Tls
from neumo.wire import ModelStatus

T = TypeVar("T")


class AsyncClient:
    """``Client`` for asyncio: the same arguments, answers and errors.

    Films are read on threads, so that the event loop goes on; a task that is cancelled gives its
    calls up. Close it, or use it in ``async with``.
    """

    def __init__(
        self,
        url: str | None = None,
        *,
        timeout: float | None = None,
        release: int | None = None,
        retries: int = DEFAULT_RETRIES,
        token: str | None = None,
        metadata: Mapping[str, str] | None = None,
        tls: Tls | None = None,
        transport: Transport | None = None,
    ) -> None:
        """As ``Client``; connects with the first call."""
        self._session = session.begin(
            settings.resolve(url, timeout, release, retries, token, tls), metadata, transport
        )

    async def predict(self, source: Source) -> Prediction:
        """The ensemble's answer about one film; raises as ``Client.predict``."""
        deadline = self._session.deadline()
        film = await self._read(source, deadline)
        return await self._run(self._session.about(film, planning.predict, deadline), deadline)

    async def explain(self, source: Source) -> Explanation:
        """As ``predict``, with the heat map of what moved the score."""
        deadline = self._session.deadline()
        film = await self._read(source, deadline)
        return await self._run(self._session.about(film, planning.explain, deadline), deadline)

    async def predict_many(
        self,
        sources: Iterable[Source] | AsyncIterable[Source],
        *,
        concurrency: int = session.DEFAULT_CONCURRENCY,
    ) -> AsyncIterator[Prediction | Failure]:
        """A ``Prediction`` or a ``Failure`` for each source, in order, as ``Client.predict_many``.

        What ``sources`` raises comes after the answers about the films before it.
        """
        session.check_concurrency(concurrency)
        waiting: deque[asyncio.Task[Prediction | Failure]] = deque()
        broken: Exception | None = None
        try:
            films = aiter(_each(sources))
            for index in range(2**63):
                try:
                    source = await anext(films)
                except StopAsyncIteration:
                    break
                except Exception as error:  # noqa: BLE001 - it is raised in its place, below
                    broken = error
                    break
                waiting.append(asyncio.create_task(self._outcome(index, source)))
                if len(waiting) == concurrency:
                    yield await waiting.popleft()
            while waiting:
                yield await waiting.popleft()
        finally:
            for task in waiting:
                task.cancel()
        if broken is not None:
            raise broken

    async def status(self) -> tuple[ModelStatus, ...]:
        """Every model of the contract that the server knows, with all its versions."""
        plan = planning.status(self._session.terms)
        return await self._run(plan, self._session.deadline())

    async def check(self) -> None:
        """Compare the served models with the contract; raises ``ContractError`` if they differ."""
        await self._run(self._session.check(), self._session.deadline())

    async def close(self) -> None:
        """Close the connections; a call under way ends with an error."""
        await asyncio.to_thread(self._session.transport.close)

    async def __aenter__(self) -> AsyncClient:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.close()

    async def _read(self, source: Source, deadline: Deadline) -> Film:
        try:
            return await asyncio.wait_for(
                asyncio.to_thread(image.read, source), deadline.remaining()
            )
        except TimeoutError:
            detail = f"the film was not read within {deadline.seconds:g} s"
            raise DeadlineExceeded("", self._session.terms.target, detail) from None

    async def _outcome(self, index: int, source: Source) -> Prediction | Failure:
        try:
            return await self.predict(source)
        except (ImageError, ContractError, ServingError) as error:
            return Failure(index, error)

    async def _run(self, plan: Plan[T], deadline: Deadline) -> T:
        return await drive(plan, self._session.transport, deadline)


async def _each(sources: Iterable[Source] | AsyncIterable[Source]) -> AsyncIterator[Source]:
    if isinstance(sources, AsyncIterable):
        async for source in sources:
            yield source
    else:
        for source in sources:
            yield source
