"""How calls reach a server: one interface, two ways, thin over ``neumo.core.calls``.

``awaited`` is the interface for asyncio, ``aio`` its own way over gRPC.
"""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import Future
from typing import Protocol, TypeVar

from neumo.core.calls import Call, Reply
from neumo.transports import access, address
from neumo.transports.access import Tls

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
    admitted = access.build(token, metadata, tls, where)
    if where.is_grpc:
        from neumo.transports.rpc import RpcTransport  # noqa: PLC0415 - grpc is slow to import

        return RpcTransport(where, admitted)
    from neumo.transports.rest import RestTransport  # noqa: PLC0415 - requests is slow to import

    return RestTransport(where, admitted)
