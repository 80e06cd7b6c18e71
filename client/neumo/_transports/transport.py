"""The interface that carries calls to a server, and the way to it that a URL names."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import Future
from typing import Protocol, TypeVar

from neumo._transports import address, credentials
from neumo._wire.calls import Call, Reply
from neumo.settings import Tls

A = TypeVar("A")


class Transport(Protocol):
    """Carries calls to one server, several at a time, from any thread."""

    target: str
    """The server's URL, for messages."""

    def start(self, call: Call[A], timeout_s: float) -> Future[Reply[A]]:
        """Send ``call`` without waiting.

        The future gives the reply, or raises a ``ServingError``, within ``timeout_s`` seconds;
        cancelling it gives the call up.
        """

    def close(self) -> None:
        """Release the connections; calls under way end."""


def connect(
    url: str,
    *,
    token: str | None = None,
    metadata: Mapping[str, str] | None = None,
    tls: Tls | None = None,
) -> Transport:
    """The transport for ``url``, with what ``access.build`` makes of the rest.

    Raises ``ConfigError`` for what cannot be used. No connection is made before the first call.
    """
    where = address.parse(url)
    admitted = credentials.build(token, metadata, tls, where)
    if where.is_grpc:
        from neumo._transports.grpc_transport import GrpcTransport  # noqa: PLC0415 - grpc is slow to import

        return GrpcTransport(where, admitted)
    from neumo._transports.rest_transport import RestTransport  # noqa: PLC0415 - requests is slow to import

    return RestTransport(where, admitted)
