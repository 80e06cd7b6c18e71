"""REST: calls as JSON over a pool of connections."""

from __future__ import annotations

import os
import time
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

import requests
from requests import exceptions
from urllib3.exceptions import DecodeError, HTTPError, NewConnectionError, ReadTimeoutError

from neumo._transports import status_codes
from neumo._transports.address import Address
from neumo._transports.cancellable_http import CancellableAdapter, Line, of_this_call
from neumo._transports.credentials import Access
from neumo._wire import rest_json
from neumo._wire.calls import Call, Reply, RestRequest
from neumo.errors import (
    CLIENT_CLOSED,
    BadResponse,
    ConfigError,
    DeadlineExceeded,
    PermissionDenied,
    ServingError,
    Unavailable,
)

A = TypeVar("A")

MAX_CONNECTIONS = 64
_PIECE_BYTES = 64 * 1024
_BROKEN = (exceptions.RequestException, HTTPError, OSError)


class RestTransport:
    """A pool of connections to one address; thread-safe. No redirect is followed."""

    def __init__(self, address: Address, admitted: Access) -> None:
        self.target = str(address)
        self._pool = ThreadPoolExecutor(MAX_CONNECTIONS, thread_name_prefix="neumo-rest")
        self._session = requests.Session()
        self._session.headers.update(admitted.headers)
        # Given with each request: a session's own would yield to REQUESTS_CA_BUNDLE.
        self._verify = None if admitted.tls.ca is None else os.fspath(admitted.tls.ca)
        if admitted.tls.certificate is not None and admitted.tls.key is not None:
            self._session.cert = (
                os.fspath(admitted.tls.certificate),
                os.fspath(admitted.tls.key),
            )
        adapter = CancellableAdapter(pool_maxsize=MAX_CONNECTIONS)
        self._lines: set[Line] = set()
        self._session.mount(f"{address.scheme}://", adapter)

    def start(self, call: Call[A], timeout_s: float) -> Future[Reply[A]]:
        """Send ``call``; the future gives its reply, or raises a ``ServingError``."""
        deadline = time.monotonic() + timeout_s
        future = _RestFuture[A]()
        try:
            carried = self._pool.submit(self._carry, future, call, deadline)
        except RuntimeError:
            raise ConfigError(CLIENT_CLOSED) from None
        carried.add_done_callback(lambda done: done.cancelled() and future.cancel())
        return future

    def close(self) -> None:
        """Start no further call, end those under way and close the connections."""
        self._pool.shutdown(wait=False, cancel_futures=True)
        for line in tuple(self._lines):
            line.cut()
        self._session.close()

    def _carry(self, future: _RestFuture[A], call: Call[A], deadline: float) -> None:
        if not future.set_running_or_notify_cancel():
            return
        of_this_call.set(future.line)
        self._lines.add(future.line)
        try:
            future.set_result(self._reply(call, deadline))
        except Exception as error:  # noqa: BLE001 - a future carries every error to its waiter
            future.set_exception(error)
        finally:
            self._lines.discard(future.line)

    def _reply(self, call: Call[A], deadline: float) -> Reply[A]:
        began = time.monotonic()
        request = call.rest_request()
        started = time.monotonic()
        try:
            status, body, wait_text = self._exchange(request, deadline)
        except _BROKEN as error:
            raise self._broken(call.model, error) from error
        if status != 200:
            raise self._refused(call.model, status, body, wait_text)
        try:
            answer = call.read_rest(body)
        except ValueError as error:
            raise BadResponse(call.model, self.target, status_codes.brief(str(error))) from error
        return Reply(answer, time.monotonic() - started, started - began)

    def _exchange(self, request: RestRequest, deadline: float) -> tuple[int, bytes, str | None]:
        """The status, the whole body, and ``Retry-After`` where the server says it.

        Each wait is bounded by what is left of the deadline.
        """
        with self._session.request(
            request.verb,
            self.target + request.path,
            data=request.body,
            headers={"Content-Type": "application/json"},
            timeout=_left(deadline),
            verify=self._verify,
            allow_redirects=False,
            stream=True,
        ) as response:
            pieces = []
            # read1 returns whatever came, so that a server that drips cannot outlive the deadline.
            while piece := response.raw.read1(_PIECE_BYTES, decode_content=True):
                pieces.append(piece)
                _left(deadline)
            # A connection that was cut looks like one that has ended.
            of_this_call.get().check()
            wait_text = response.headers.get("Retry-After")
            return response.status_code, b"".join(pieces), wait_text

    def _broken(self, model: str, error: Exception) -> ServingError:
        text = status_codes.brief(_reason(error))
        if isinstance(error, exceptions.Timeout | ReadTimeoutError):
            return DeadlineExceeded(model, self.target, "no answer within the deadline")
        if "BadStatusLine" in text:
            return BadResponse(model, self.target, "what answered there does not speak HTTP")
        if isinstance(error, exceptions.SSLError) or status_codes.is_about_certificates(text):
            return PermissionDenied(model, self.target, text)
        if isinstance(error, exceptions.InvalidHeader | DecodeError):
            return BadResponse(model, self.target, text)
        return Unavailable(model, self.target, text, is_out_of_reach=_is_unconnected(error))

    def _refused(self, model: str, status: int, body: bytes, wait_text: str | None) -> ServingError:
        from_server = rest_json.rest_error(body)
        kind = status_codes.of_http(status, said_by_server=from_server is not None)
        text = body.decode("utf-8", "replace") if from_server is None else from_server
        detail = f"HTTP {status}: {status_codes.brief(text)}"
        if kind is Unavailable:
            asked = status_codes.retry_after_seconds(wait_text)
            return Unavailable(model, self.target, detail, retry_after_seconds=asked)
        return kind(model, self.target, detail)


class _RestFuture(Future[Reply[A]]):
    """A future whose cancellation cuts the call's connection, so that its thread ends."""

    def __init__(self) -> None:
        super().__init__()
        self.line = Line()

    def cancel(self) -> bool:
        """Give the call up, unless it is done."""
        cancelled = super().cancel()
        if not cancelled and not self.done():
            self.line.cut()
        return cancelled


def _reason(error: BaseException) -> str:
    """What went wrong at the bottom, without the layers that requests and urllib3 wrap around."""
    for wrapped in (getattr(error, "reason", None), *reversed(error.args)):
        if isinstance(wrapped, BaseException):
            return _reason(wrapped)
    return str(error).rpartition("): ")[2]


def _is_unconnected(error: BaseException) -> bool:
    """Whether no connection was made: urllib3's error for that lies below requests' own."""
    if isinstance(error, NewConnectionError):
        return True
    below = (getattr(error, "reason", None), *error.args)
    return any(isinstance(one, BaseException) and _is_unconnected(one) for one in below)


def _left(deadline: float) -> float:
    """Seconds until ``deadline``; ``requests.Timeout`` where it has passed."""
    left = deadline - time.monotonic()
    if left <= 0:
        raise exceptions.Timeout
    return left
