"""The interface that carries calls to a server, and the way to it that a URL names."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import Future
from typing import Protocol, TypeVar

from neumo._transports import address, credentials
from neumo._wire.calls import Call, Reply
from neumo.settings import Tls, Token

A = TypeVar("A")
T = TypeVar("T")


class Transport(Protocol):
    """Carries calls to a server, several at a time, from any thread.

    One that may reach several servers has a method ``one_server() -> Transport`` beside these: the
    way to one of them, for all calls of a film (see ``one_server``).
    """

    target: str
    """The server's URL, for messages."""

    def start(self, call: Call[A], timeout_s: float) -> Future[Reply[A]]:
        """Send ``call`` without waiting.

        The future gives the reply, or raises a ``ServingError``, within ``timeout_s`` seconds;
        cancelling it gives the call up.
        """

    def close(self) -> None:
        """Release the connections; calls under way end."""


def one_server(transport: T) -> T:
    """The way of ``transport`` to one server, chosen anew; itself where it knows but one."""
    choose: Callable[[], T] | None = getattr(transport, "one_server", None)
    return transport if choose is None else choose()


def connect(
    url: str,
    *,
    token: Token | None = None,
    metadata: Mapping[str, str] | None = None,
    tls: Tls | None = None,
    connections: int | None = None,
) -> Transport:
    """The transport for ``url``, with what ``credentials.build`` makes of the rest.

    ``connections`` bounds the servers behind one name that gRPC is connected to at a time. Raises
    ``ConfigError`` for what cannot be used. No connection is made before the first call.
    """
    where = address.parse(url)
    admitted = credentials.build(token, metadata, tls, where)
    if where.is_grpc:
        from neumo._transports.grpc_transport import GrpcTransport  # noqa: PLC0415 - grpc is slow to import

        return GrpcTransport(where, admitted, connections)
    from neumo._transports.rest_transport import RestTransport  # noqa: PLC0415 - requests is slow to import

    return RestTransport(where, admitted)
