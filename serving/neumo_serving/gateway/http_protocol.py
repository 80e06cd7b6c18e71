"""Connections that do not wait for ever: uvicorn itself gives a client any time for its head."""

from __future__ import annotations

import asyncio
from typing import cast

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from neumo_serving.gateway import auth, problems
from neumo_serving.gateway.gateway_settings import AccessRules
from neumo_serving.gateway.middleware import HEADERS, NO_STORE

HEAD_WITHIN_S = 10.0
"""For the request line and the headers."""
LINGER_S = 5.0
"""For the rest of a body that was refused: a connection that is cut at once loses the answer."""
MAX_CONNECTIONS = 1000
"""Beyond them one is closed: see ``_spare``."""
MAX_OF_ONE = 500
"""The same, of one address that is no trusted proxy's."""
MAX_HEAD_BYTES = 64 * 1024


class Connection(HttpToolsProtocol):
    """uvicorn's protocol, with limits to the time and size of what is not a body.

    ``idle_since`` is when its last answer ended, ``head_since`` when its head began to be waited
    for, ``body_since`` when its head was complete; 0 where it is not so.
    """

    access = AccessRules()
    _timer: asyncio.TimerHandle | None = None
    idle_since = 0.0
    head_since = 0.0
    body_since = 0.0
    subscriber = ""
    _head_bytes = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Wait for a head."""
        super().connection_made(transport)
        self._expect_head()
        peer = self.client[0] if self.client else ""
        # All of a proxy's clients come from its address.
        if not auth.is_proxy(peer, self.access):
            self.subscriber = auth.subscriber(peer)
        connections = cast("set[Connection]", self.connections)
        # One that was told to give way is still among them.
        others = [one for one in connections if one is not self and not one.transport.is_closing()]
        same = [one for one in others if one.subscriber == self.subscriber]
        if self.subscriber and len(same) >= MAX_OF_ONE:
            _spare(same).transport.abort()
        elif len(others) >= MAX_CONNECTIONS:
            _spare(others).transport.abort()

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
        self.idle_since = 0.0
        self._expect_head()

    def on_headers_complete(self) -> None:
        """Leave the body to the application, which has limits of its own."""
        self._stop_timer()
        self.body_since = self.loop.time()
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """After an answer that came before the body's end, wait for another request."""
        super().on_message_complete()
        self.body_since = 0.0
        if self.cycle.response_complete:
            # uvicorn sets this timer at an answer's end, which here was before the body's.
            self._close_in(self.timeout_keep_alive)

    def on_response_complete(self) -> None:
        """Wait for the rest of a body that the answer did not wait for, a little."""
        is_asked_more = bool(self.pipeline)
        super().on_response_complete()
        self.idle_since = 0.0 if is_asked_more else self.loop.time()
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


def limited(access: AccessRules) -> type[Connection]:
    """``Connection`` for a gateway whose trusted proxies are those of ``access``."""
    return type("Connection", (Connection,), {"access": access})


def _spare(connections: list[Connection]) -> Connection:
    """The one that gives way to a newcomer, which never does.

    The one that has been idle, or kept its head back, for longest; else that whose body has taken
    longest; where all are being answered, any of them.
    """
    # One that was answered a moment ago stays: a client that works is idle between its requests.
    silent = [one for one in connections if one.idle_since or one.head_since]
    if silent:
        return min(silent, key=lambda one: one.idle_since or one.head_since)
    sending = [one for one in connections if one.body_since]
    return min(sending, key=lambda one: one.body_since) if sending else connections[0]
