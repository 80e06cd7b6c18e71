"""``/v1/predictions`` and ``/v1/explanations``: films in, answers out, within one deadline."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive

from neumo_serving.asgi.body_pieces import Gone
from neumo_serving.gateway import answer_json, film_outcomes, state, upload_bodies
from neumo_serving.gateway.problems import TOO_LATE, refusal
from neumo_serving.gateway.state import Gateway

T = TypeVar("T")
Work = Callable[[Gateway, list[bytes], float], Coroutine[Any, Any, bytes]]

CLIENT_LEFT = 499
"""nginx's status for the metrics: nobody receives it."""
JSON = "application/json"


async def predictions(request: Request) -> Response:
    """Answer ``POST /v1/predictions``."""
    return await _answered(request, _predict)


async def explanations(request: Request) -> Response:
    """Answer ``POST /v1/explanations``."""
    return await _answered(request, _explain)


async def _answered(request: Request, work: Work) -> Response:
    shared = state.of(request)
    ends = asyncio.get_running_loop().time() + shared.settings.limits.deadline_s
    # A timeout is the upload's fault until the films are here, and then the models'.
    late = upload_bodies.late()
    try:
        async with asyncio.timeout_at(ends), shared.films(request) as films:
            late = refusal("deadline", TOO_LATE)
            content = await _unless_gone(request.receive, work(shared, films, ends))
    except Gone:
        return Response(status_code=CLIENT_LEFT)
    except TimeoutError:
        raise late from None
    return Response(content, media_type=JSON)


async def _predict(shared: Gateway, films: list[bytes], ends: float) -> bytes:
    outcomes: list[film_outcomes.Outcome]
    with shared.places.take(len(films)) as at_once:
        # One film alone is answered by its problem's HTTP status, not by 200 with a problem in it.
        if len(films) == 1:
            outcomes = [await film_outcomes.predict(shared, films[0])]
        else:
            outcomes = await film_outcomes.predict_many(shared, films, at_once, ends)
    shared.measures.found(outcomes)
    return answer_json.predictions(outcomes)


async def _explain(shared: Gateway, films: list[bytes], _ends: float) -> bytes:
    if len(films) != 1:
        raise refusal("too-many", "an explanation is of one film: send one at a time")
    with shared.places.take(1):
        explanation = await film_outcomes.explain(shared, films[0])
        shared.measures.found([explanation.prediction])
        # On a thread: pictures and contours take tens of milliseconds, in which nobody is answered.
        return await asyncio.to_thread(answer_json.explanation, explanation)


async def _unless_gone(receive: Receive, work: Coroutine[Any, Any, T]) -> T:
    """What ``work`` returns; it is cancelled, and ``Gone`` raised, where the client leaves."""
    working = asyncio.ensure_future(work)
    # ASGI tells that a client left only to whoever asks for more of its request.
    leaving = asyncio.ensure_future(_left(receive))
    try:
        await asyncio.wait((working, leaving), return_when=asyncio.FIRST_COMPLETED)
        if not working.done():
            raise Gone
        return working.result()
    finally:
        working.cancel()
        leaving.cancel()
        # Waited for, so that the calls to the models are given up before the place is free.
        await asyncio.gather(working, leaving, return_exceptions=True)


async def _left(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
