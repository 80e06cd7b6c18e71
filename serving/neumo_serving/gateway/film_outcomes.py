"""What comes of the films of a request: each a prediction, or a problem in its place."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable
from typing import TypeAlias, TypeVar

import neumo
from neumo.image import Film
from neumo_serving.gateway import problems
from neumo_serving.gateway.problems import Problem, Refusal
from neumo_serving.gateway.state import Gateway

T = TypeVar("T")
Outcome: TypeAlias = neumo.Prediction | Problem

_MARGIN_S = 0.2
"""Before the deadline, to answer with the films that were in time."""


async def explain(shared: Gateway, film: bytes) -> neumo.Explanation:
    """A prediction and where the models looked; raises a ``Refusal`` where there is none."""
    return await _or_refusal(shared.client.explain(await _certain(shared, film)))


async def predict(shared: Gateway, film: bytes) -> neumo.Prediction:
    """The prediction about one film; raises a ``Refusal`` where there is none."""
    return await _or_refusal(shared.client.predict(await _certain(shared, film)))


async def predict_many(
    shared: Gateway, films: list[bytes], at_once: int, ends: float
) -> list[Outcome]:
    """What comes of each film, in order; what comes too late is a problem, too.

    ``ends`` is the request's deadline on the event loop's clock.
    """
    outcomes: dict[int, Outcome] = {}
    try:
        async with asyncio.timeout_at(ends - _MARGIN_S):
            async for index, outcome in _one_by_one(shared, films, at_once):
                # No comprehension: what was there when the time was up counts.
                outcomes.update({index: outcome})
    except TimeoutError:
        late = problems.make("deadline", problems.TOO_LATE)
        outcomes = {index: outcomes.get(index, late) for index in range(len(films))}
    return [outcomes[index] for index in range(len(films))]


async def _one_by_one(
    shared: Gateway, films: list[bytes], at_once: int
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
    outcomes = shared.client.predict_many(asked.values(), concurrency=at_once)
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


async def _certain(shared: Gateway, film: bytes) -> Film | bytes:
    readied = await _readied(shared, film)
    if isinstance(readied, Problem):
        raise Refusal(readied)
    return readied


async def _or_refusal(asked: Awaitable[T]) -> T:
    try:
        return await asked
    except neumo.NeumoError as error:
        raise Refusal(problems.of(error)) from None
