"""gRPC for asyncio: calls as bytes over a channel of the event loop's own."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field
from typing import Any, TypeVar

import grpc

from neumo._transports import grpc_channels, grpc_transport
from neumo._transports.address import Address
from neumo._transports.credentials import Access
from neumo._transports.grpc_channels import CHANNEL_OPTIONS
from neumo._wire.calls import Call, Reply
from neumo.errors import CLIENT_CLOSED, ConfigError

A = TypeVar("A")


class AsyncGrpcTransport:
    """A channel to one address for each event loop that asks. Calls fail fast, as over ``rpc``.

    A prediction takes about two thirds of the CPU time that it takes where ``rpc``'s thread hands
    the answers to the event loop. Where loops of several threads ask at the same time, old
    versions of gRPC (1.60; not 1.85) log a ``BlockingIOError`` that means nothing.
    """

    def __init__(self, address: Address, admitted: Access) -> None:
        self.target = str(address)
        self._name = grpc_channels.name(address)
        self._credentials = grpc_channels.credentials(address, admitted.tls)
        self._metadata = grpc.aio.Metadata(*admitted.headers)
        self._channels: dict[asyncio.AbstractEventLoop, _Channel] = {}
        self._is_closed = False

    def start(self, call: Call[A], timeout_s: float) -> asyncio.Future[Reply[A]]:
        """Send ``call``; the future gives its reply, or raises a ``ServingError``."""
        loop = asyncio.get_running_loop()
        channel = self._channels.get(loop) or self._open(loop)
        return loop.create_task(self._reply(channel, call, timeout_s))

    async def close(self) -> None:
        """End every call and close the connections."""
        self._is_closed = True
        here = asyncio.get_running_loop()
        while self._channels:
            loop, channel = self._channels.popitem()
            if loop is here:
                await channel.grpc.close()
            elif loop.is_running():
                asyncio.run_coroutine_threadsafe(channel.grpc.close(), loop)

    def _open(self, loop: asyncio.AbstractEventLoop) -> _Channel:
        """A channel for ``loop``, made on it, as gRPC wants it."""
        if self._is_closed:
            raise ConfigError(CLIENT_CLOSED)
        for other in tuple(self._channels):
            if other.is_closed():
                self._channels.pop(other, None)
        made = (
            grpc.aio.insecure_channel(self._name, options=CHANNEL_OPTIONS)
            if self._credentials is None
            else grpc.aio.secure_channel(self._name, self._credentials, options=CHANNEL_OPTIONS)
        )
        channel = self._channels[loop] = _Channel(made)
        return channel

    async def _reply(self, channel: _Channel, call: Call[A], timeout_s: float) -> Reply[A]:
        began = time.monotonic()
        body = call.rpc_body()
        started = time.monotonic()
        send = channel.method(call.rpc_method)
        try:
            data = await send(body, timeout=timeout_s, metadata=self._metadata)
        except grpc.aio.AioRpcError as error:
            code, details = error.code().name, error.details() or ""
            trailing = error.trailing_metadata()
            raise grpc_transport.fault(call.model, self.target, code, details, trailing) from None
        except grpc.aio.UsageError:  # closed since the call was started
            raise ConfigError(CLIENT_CLOSED) from None
        answer = grpc_transport.answer(call, data, self.target)
        return Reply(answer, time.monotonic() - started, started - began)


@dataclass(frozen=True, slots=True, eq=False)
class _Channel:
    grpc: Any
    methods: dict[str, Any] = field(default_factory=dict)

    def method(self, path: str) -> Any:  # noqa: ANN401 - grpc has no types
        """What calls ``path``."""
        method = self.methods.get(path)
        if method is None:
            method = self.methods[path] = self.grpc.unary_unary(path)
        return method
