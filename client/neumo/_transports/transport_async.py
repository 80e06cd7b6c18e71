"""How calls reach a server under asyncio."""

from __future__ import annotations

import asyncio
from typing import Protocol, TypeVar

from neumo._transports.transport import Transport, one_server
from neumo._wire.calls import Call, Reply

A = TypeVar("A")


class AsyncTransport(Protocol):
    """As ``Transport``, with futures of the running event loop."""

    target: str
    """The server's URL, for messages."""

    def start(self, call: Call[A], timeout_s: float) -> asyncio.Future[Reply[A]]:
        """Send ``call`` without waiting, as ``Transport.start``."""

    async def close(self) -> None:
        """Release the connections; calls under way end."""


class OnThreads:
    """``inner``, whose threads hand their answers to the event loop."""

    def __init__(self, inner: Transport) -> None:
        self.target = inner.target
        self._inner = inner

    def one_server(self) -> OnThreads:
        """That of ``inner``, where it has one."""
        return OnThreads(one_server(self._inner))

    def start(self, call: Call[A], timeout_s: float) -> asyncio.Future[Reply[A]]:
        """Send ``call`` by ``inner``."""
        return asyncio.wrap_future(self._inner.start(call, timeout_s))

    async def close(self) -> None:
        """Close ``inner``."""
        await asyncio.to_thread(self._inner.close)
