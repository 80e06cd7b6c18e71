"""What comes of the films of a request: each a prediction, or a problem in its place."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable
from typing import TypeAlias, TypeVar

import neumo
from neumo.image import Film
from neumo_serving.gateway import problems, request_ids
from neumo_serving.gateway.problems import Problem
from neumo_serving.gateway.state import Gateway

T = TypeVar("T")
Outcome: TypeAlias = neumo.Prediction | Problem

REQUEST_ID = request_ids.HEADER.decode()
_MARGIN_S = 0.2
"""Before the deadline, to answer with the films that were in time."""


async def explain(shared: Gateway, film: bytes, request_id: str) -> neumo.Explanation | Problem:
    """A prediction and where the models looked, or why there is none."""
    readied = await _readied(shared, film)
    if isinstance(readied, Problem):
        return readied
    return await _or_problem(shared.client.explain(readied, request_id=request_id))


async def predict(shared: Gateway, film: bytes, request_id: str) -> Outcome:
    """What comes of one film."""
    readied = await _readied(shared, film)
    if isinstance(readied, Problem):
        return readied
    return await _or_problem(shared.client.predict(readied, request_id=request_id))


async def predict_many(
    shared: Gateway, films: list[bytes], at_once: int, ends: float, request_id: str
) -> list[Outcome]:
    """What comes of each film, in order; what comes too late is a problem, too.

    ``ends`` is the request's deadline on the event loop's clock.
    """
    outcomes: dict[int, Outcome] = {}
    try:
        async with asyncio.timeout_at(ends - _MARGIN_S):
            async for index, outcome in _one_by_one(shared, films, at_once, request_id):
                # No comprehension: what was there when the time was up counts.
                outcomes.update({index: outcome})
    except TimeoutError:
        late = problems.make("deadline", problems.TOO_LATE)
        outcomes = {index: outcomes.get(index, late) for index in range(len(films))}
    return [outcomes[index] for index in range(len(films))]


async def _one_by_one(
    shared: Gateway, films: list[bytes], at_once: int, request_id: str
) -> AsyncIterator[tuple[int, Outcome]]:
    """Each film's place and outcome, as soon as it is known."""
    # Large films are read one after the other; the small ones the SDK reads as it asks.
    asked: dict[int, Film | bytes] = {}
    for index, film in enumerate(films):
        readied = await _readied(shared, film)
        if isinstance(readied, Problem):
            yield index, readied
        else:
            asked[index] = readied
    client = shared.client.with_options(metadata={REQUEST_ID: request_id})
    outcomes = client.predict_many(asked.values(), concurrency=at_once)
    # The SDK answers in the order in which it is asked.
    places = iter(asked)
    async for outcome in outcomes:
        if isinstance(outcome, neumo.Failure):
            yield next(places), problems.of(outcome.error)
        else:
            yield next(places), outcome


async def _readied(shared: Gateway, film: bytes) -> Film | bytes | Problem:
    """``film`` for the SDK: a large one is read before, and may be a problem."""
    try:
        return await shared.large.read(film)
    except neumo.ImageError as error:
        return problems.of(error)


async def _or_problem(asked: Awaitable[T]) -> T | Problem:
    try:
        return await asked
    except neumo.NeumoError as error:
        return problems.of(error)
