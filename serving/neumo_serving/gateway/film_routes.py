"""``/v1/predictions`` and ``/v1/explanations``: films in, answers out, within one deadline."""

from __future__ import annotations

import asyncio
import gzip
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive

from neumo_serving.asgi.body_pieces import Gone
from neumo_serving.gateway import answer_json, film_outcomes, problems, state, upload_bodies
from neumo_serving.gateway.film_outcomes import Outcome
from neumo_serving.gateway.problems import TOO_LATE, Problem, Refusal, refusal
from neumo_serving.gateway.shadow_comparison import Refused

T = TypeVar("T")
Work = Callable[[Request, list[bytes], float], Coroutine[Any, Any, bytes]]

CLIENT_LEFT = 499
"""nginx's status for the metrics: nobody receives it."""
JSON = "application/json"
PACKED_FROM_BYTES = 16 * 1024
"""A heat map's JSON is 454 KB, 83 KB when packed; most answers fit one packet as they are."""


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
            content = await _unless_gone(request.receive, work(request, films, ends))
    except Gone:
        return Response(status_code=CLIENT_LEFT)
    except TimeoutError:
        raise late from None
    headers = {"Vary": "Accept-Encoding"}
    if len(content) > PACKED_FROM_BYTES and _takes_gzip(request):
        # On a thread: of a heat map it takes some milliseconds.
        content = await asyncio.to_thread(gzip.compress, content, 1, mtime=0)
        headers["Content-Encoding"] = "gzip"
    return Response(content, media_type=JSON, headers=headers)


def _takes_gzip(request: Request) -> bool:
    given = ",".join(request.headers.getlist("accept-encoding")).lower()
    for one in given.split(","):
        name, _, weight = one.partition(";")
        if name.strip() in {"gzip", "*"}:
            return weight.replace(" ", "") not in {"q=0", "q=0.0", "q=0.00", "q=0.000"}
    return False


async def _predict(request: Request, films: list[bytes], ends: float) -> bytes:
    shared, request_id = state.of(request), request.state.request_id
    outcomes: list[Outcome]
    with shared.places.take(len(films)) as at_once:
        if len(films) == 1:
            outcomes = [await film_outcomes.predict(shared, films[0], request_id)]
        else:
            outcomes = await film_outcomes.predict_many(shared, films, at_once, ends, request_id)
    _told(request, films, outcomes)
    # One film alone is answered by its problem's HTTP status, not by 200 with a problem in it.
    if len(films) == 1 and isinstance(outcomes[0], Problem):
        raise Refusal(outcomes[0])
    shared.measures.found(outcomes)
    return answer_json.predictions(outcomes)


async def _explain(request: Request, films: list[bytes], _ends: float) -> bytes:
    shared, request_id = state.of(request), request.state.request_id
    if len(films) != 1:
        raise refusal("too-many", "an explanation is of one film: send one at a time")
    with shared.places.take(1):
        explained = await film_outcomes.explain(shared, films[0], request_id)
        outcome = explained if isinstance(explained, Problem) else explained.prediction
        _told(request, films, [outcome], is_explained=True)
        if isinstance(explained, Problem):
            raise Refusal(explained)
        shared.measures.found([explained.prediction])
        # On a thread: pictures and contours take tens of milliseconds, in which nobody is answered.
        return await asyncio.to_thread(answer_json.explanation, explained)


def _told(
    request: Request, films: list[bytes], outcomes: list[Outcome], *, is_explained: bool = False
) -> None:
    """Count refusals, and offer what has an answer to the shadow once that has been sent."""
    shared = state.of(request)
    refused = [one for one in outcomes if _is_refused(one)]
    shared.measures.no_chests(len(refused), shared.readiness.release)
    shadow = shared.shadow
    if shadow is None:
        return

    def offer() -> None:
        for film, outcome in zip(films, outcomes, strict=True):
            if not isinstance(outcome, Problem):
                shadow.offer(film, outcome, is_explained=is_explained)
            elif _is_refused(outcome):
                shadow.offer(film, Refused(), is_explained=is_explained)

    request.state.afterwards = offer


def _is_refused(outcome: Outcome) -> bool:
    return isinstance(outcome, Problem) and outcome.type == problems.NOT_A_CHEST


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
