"""What those who run the gateway ask, on a port that no Ingress publishes."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from starlette.middleware.exceptions import ExceptionMiddleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route, Router
from starlette.types import ASGIApp, Receive, Scope, Send

from neumo_serving.gateway import health_routes, state
from neumo_serving.gateway.film_routes import JSON
from neumo_serving.gateway.problems import Refusal, plain

METRICS_TYPE = "text/plain; version=0.0.4"
"""Named here: newer versions of prometheus_client call the same text 1.0.0."""
WITHOUT_SHADOW = "this gateway has no shadow: start it with --shadow URL"


class OperatorsPort:
    """An ASGI application around another: what ``is_operators`` is answered here.

    ``handlers`` make answers of what is raised, as the other application's do.
    """

    def __init__(
        self, app: ASGIApp, *, is_operators: Callable[[Scope], bool], handlers: dict[Any, Any]
    ) -> None:
        self._app = app
        self._is_operators = is_operators
        router = Router(
            [
                Route("/metrics", metrics, methods=["GET"]),
                Route("/v1/shadow", shadow, methods=["GET"]),
                Route("/healthz", health_routes.healthz, methods=["GET"]),
                Route("/readyz", health_routes.readyz, methods=["GET"]),
            ],
            redirect_slashes=False,
        )
        self._operators = ExceptionMiddleware(router, handlers=handlers)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        is_ours = scope["type"] == "http" and self._is_operators(scope)
        await (self._operators if is_ours else self._app)(scope, receive, send)


PATHS = frozenset({"/metrics", "/v1/shadow"})


async def metrics(request: Request) -> Response:
    """Answer ``GET /metrics``."""
    shared = state.of(request)
    comparisons = shared.shadow.comparisons() if shared.shadow else ()
    page = shared.measures.page(shared.places.taken, shared.held.total_bytes, comparisons)
    return Response(page, media_type=METRICS_TYPE)


async def shadow(request: Request) -> Response:
    """Answer ``GET /v1/shadow``; 404 without one."""
    shared = state.of(request)
    if shared.shadow is None:
        raise Refusal(plain(404, WITHOUT_SHADOW))
    return Response(json.dumps(shared.shadow.document()), media_type=JSON)
