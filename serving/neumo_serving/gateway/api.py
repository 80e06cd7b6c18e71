"""``/v1/predictions`` and ``/v1/explanations``: films in, answers out, within one deadline."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, TypeVar

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive

import neumo
from neumo_serving.gateway import answers, bodies, gateway, problems
from neumo_serving.gateway.bodies import Gone
from neumo_serving.gateway.gateway import Gateway
from neumo_serving.gateway.problems import Problem, Refusal, refusal

T = TypeVar("T")
Work = Callable[[Gateway, list[bytes], float], Coroutine[Any, Any, Response]]

CLIENT_LEFT = 499
"""nginx's status for the log: nobody receives it."""
JSON = "application/json"

_TOO_LATE = "the models did not answer in time: try again"
_MARGIN_S = 0.2
"""Before the deadline, to answer with the films that were in time."""


async def predictions(request: Request) -> Response:
    """Answer ``POST /v1/predictions``."""
    return await _answered(request, _predict)


async def explanations(request: Request) -> Response:
    """Answer ``POST /v1/explanations``."""
    return await _answered(request, _explain)


async def _answered(request: Request, work: Work) -> Response:
    shared = gateway.of(request)
    ends = asyncio.get_running_loop().time() + shared.settings.limits.deadline_s
    late = bodies.late()
    try:
        async with asyncio.timeout_at(ends), shared.films(request) as films:
            late = refusal("deadline", _TOO_LATE)
            return await _unless_gone(request.receive, work(shared, films, ends))
    except Gone:
        return Response(status_code=CLIENT_LEFT)
    except TimeoutError:
        raise late from None


async def _predict(shared: Gateway, films: list[bytes], ends: float) -> Response:
    with shared.places.take(len(films)) as at_once:
        outcomes = await _outcomes(shared, films, at_once, ends)
    shared.measures.found(outcomes)
    return Response(answers.predictions(outcomes), media_type=JSON)


async def _explain(shared: Gateway, films: list[bytes], ends: float) -> Response:  # noqa: ARG001 - as _predict
    if len(films) != 1:
        raise refusal("too-many", "an explanation is of one film: send one at a time")
    with shared.places.take(1):
        explanation = await _of_one(shared.client.explain(films[0]))
        shared.measures.found([explanation.prediction])
        content = await asyncio.to_thread(answers.explanation, explanation)
    return Response(content, media_type=JSON)


async def _of_one(asked: Awaitable[T]) -> T:
    try:
        return await asked
    except neumo.NeumoError as error:
        raise Refusal(problems.of(error)) from None


async def _outcomes(
    shared: Gateway, films: list[bytes], at_once: int, ends: float
) -> list[neumo.Prediction | Problem]:
    """What comes of each film, in order; what comes too late is a problem in its place."""
    if len(films) == 1:
        return [await _of_one(shared.client.predict(films[0]))]
    found: list[neumo.Prediction | Problem] = []
    try:
        async with asyncio.timeout_at(ends - _MARGIN_S):
            async for outcome in shared.client.predict_many(films, concurrency=at_once):
                found.append(_told(outcome))  # noqa: PERF401 - kept where time runs out
    except TimeoutError:
        found += [problems.make("deadline", _TOO_LATE)] * (len(films) - len(found))
    return found


def _told(outcome: neumo.Prediction | neumo.Failure) -> neumo.Prediction | Problem:
    return problems.of(outcome.error) if isinstance(outcome, neumo.Failure) else outcome


async def _unless_gone(receive: Receive, work: Coroutine[Any, Any, T]) -> T:
    """What ``work`` returns; it is cancelled, and ``Gone`` raised, where the client leaves."""
    working = asyncio.ensure_future(work)
    leaving = asyncio.ensure_future(_left(receive))
    try:
        await asyncio.wait((working, leaving), return_when=asyncio.FIRST_COMPLETED)
        if not working.done():
            raise Gone
        return working.result()
    finally:
        working.cancel()
        leaving.cancel()
        await asyncio.gather(working, leaving, return_exceptions=True)


async def _left(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
