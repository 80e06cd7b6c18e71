"""gRPC for asyncio: calls as bytes over channels of the event loop's own."""

from __future__ import annotations

import asyncio
import os
import time
import weakref
from functools import partial
from typing import Any, TypeAlias, TypeVar

from neumo._transports import grpc_transport
from neumo._transports.address import Address
from neumo._transports.credentials import Access
from neumo._transports.grpc_transport import GrpcTransport, Lane, Lanes, Opening
from neumo._transports.transport_async import AsyncTransport, OnThreads
from neumo._wire.calls import Call, Reply
from neumo.errors import CLIENT_CLOSED, ConfigError

import grpc.aio  # isort: skip - after grpc_channels, which says what it is to do at a fork

A = TypeVar("A")
_Loops: TypeAlias = dict[asyncio.AbstractEventLoop, Lanes]


class AsyncGrpcTransport:
    """A few channels to one name for each event loop that asks. Calls fail fast, as over ``rpc``.

    A prediction takes about two thirds of the CPU time that it takes where ``GrpcTransport``'s
    thread hands the answers to the event loop. Where loops of several threads ask at the same
    time, old versions of gRPC (1.60; not 1.85) log a ``BlockingIOError`` that means nothing.

    In a forked child the channels are made anew. Where the parent had used gRPC's asyncio, that
    may end the child (an assertion of its core): ``GrpcTransport``'s threads carry the calls.
    """

    def __init__(self, address: Address, admitted: Access, connections: int | None = None) -> None:
        self.target = str(address)
        self._opened = Opening(address, admitted, connections)
        self._on_threads: AsyncTransport = OnThreads(GrpcTransport(address, admitted, connections))
        # By process, and never taken out: to free a parent's channel is to use it.
        self._loops_of: dict[int, _Loops] = {}
        self._is_closed = False
        _TRANSPORTS.add(self)

    def one_server(self) -> AsyncTransport:
        """The way to one server, for all calls of a film."""
        if _is_lost_here:
            return self._on_threads.one_server()  # type: ignore[attr-defined, no-any-return]
        loop = asyncio.get_running_loop()
        loops = self._loops_of.setdefault(os.getpid(), {})
        return _OneServer(self._opened, (loops.get(loop) or self._lanes(loops, loop)).choose())

    def start(self, call: Call[A], timeout_s: float) -> asyncio.Future[Reply[A]]:
        """Send ``call``; the future gives its reply, or raises a ``ServingError``."""
        return self.one_server().start(call, timeout_s)

    async def close(self) -> None:
        """End every call and close the connections."""
        self._is_closed = True
        if _is_lost_here:
            await self._on_threads.close()
        here = asyncio.get_running_loop()
        loops = self._loops_of.get(os.getpid(), {})
        while loops:
            loop, lanes = loops.popitem()
            for lane in lanes.close():
                if loop is here:
                    await lane.channel.close()
                elif loop.is_running():
                    asyncio.run_coroutine_threadsafe(lane.channel.close(), loop)

    def leave_ended_loops(self) -> None:
        """Close the channels of event loops that do not run."""
        loops = self._loops_of.get(os.getpid(), {})
        for loop in tuple(loops):
            if not loop.is_running():
                loops.pop(loop, None)

    def _lanes(self, loops: _Loops, loop: asyncio.AbstractEventLoop) -> Lanes:
        """The lanes of ``loop``, opened on it, as gRPC wants it."""
        if self._is_closed:
            raise ConfigError(CLIENT_CLOSED)
        for other in tuple(loops):
            if other.is_closed():
                loops.pop(other, None)
        lanes = loops[loop] = Lanes(self._opened, self._open, partial(_close_on, loop))
        return lanes

    def _open(self) -> Any:  # noqa: ANN401 - grpc has no types
        global _was_used  # noqa: PLW0603 - it is the process's state
        _was_used = True
        opened = self._opened
        if opened.is_plain:
            return grpc.aio.insecure_channel(opened.name, options=opened.options)
        return grpc.aio.secure_channel(opened.name, opened.credentials(), options=opened.options)


class _OneServer:
    """As ``grpc_transport.OneServer``."""

    def __init__(self, opened: Opening, lane: Lane) -> None:
        self.target = opened.target
        self._opened = opened
        self._lane = lane

    def start(self, call: Call[A], timeout_s: float) -> asyncio.Future[Reply[A]]:
        metadata = grpc.aio.Metadata(*self._opened.metadata())
        task = asyncio.get_running_loop().create_task(self._reply(call, timeout_s, metadata))
        self._lane.under_way.add(task)
        task.add_done_callback(self._lane.under_way.discard)
        return task

    async def close(self) -> None:
        """Nothing: the connections are the transport's."""

    async def _reply(self, call: Call[A], timeout_s: float, metadata: Any) -> Reply[A]:  # noqa: ANN401
        began = time.monotonic()
        body = call.rpc_body()
        started = time.monotonic()
        try:
            send = self._lane.method(call.rpc_method)
            data = await send(body, timeout=timeout_s, metadata=metadata)
        except grpc.aio.AioRpcError as error:
            code, details = error.code().name, error.details() or ""
            trailing, way = error.trailing_metadata(), self._opened.by_way_of
            raise grpc_transport.fault(
                call.model, self.target, code, details, trailing, way
            ) from None
        except grpc.aio.UsageError:  # closed since the call was started
            raise ConfigError(CLIENT_CLOSED) from None
        answer = grpc_transport.answer(call, data, self.target)
        return Reply(answer, time.monotonic() - started, started - began)


def _close_on(loop: asyncio.AbstractEventLoop, channel: Any) -> None:  # noqa: ANN401 - no types
    """Close a channel that nobody uses; one whose loop has ended closes by being freed."""
    if loop.is_running():
        asyncio.run_coroutine_threadsafe(channel.close(), loop)


_TRANSPORTS: weakref.WeakSet[AsyncGrpcTransport] = weakref.WeakSet()
_was_used = False
"""Whether a channel of gRPC's asyncio was ever opened in this process, or one that it came from."""
_is_lost_here = False
"""Whether this process was forked off one that had used gRPC's asyncio."""


def _before_fork() -> None:
    """GRPC prepares no fork while its asyncio polls, which it does as long as a channel is open."""
    for transport in tuple(_TRANSPORTS):
        transport.leave_ended_loops()


def _in_child() -> None:
    global _is_lost_here  # noqa: PLW0603 - it is the process's state
    _is_lost_here = _was_used


os.register_at_fork(before=_before_fork, after_in_child=_in_child)
