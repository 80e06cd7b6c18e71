"""Connections that do not wait for ever: uvicorn itself gives a client any time for its head."""

from __future__ import annotations

import asyncio
from typing import cast

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from neumo_serving.gateway import problems
from neumo_serving.gateway.middleware import HEADERS, NO_STORE

HEAD_WITHIN_S = 10.0
"""For the request line and the headers."""
LINGER_S = 5.0
"""For the rest of a body that was refused: a connection that is cut at once loses the answer."""
MAX_CONNECTIONS = 1000
"""Beyond them the one that has kept its head back for longest is closed."""
MAX_HEAD_BYTES = 64 * 1024


class Connection(HttpToolsProtocol):
    """uvicorn's protocol, with limits to the time and size of what is not a body."""

    _timer: asyncio.TimerHandle | None = None
    head_since = 0.0
    _head_bytes = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Wait for a head."""
        super().connection_made(transport)
        self._expect_head()
        if len(self.connections) > MAX_CONNECTIONS:
            connections = cast("set[Connection]", self.connections)
            waiting = [one for one in connections if one.head_since]
            # Never empty: this connection waits for its head, too.
            min(waiting, key=lambda one: one.head_since).transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait no more."""
        self._stop_timer()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Read on, unless the head has become too large."""
        # First read, then counted: a head that is complete has reset the count.
        super().data_received(data)
        if self.head_since:
            self._head_bytes += len(data)
            if self._head_bytes > MAX_HEAD_BYTES and not self.transport.is_closing():
                self.send_400_response("the head is too large")

    def on_message_begin(self) -> None:
        """Wait for the rest of the head."""
        super().on_message_begin()
        self._expect_head()

    def on_headers_complete(self) -> None:
        """Leave the body to the application, which has limits of its own."""
        self._stop_timer()
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """After an answer that came before the body's end, wait for another request."""
        super().on_message_complete()
        if self.cycle.response_complete:
            # uvicorn sets this timer at an answer's end, which here was before the body's.
            self._close_in(self.timeout_keep_alive)

    def on_response_complete(self) -> None:
        """Wait for the rest of a body that the answer did not wait for, a little."""
        super().on_response_complete()
        if self.cycle.response_complete and self.cycle.more_body:
            self._close_in(LINGER_S)

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002 - our own words are sent
        """Answer what is no HTTP with a problem, too."""
        problem = problems.response(problems.make("bad-request", "not a request by HTTP/1.1"))
        headers = [(k.encode(), v.encode()) for k, v in HEADERS.items()]
        headers += [
            *problem.raw_headers,
            NO_STORE,
            (b"connection", b"close"),
        ]
        lines = b"".join(b"%s: %s\r\n" % header for header in headers)
        # By hand: there is no request yet that an application could answer.
        self.transport.write(STATUS_LINE[400] + lines + b"\r\n" + bytes(problem.body))
        self.transport.close()

    def _expect_head(self) -> None:
        self.head_since = self.head_since or self.loop.time()
        self._close_in(HEAD_WITHIN_S)

    def _close_in(self, seconds: float) -> None:
        self._cancel()
        self._timer = self.loop.call_later(seconds, self.timeout_keep_alive_handler)

    def _stop_timer(self) -> None:
        self._cancel()
        self.head_since, self._head_bytes = 0.0, 0

    def _cancel(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
