"""REST: calls as JSON over connections to one server for each film."""

from __future__ import annotations

import os
import socket
import time
from concurrent.futures import Future, ThreadPoolExecutor
from http.client import BadStatusLine, RemoteDisconnected
from importlib.metadata import version
from typing import Any, TypeVar

from requests import PreparedRequest, Response, exceptions
from requests.structures import CaseInsensitiveDict
from urllib3.exceptions import DecodeError, HTTPError, NewConnectionError, ReadTimeoutError

from neumo._transports import credentials, proxies, status_codes
from neumo._transports.address import Address
from neumo._transports.cancellable_http import CancellableAdapter, Line, of_this_call
from neumo._transports.credentials import Access, Headers
from neumo._transports.servers import Choice, Servers
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
CONNECTED_S = 1.0
"""A server that has not taken a connection by then is left for another one, where there is one."""
_PIECE_BYTES = 64 * 1024
_BROKEN = (exceptions.RequestException, HTTPError, OSError)


class RestTransport:
    """Connections to the servers behind one name; thread-safe. No redirect is followed.

    All calls of a film go to one address (``one_server``), chosen anew for each film. In a forked
    child the connections are made anew: two processes on one socket read each other's answers.
    """

    def __init__(self, address: Address, admitted: Access) -> None:
        self.target = str(address)
        self._access = RestAccess(address, admitted)
        # By process, and never taken out: the parent's are not touched.
        self._connections_of: dict[int, _Connections] = {}
        self._is_closed = False

    def one_server(self) -> OneRestServer:
        """The way to one server, for all calls of a film."""
        connections = self._connections_of.get(os.getpid())
        if connections is None:
            made = _Connections(self._access)
            connections = self._connections_of.setdefault(os.getpid(), made)
        if self._is_closed:
            raise ConfigError(CLIENT_CLOSED)
        return OneRestServer(self._access, connections)

    def start(self, call: Call[A], timeout_s: float) -> Future[Reply[A]]:
        """Send ``call``; the future gives its reply, or raises a ``ServingError``."""
        return self.one_server().start(call, timeout_s)

    def close(self) -> None:
        """Start no further call, end those under way and close the connections."""
        self._is_closed = True
        if connections := self._connections_of.get(os.getpid()):
            connections.close()


class RestAccess:
    """What holds for every connection to ``address``, and what its calls carry."""

    def __init__(self, address: Address, admitted: Access) -> None:
        self.address = address
        self.target = str(address)
        self.proxy = proxies.proxy_for(address)
        self.by_way_of = "" if self.proxy is None else f" (by way of the proxy {self.proxy.name})"
        self._admitted = admitted
        self._own = {
            "user-agent": f"neumo/{version('neumo')}",
            "accept-encoding": "gzip, deflate",
            "content-type": "application/json",
            "host": address.host_header,
        }
        self._options()  # what cannot be used is told where the client is made

    def headers(self) -> Headers:
        """The headers of a call that begins now; raises as ``Access.headers_now``."""
        return tuple((self._own | dict(self._admitted.headers_now())).items())

    def stamp(self) -> object:
        """Another one once the files of the certificates were replaced."""
        return credentials.stamp(self._admitted.tls)

    def adapter(self) -> CancellableAdapter:
        """A keeper of connections, by the certificates as they are in their files now."""
        return CancellableAdapter(MAX_CONNECTIONS, **self._options())

    def _options(self) -> dict[str, Any]:
        if self.address.scheme != "https":
            return {}
        options: dict[str, Any] = {"ssl_context": credentials.context(self._admitted.tls)}
        if self.proxy is None:  # the connection is made to an address
            options["server_hostname"] = self.address.host
        return options


class _Connections:
    """The connections and threads of one process."""

    def __init__(self, access: RestAccess) -> None:
        self.servers = Servers(access.address.host, access.address.port)
        self.pool = ThreadPoolExecutor(MAX_CONNECTIONS, thread_name_prefix="neumo-rest")
        self.lines: set[Line] = set()
        self._access = access
        self._stamped = (access.stamp(), access.adapter())

    def adapter(self) -> CancellableAdapter:
        """Where the connections are kept; another one once certificates were replaced."""
        stamp = self._access.stamp()
        if stamp != self._stamped[0]:
            try:
                self._stamped = (stamp, self._access.adapter())
            except ConfigError:  # they are just being replaced
                return self._stamped[1]
        return self._stamped[1]

    def close(self) -> None:
        self.pool.shutdown(wait=False, cancel_futures=True)
        for line in tuple(self.lines):
            line.cut()
        self._stamped[1].close()


class OneRestServer:
    """The way to one server, for as long as it is there: a ``Transport`` for one film's calls."""

    def __init__(self, access: RestAccess, connections: _Connections) -> None:
        self.target = access.target
        self._access = access
        self._connections = connections
        self._choice = Choice(connections.servers)

    def start(self, call: Call[A], timeout_s: float) -> Future[Reply[A]]:
        """Send ``call``; the future gives its reply, or raises a ``ServingError``."""
        deadline = time.monotonic() + timeout_s
        headers = self._access.headers()
        future = _RestFuture[A]()
        try:
            carried = self._connections.pool.submit(self._carry, future, call, headers, deadline)
        except RuntimeError:
            raise ConfigError(CLIENT_CLOSED) from None
        carried.add_done_callback(lambda done: done.cancelled() and future.cancel())
        return future

    def close(self) -> None:
        """Nothing: the connections are the transport's."""

    def _carry(
        self, future: _RestFuture[A], call: Call[A], headers: Headers, deadline: float
    ) -> None:
        if not future.set_running_or_notify_cancel():
            return
        of_this_call.set(future.line)
        self._connections.lines.add(future.line)
        try:
            future.set_result(self._reply(call, headers, deadline))
        except Exception as error:  # noqa: BLE001 - a future carries every error to its waiter
            future.set_exception(error)
        finally:
            self._connections.lines.discard(future.line)

    def _reply(self, call: Call[A], headers: Headers, deadline: float) -> Reply[A]:
        began = time.monotonic()
        request = call.rest_request()
        started = time.monotonic()
        try:
            status, body, wait_text = self._exchange(request, headers, deadline)
        except _BROKEN as error:
            raise self._broken(call.model, error) from error
        if status != 200:
            raise self._refused(call.model, status, body, wait_text)
        try:
            answer = call.read_rest(body)
        except ValueError as error:
            raise BadResponse(call.model, self.target, status_codes.brief(str(error))) from error
        return Reply(answer, time.monotonic() - started, started - began)

    def _exchange(
        self, request: RestRequest, headers: Headers, deadline: float
    ) -> tuple[int, bytes, str | None]:
        """The status, the whole body, and ``Retry-After`` where the server says it.

        Each wait is bounded by what is left of the deadline. A server that takes no connection
        has not seen the call, which goes to another one.
        """
        where = self._access.address
        if self._access.proxy is not None:
            left = _left(deadline)
            return self._read(self._sent(request, headers, (left, left), where.netloc), deadline)
        while True:
            server = self._choice.server()
            netloc = f"[{server}]:{where.port}" if ":" in server else f"{server}:{where.port}"
            left = _left(deadline)
            connect_s = min(left, CONNECTED_S) if self._choice.has_others() else left
            try:
                with self._choice.servers.call_to(server):
                    sent = self._sent(request, headers, (connect_s, left), netloc)
                    return self._read(sent, deadline)
            except exceptions.ConnectionError as error:
                # No connection, or none in time: the server has not seen the call.
                unseen = isinstance(error, exceptions.ConnectTimeout) or _is_unconnected(error)
                if not unseen or not self._choice.leave(server):
                    raise

    def _sent(
        self, request: RestRequest, headers: Headers, timeout_s: tuple[float, float], netloc: str
    ) -> Response:
        """The response to ``request`` of the server at ``netloc``; its body is not read yet."""
        where, proxy = self._access.address, self._access.proxy
        # By hand, since preparing would look for a password in the URL and quote the path again.
        prepared = PreparedRequest()
        prepared.method = request.verb
        prepared.url = f"{where.scheme}://{netloc}{where.path}{request.path}"
        prepared.headers = CaseInsensitiveDict(headers)
        prepared.body = request.body
        if request.body is not None:
            prepared.headers["content-length"] = str(len(request.body))
        return self._connections.adapter().send(
            prepared,
            stream=True,
            timeout=timeout_s,
            proxies=None if proxy is None else {where.scheme: proxy.url},
        )

    def _read(self, response: Response, deadline: float) -> tuple[int, bytes, str | None]:
        try:
            pieces = []
            # read1 returns whatever came, so that a server that drips cannot outlive the deadline.
            while piece := response.raw.read1(_PIECE_BYTES, decode_content=True):
                pieces.append(piece)
                _left(deadline)
            # A connection that was cut looks like one that has ended.
            of_this_call.get().check()
        except BaseException:
            response.raw.close()  # what is left of the answer is nobody's
            raise
        response.raw.release_conn()
        return response.status_code, b"".join(pieces), response.headers.get("Retry-After")

    def _broken(self, model: str, error: Exception) -> ServingError:
        way = self._access.by_way_of
        text = status_codes.brief(_reason(error)) + way
        if isinstance(error, exceptions.Timeout | ReadTimeoutError):
            return DeadlineExceeded(model, self.target, f"no answer within the deadline{way}")
        line = _bad_line(error)
        hint = status_codes.misdirected(text) if line is None else status_codes.not_http(line)
        if hint is not None:
            return BadResponse(model, self.target, hint + way)
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
        if from_server is None:  # it may be the proxy's
            detail += self._access.by_way_of
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
    """Whether no connection was made: the name has no address, nobody listens, or no proxy does."""
    if isinstance(error, NewConnectionError | socket.gaierror):
        return True
    wrapped = (getattr(error, "reason", None), *error.args)
    return any(isinstance(one, BaseException) and _is_unconnected(one) for one in wrapped)


def _bad_line(error: BaseException) -> str | None:
    """What came where HTTP's first line should; None where that is not what broke."""
    if isinstance(error, BadStatusLine) and not isinstance(error, RemoteDisconnected):
        return str(error.args[0])
    wrapped = (getattr(error, "reason", None), *error.args)
    found = (_bad_line(one) for one in wrapped if isinstance(one, BaseException))
    return next((line for line in found if line is not None), None)


def _left(deadline: float) -> float:
    """Seconds until ``deadline``; ``requests.Timeout`` where it has passed."""
    left = deadline - time.monotonic()
    if left <= 0:
        raise exceptions.Timeout
    return left
