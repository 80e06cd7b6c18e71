"""Around every request: security headers, counting, and no fault that reaches a client bare.

Plain ASGI: Starlette's middleware class would hand each answer through a stream of its own.
"""

from __future__ import annotations

import asyncio
import logging
import time
import traceback
from collections.abc import Callable, Mapping
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from neumo_serving.gateway import problems, request_ids
from neumo_serving.gateway.gateway_metrics import Measures
from neumo_serving.gateway.problems import Refusal

log = logging.getLogger(__name__)

CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; "
    "connect-src 'self'; font-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'"
)
HEADERS: Mapping[str, str] = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Embedder-Policy": "require-corp",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
}
NO_STORE = (b"cache-control", b"no-store")
"""Answers are about patients; only the page's own files say otherwise."""

SENT_WITHIN_S = 30.0
"""What a client that reads slowly gets beyond the deadline of its request."""

_METHODS = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}


class Guard:
    """An ASGI application around another."""

    def __init__(
        self,
        app: ASGIApp,
        *,
        measures: Measures,
        routes: frozenset[str],
        within_s: float,
        check: Callable[[Scope], None],
    ) -> None:
        """``check`` raises a ``Refusal`` for a request that is answered with that alone."""
        self._app = app
        self._check = check
        self._measures = measures
        self._routes = routes
        self._within_s = within_s + SENT_WITHIN_S
        # ASGI wants names in lower case.
        self._headers = [(k.lower().encode(), v.encode()) for k, v in HEADERS.items()]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        # The start and the end of the application.
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = time.perf_counter()
        status = 0
        request_id = request_ids.of(scope)
        shared: dict[str, Any] = {**scope.get("state", {}), "request_id": request_id}
        asked = {**scope, "state": shared}
        if scope["method"] == "HEAD":
            # uvicorn's own scope still says HEAD, of which it sends no body.
            asked["method"] = "GET"

        async def sending(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = self._completed(message["headers"], request_id)
            await send(message)

        try:
            async with asyncio.timeout(self._within_s):
                self._check(scope)
                await self._app(asked, receive, sending)
        except Refusal as error:
            self._measures.refused(error.problem)
            await problems.response(error.problem)(scope, receive, sending)
        except Exception as error:  # noqa: BLE001 - nothing of it may reach the client or the log
            tell(error, request_id)
            # With the head out no other answer is possible: uvicorn cuts the connection.
            if not status:
                internal = problems.make("internal", problems.TELL_OPERATOR)
                await problems.response(internal)(scope, receive, sending)
        self._count(scope, status, time.perf_counter() - started)
        if afterwards := shared.get("afterwards"):
            afterwards()

    def _completed(
        self, headers: list[tuple[bytes, bytes]], request_id: str
    ) -> list[tuple[bytes, bytes]]:
        is_told = any(name == NO_STORE[0] for name, _ in headers)
        own = [(request_ids.HEADER, request_id.encode()), *self._headers]
        return [*headers, *own, *(() if is_told else (NO_STORE,))]

    def _count(self, scope: Scope, status: int, seconds: float) -> None:
        # Any word may stand for a method, and each would be a series of its own.
        method = scope["method"] if scope["method"] in _METHODS else "other"
        path = scope["path"]
        route = path if path in self._routes else "page" if path.startswith("/page/") else "other"
        self._measures.answered(route, method, status, seconds)


def tell(error: BaseException, request_id: str = "") -> None:
    """Log where ``error`` came from, without its text, which may quote what a client sent."""
    where = "".join(traceback.format_tb(error.__traceback__))
    told = f" (request {request_id})" if request_id else ""
    log.error("a fault of the gateway: %s%s\n%s", type(error).__name__, told, where.rstrip())
