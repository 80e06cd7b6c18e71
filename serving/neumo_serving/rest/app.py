"""The REST port: HTTP in and out as a raw ASGI application; the work is done on threads."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from neumo_serving.engine import faults
from neumo_serving.engine.faults import Fault
from neumo_serving.engine.lifecycle import Models
from neumo_serving.rest import answers, routes

MAX_BODY_BYTES = 256 * 1024 * 1024

HTTP_STATUS = {
    "INVALID_ARGUMENT": 400,
    "FAILED_PRECONDITION": 400,
    "OUT_OF_RANGE": 400,
    "UNAUTHENTICATED": 401,
    "PERMISSION_DENIED": 403,
    "NOT_FOUND": 404,
    "ALREADY_EXISTS": 409,
    "ABORTED": 409,
    "RESOURCE_EXHAUSTED": 429,
    "CANCELLED": 499,
    "UNIMPLEMENTED": 501,
    "UNAVAILABLE": 503,
    "DEADLINE_EXCEEDED": 504,
}
"""By canonical code, else 500 (upstream: ``model_servers/http_rest_api_util.cc``)."""

Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]


class App:
    """The ASGI application over ``models``, with ``threads`` that answer."""

    def __init__(self, models: Models, threads: int, timeout_s: float) -> None:
        self._models = models
        self._timeout_s = timeout_s
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="rest")

    async def __call__(self, scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            raise ValueError(f"{scope['type']} is not served")
        try:
            status, content = 200, await self._answer(scope, receive)
        except Fault as fault:
            status, content = HTTP_STATUS.get(fault.code, 500), answers.error(fault.message)
        headers = [
            (b"content-type", b"application/json"),
            (b"content-length", str(len(content)).encode()),
        ]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": content})

    async def _answer(self, scope: MutableMapping[str, Any], receive: Receive) -> bytes:
        body = await _body(receive)
        loop = asyncio.get_running_loop()
        work = loop.run_in_executor(
            self._threads, _work, self._models, scope["method"], scope["path"], body
        )
        try:
            return await asyncio.wait_for(work, self._timeout_s)
        except TimeoutError:
            text = f"no answer within {self._timeout_s:g} s"
            raise Fault(faults.DEADLINE_EXCEEDED, text) from None


def _work(models: Models, method: str, path: str, body: bytes) -> bytes:
    try:
        return routes.answer(models, routes.parse(method, path), body)
    except Fault:
        raise
    except Exception as error:  # noqa: BLE001 - the client gets an answer, whatever is wrong here
        raise faults.unexpected("REST", error) from None


async def _body(receive: Receive) -> bytes:
    pieces: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise Fault("CANCELLED", "the client went away")
        piece = message.get("body", b"")
        size += len(piece)
        if size > MAX_BODY_BYTES:
            limit = MAX_BODY_BYTES // (1024 * 1024)
            text = f"the body is larger than {limit} MiB: send fewer films at once"
            raise Fault("RESOURCE_EXHAUSTED", text)
        pieces.append(piece)
        if not message.get("more_body"):
            return b"".join(pieces)
