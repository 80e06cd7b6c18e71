"""The FastAPI application: routes to their functions, problems for everything else."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

from fastapi import FastAPI
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Scope

import neumo
from neumo_serving.gateway import (
    film_routes,
    health_routes,
    hosts,
    openapi,
    problems,
    schemas,
    state,
    static_files,
)
from neumo_serving.gateway.gateway_settings import Settings, is_loopback
from neumo_serving.gateway.middleware import Guard
from neumo_serving.gateway.operators_app import PATHS, OperatorsPort
from neumo_serving.gateway.problems import Refusal
from neumo_serving.gateway.state import Gateway

_TELL_NOBODY: Any = dict.fromkeys(
    ("tracing", "metrics", "logs", "operation_spans", "auto_configure"), False
)
"""FastAPI's own telemetry would carry addresses and the texts of errors out of this process."""

_WORDS = {
    404: "there is nothing at this address",
    405: "this address is not asked in that way: see Allow",
}


def make(
    settings: Settings,
    client: neumo.AsyncClient,
    canary: neumo.AsyncClient | None = None,
    operators_port: int | None = None,
) -> FastAPI:
    """The application that asks ``client``, and the shadow's ``canary``; it closes both in the end.

    What comes in at ``operators_port`` is asked by those who run it.
    """
    shared = state.make(settings, client, canary, static_files.read())

    def is_operators(scope: Scope) -> bool:
        return operators_port is not None and (scope.get("server") or ("", 0))[1] == operators_port

    app = FastAPI(
        # Its pages load scripts from elsewhere; ours are in health_routes.
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        lifespan=partial(_lifespan, shared),
        # They would echo whatever Host a client names.
        redirect_slashes=False,
        telemetry=_TELL_NOBODY,
    )
    app.state.gateway = shared
    _route(app, settings)
    # FastAPI's own place for a document that is made otherwise.
    app.openapi = partial(openapi.document, app, settings)  # type: ignore[method-assign]
    handlers: Any = {Refusal: _refused, HTTPException: _not_routed}
    for kind, handler in handlers.items():
        app.add_exception_handler(kind, handler)
    # First, so that the guard is around it, too.
    app.add_middleware(OperatorsPort, is_operators=is_operators, handlers=handlers)
    app.add_middleware(
        Guard,
        measures=shared.measures,
        # Only these are labels of metrics: addresses are a client's words.
        routes=frozenset(getattr(route, "path", "") for route in app.routes) | PATHS,
        within_s=settings.limits.deadline_s,
        check=partial(_check_host, settings, is_operators),
    )
    return app


def _check_host(settings: Settings, is_operators: Callable[[Scope], bool], scope: Scope) -> None:
    """Raise a ``Refusal`` where the request does not name a host of ours."""
    access, is_theirs = settings.access, is_operators(scope)
    found = [value.decode("latin-1") for name, value in scope["headers"] if name == b"host"]
    listens_on = settings.operators_host if is_theirs else settings.host
    hosts.check(
        found,
        access.allowed_hosts,
        is_local=is_loopback(listens_on),
        # Whoever reaches the operators' port needs no token.
        is_guarded=access.is_guarded and not is_theirs,
    )


@asynccontextmanager
async def _lifespan(shared: Gateway, _app: FastAPI) -> AsyncIterator[None]:
    shadowing = asyncio.create_task(shared.shadow.run()) if shared.shadow else None
    async with shared.client:
        yield
        if shadowing:
            shadowing.cancel()
            await asyncio.gather(shadowing, return_exceptions=True)
    shared.large.close()


def _route(app: FastAPI, settings: Settings) -> None:
    limits = settings.limits
    uploaded = openapi.refusals(*openapi.UPLOAD_STATUSES)
    app.post(
        "/v1/predictions",
        summary="Ask about one or several films.",
        description="A request of one film that fails is answered with that film's problem.",
        response_model=schemas.Predictions,
        responses=uploaded,
        openapi_extra=openapi.upload(limits, limits.max_films),
    )(film_routes.predictions)
    app.post(
        "/v1/explanations",
        summary="Ask about one film, and where the models looked.",
        response_model=schemas.Explanation,
        responses=uploaded,
        openapi_extra=openapi.upload(limits, 1),
    )(film_routes.explanations)
    app.get(
        "/v1/status",
        summary="What is served, and how much is accepted.",
        response_model=schemas.Status,
        responses=openapi.refusals(400, 401, 421, 429),
    )(health_routes.status)
    _route_operations(app)
    _route_pages(app)


def _route_operations(app: FastAPI) -> None:
    app.get(
        "/healthz",
        summary="Whether the gateway lives.",
        response_model=schemas.Health,
        responses=openapi.refusals(400, 421),
    )(health_routes.healthz)
    app.get(
        "/readyz",
        summary="Whether films can be asked about now.",
        response_model=schemas.Health,
        responses=openapi.refusals(400, 421, 503),
    )(health_routes.readyz)


def _route_pages(app: FastAPI) -> None:
    for path, function in (
        ("/", health_routes.index),
        ("/page/{name:path}", health_routes.page_file),
        ("/docs", health_routes.documentation),
        ("/docs.css", health_routes.documentation_style),
        ("/openapi.json", health_routes.openapi),
    ):
        app.get(path, include_in_schema=False)(function)


async def _refused(request: Request, error: Refusal) -> Response:
    state.of(request).measures.refused(error.problem)
    return problems.response(error.problem)


async def _not_routed(request: Request, error: HTTPException) -> Response:
    """An address or a method that there is not."""
    status = error.status_code
    detail = _WORDS.get(status, "not possible")
    problem = problems.plain(status, detail, dict(error.headers or {}))
    return await _refused(request, Refusal(problem))
