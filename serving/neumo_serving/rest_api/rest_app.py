"""The REST port: HTTP in and out as a raw ASGI application; the work is done on threads.

By hand: a framework would decode whole paths and know queries, which upstream does not.

Upstream: ``model_servers/http_server.cc`` and ``util/net_http``.
"""

from __future__ import annotations

import asyncio
import contextvars
import functools
import re
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass

from neumo_serving import request_faults
from neumo_serving.asgi.asgi_types import Receive, Scope, Send
from neumo_serving.engine import deadlines
from neumo_serving.engine.deadlines import Caller
from neumo_serving.engine.door import Door
from neumo_serving.engine.model_manager import Models
from neumo_serving.monitoring import model_metrics, prometheus_text
from neumo_serving.request_faults import Fault
from neumo_serving.rest_api import body_limits, response_json, routes
from neumo_serving.rest_api.body_limits import Bodies

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

METHODS = frozenset({"GET", "POST", "HEAD", "PUT", "DELETE", "OPTIONS", "PATCH"})
"""What upstream's HTTP library lets through; the API then knows GET and POST only."""
CORS_HEADERS = (
    (b"access-control-allow-origin", b"*"),
    (b"access-control-allow-methods", b"POST, GET"),
    (b"access-control-allow-headers", b"Content-Type"),
)
JSON = b"application/json"
_ORIGIN = re.compile(r"^[a-z][a-z0-9+.-]*://[^/?#]*", re.IGNORECASE)
_BEHIND_PATH = re.compile(r"[?#]")


@dataclass(frozen=True, slots=True)
class RestOptions:
    """How REST is served, by ``tensorflow_model_server``'s flags.

    ``metrics_path`` is where Prometheus' page is, None where it is off.
    """

    threads: int
    timeout_s: float = 30.0
    cors: bool = False
    metrics_path: str | None = None


class App:
    """The ASGI application over ``models``."""

    def __init__(self, models: Models, door: Door, options: RestOptions) -> None:
        self._models = models
        self._door = door
        self._options = options
        self._bodies = Bodies()
        self._threads = ThreadPoolExecutor(options.threads, thread_name_prefix="rest")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            raise ValueError(f"{scope['type']} is not served")
        target = target_of(scope)
        metrics_path = self._options.metrics_path
        # Before everything else: the page has no CORS headers and is answered to any method.
        if metrics_path is not None and _BEHIND_PATH.split(target)[0] == metrics_path:
            await _answer_metrics(send, target, metrics_path)
            return
        headers = CORS_HEADERS if self._options.cors else ()
        try:
            status, content = await self._answer(scope, target, receive)
        except Fault as fault:
            await answer_fault(send, fault, headers)
        else:
            await answer_with(send, status, content, JSON, headers)

    async def _answer(self, scope: Scope, target: str, receive: Receive) -> tuple[int, bytes]:
        method = scope["method"]
        if method not in METHODS:
            raise Fault(request_faults.UNIMPLEMENTED, f"Unsupported HTTP method: {method}")
        # A browser's question before the true one; without the flag it is a malformed request.
        if method == "OPTIONS" and self._options.cors:
            return 200, b""
        async with self._bodies.read(receive) as body:
            packed = body_limits.is_gzip(scope["headers"])
            gone = threading.Event()
            leaving = asyncio.ensure_future(_wait_until_left(receive, gone))
            timeout_s = self._options.timeout_s
            # Here, not in the thread: what waits for a thread is waited for, too.
            with deadlines.within(timeout_s, lambda: not gone.is_set()) as caller:
                answer = functools.partial(
                    _work, self._models, self._door, caller, method, target, body, packed
                )
                context = contextvars.copy_context()
            work = asyncio.get_running_loop().run_in_executor(self._threads, context.run, answer)
            try:
                # The thread cannot be stopped: it ends by itself, and nobody reads what it found.
                return await asyncio.wait_for(work, timeout_s)
            except TimeoutError:
                text = f"no answer within {timeout_s:g} s"
                raise Fault(request_faults.DEADLINE_EXCEEDED, text) from None
            finally:
                leaving.cancel()


def target_of(scope: Scope) -> str:
    """The path as it was sent, with the query: upstream decodes names alone and knows no queries.

    A client of a proxy sends a whole URL, of which only these are looked at (``evhttp_uri_parse``).
    """
    path: str = scope["raw_path"].decode("latin-1")
    query: str = scope["query_string"].decode("latin-1")
    return _ORIGIN.sub("", f"{path}?{query}" if query else path)


async def _wait_until_left(receive: Receive, gone: threading.Event) -> None:
    """Set ``gone`` when the client closes the connection."""
    while (await receive())["type"] != "http.disconnect":
        pass
    gone.set()


def _work(
    models: Models,
    door: Door,
    caller: Caller,
    method: str,
    target: str,
    body: bytes,
    packed: bool,
) -> tuple[int, bytes]:
    """Status and content of the answer.

    No exception leaves: in a future, its traceback would keep the body until the garbage is
    collected, which may be gigabytes later.
    """
    try:
        route = routes.parse(method, target)
        with (
            model_metrics.request(route.model, _api(route.verb), model_metrics.REST),
            _admitted(door, caller, route.verb),
        ):
            return 200, routes.answer(models, route, body_limits.unpacked(body) if packed else body)
    except Fault as fault:
        return _refusal(fault)
    except Exception as error:  # noqa: BLE001 - the client gets an answer, whatever is wrong here
        return _refusal(request_faults.unexpected("REST", error))


def _admitted(door: Door, caller: Caller, verb: str) -> AbstractContextManager[object]:
    """As for gRPC; status and metadata are told at any time."""
    deadlines.check(caller)
    return nullcontext() if verb in routes.TELLING else door.enter(caller)


def _refusal(fault: Fault) -> tuple[int, bytes]:
    return HTTP_STATUS.get(fault.code, 500), response_json.error(fault.message)


def _api(verb: str) -> str:
    """What upstream calls a request in its metrics: status and metadata have no name there."""
    return "" if verb in routes.TELLING else verb


async def answer_with(
    send: Send,
    status: int,
    content: bytes,
    content_type: bytes = JSON,
    headers: tuple[tuple[bytes, bytes], ...] = (),
) -> None:
    """Send a whole answer."""
    length = (b"content-length", str(len(content)).encode())
    sent = [(b"content-type", content_type), length, *headers]
    await send({"type": "http.response.start", "status": status, "headers": sent})
    await send({"type": "http.response.body", "body": content})


async def answer_fault(
    send: Send, fault: Fault, headers: tuple[tuple[bytes, bytes], ...] = ()
) -> None:
    """Send ``fault`` as upstream's JSON."""
    status, content = _refusal(fault)
    await answer_with(send, status, content, JSON, headers)


async def _answer_metrics(send: Send, target: str, path: str) -> None:
    if target != path:
        text = f"Unexpected path: {target}. Should be {path}"
        await answer_with(send, 400, text.encode(), prometheus_text.CONTENT_TYPE)
        return
    content = prometheus_text.page(model_metrics.METRICS)
    await answer_with(send, 200, content, prometheus_text.CONTENT_TYPE)
