"""gRPC: calls as bytes over a few channels, without generated stubs; and what a call came to."""

from __future__ import annotations

import os
import random
import threading
import time
import weakref
from collections.abc import Callable, Iterable
from concurrent.futures import Future
from functools import partial
from typing import Any, TypeVar

from neumo._transports import credentials, grpc_channels, proxies, status_codes
from neumo._transports.address import Address
from neumo._transports.credentials import Access
from neumo._transports.grpc_channels import AT_CALL, UNDER_WAY
from neumo._wire.calls import Call, Reply
from neumo.errors import (
    CLIENT_CLOSED,
    BadResponse,
    ConfigError,
    PermissionDenied,
    ServingError,
    Unavailable,
)

import grpc  # isort: skip - after grpc_channels, which says what it is to do at a fork

A = TypeVar("A")

CONNECTIONS = 8
"""Channels to one name, each to a server of its own choice: with three pods one of them is left out
by one client in nine, and the next choice mends that; a hundred clients hold 800 connections."""

KEPT_S = 300.0
"""A channel is made anew after about so long, so that pods that were added get their share."""


class GrpcTransport:
    """A few channels to one name; thread-safe. Calls fail fast where no server listens.

    All calls of a film go over one of them (``one_server``), chosen anew for each film. In a
    forked child the channels are made anew: gRPC's cannot be used there.
    """

    def __init__(self, address: Address, admitted: Access, connections: int | None = None) -> None:
        self.target = str(address)
        self._opened = Opening(address, admitted, connections)
        # By process, and never taken out: to free a parent's channel is to use it.
        self._lanes_of: dict[int, Lanes] = {}
        self._is_closed = False

    def one_server(self) -> OneServer:
        """The way to one server, for all calls of a film."""
        return OneServer(self._opened, self._lanes().choose())

    def start(self, call: Call[A], timeout_s: float) -> Future[Reply[A]]:
        """Send ``call``; the future gives its reply, or raises a ``ServingError``."""
        return self.one_server().start(call, timeout_s)

    def close(self) -> None:
        """End every call and close the connections."""
        self._is_closed = True
        if lanes := self._lanes_of.get(os.getpid()):
            for lane in lanes.close():
                lane.channel.close()

    def _lanes(self) -> Lanes:
        lanes = self._lanes_of.get(os.getpid())
        if lanes is None:
            made = Lanes(self._opened, self._open, _close)
            lanes = self._lanes_of.setdefault(os.getpid(), made)
        if self._is_closed:
            raise ConfigError(CLIENT_CLOSED)
        return lanes

    def _open(self) -> Any:  # noqa: ANN401 - grpc has no types
        opened = self._opened
        with AT_CALL:
            if opened.is_plain:
                return grpc.insecure_channel(opened.name, opened.options)
            return grpc.secure_channel(opened.name, opened.credentials(), opened.options)


class Opening:
    """What a channel to ``address`` is made of, and what its calls carry."""

    def __init__(self, address: Address, admitted: Access, connections: int | None) -> None:
        proxy = proxies.proxy_for(address)
        self.target = str(address)
        self.name = grpc_channels.name(address)
        self.options = grpc_channels.options(admitted, proxy)
        self.is_plain = address.scheme in ("grpc", "unix")
        self.by_way_of = "" if proxy is None else f" (by way of the proxy {proxy.name})"
        # One server stands on this machine; and which one a mesh chooses is the mesh's.
        only_one = address.is_own_machine or address.scheme == "xds"
        self.connections = connections or (1 if only_one else CONNECTIONS)
        self._address, self._tls = address, admitted.tls
        self._admitted = Access(grpc_channels.headers(admitted), admitted.tls, admitted.token)
        self._is_bare = admitted.token is None and not self._admitted.headers
        self.credentials()  # what cannot be used is told where the client is made

    def metadata(self) -> credentials.Headers:
        """The headers of a call that begins now; raises as ``Access.headers_now``."""
        if self._is_bare and not credentials.headers_of_this_call.get(()):
            return credentials.headers_of_this_request.get(())
        return self._admitted.headers_now()

    def credentials(self) -> Any:  # noqa: ANN401 - grpc has no types
        """As they are in their files now; None where there is no TLS."""
        return grpc_channels.channel_credentials(self._address, self._tls)

    def stamp(self) -> object:
        """Another one once the files of the credentials were replaced."""
        return None if self._tls is None else credentials.stamp(self._tls)


class Lane:
    """One channel, which keeps to one server, and the calls that are under way on it.

    Its channel is closed when nobody uses the lane any more.
    """

    def __init__(self, channel: Any, stamp: object) -> None:  # noqa: ANN401 - grpc has no types
        self.channel = channel
        self.stamp = stamp
        # At random, so that the lanes of a client do not all connect at once.
        self.until = time.monotonic() + KEPT_S * random.uniform(0.5, 1.5)  # noqa: S311 - no secret
        self.under_way: set[object] = set()
        self._methods: dict[str, Any] = {}

    def method(self, path: str) -> Any:  # noqa: ANN401 - grpc has no types
        """What calls ``path``: made once, since making it takes as long as calling it."""
        method = self._methods.get(path)
        if method is None:
            method = self._methods[path] = self.channel.unary_unary(path)
        return method


class Lanes:
    """The lanes of one process (and event loop), each opened when it is first chosen."""

    def __init__(
        self, opened: Opening, open_one: Callable[[], Any], close_one: Callable[[Any], None]
    ) -> None:
        self._opened = opened
        self._open_one, self._close_one = open_one, close_one
        self._lanes: list[Lane | None] = [None] * opened.connections
        self._ever: weakref.WeakSet[Lane] = weakref.WeakSet()
        self._lock = threading.Lock()

    def choose(self) -> Lane:
        """Of two lanes at random the one with less to do ("the power of two choices")."""
        one, other = (random.randrange(len(self._lanes)) for _ in range(2))  # noqa: S311 - no secret
        place = min(one, other, key=self._load)
        stamp = self._opened.stamp()
        with self._lock:
            lane = self._lanes[place]
            if lane is not None and lane.stamp == stamp and time.monotonic() < lane.until:
                return lane
            try:
                channel = self._open_one()
            except ConfigError:  # its certificates are just being replaced
                if lane is None:
                    raise
                return lane
            self._lanes[place] = lane = Lane(channel, stamp)
            self._ever.add(lane)
            weakref.finalize(lane, _in_process(self._close_one), channel).atexit = False
            return lane

    def close(self) -> tuple[Lane, ...]:
        """All that are in use: no more are chosen."""
        self._lanes = []
        return tuple(self._ever)

    def _load(self, place: int) -> int:
        lane = self._lanes[place]
        return 0 if lane is None else len(lane.under_way)


class OneServer:
    """The way to one server, for as long as it is there: a ``Transport`` for one film's calls."""

    def __init__(self, opened: Opening, lane: Lane) -> None:
        self.target = opened.target
        self._opened = opened
        self._lane = lane

    def start(self, call: Call[A], timeout_s: float) -> Future[Reply[A]]:
        """Send ``call``; the future gives its reply, or raises a ``ServingError``."""
        began = time.monotonic()
        body = call.rpc_body()
        metadata = self._opened.metadata()
        started = time.monotonic()
        try:
            with AT_CALL:
                method = self._lane.method(call.rpc_method)
                rpc = method.future(body, timeout=timeout_s, metadata=metadata)
                UNDER_WAY.add(rpc)
        except ValueError:
            raise ConfigError(CLIENT_CLOSED) from None
        future = _RpcFuture[A](rpc)
        self._lane.under_way.add(future)
        rpc.add_done_callback(lambda done: self._finish(future, call, done, (began, started)))
        return future

    def close(self) -> None:
        """Nothing: the connections are the transport's."""

    def _finish(
        self,
        future: _RpcFuture[A],
        call: Call[A],
        rpc: Any,  # noqa: ANN401 - grpc has no types
        times: tuple[float, float],
    ) -> None:
        self._lane.under_way.discard(future)
        UNDER_WAY.discard(rpc)
        if not future.set_running_or_notify_cancel():
            return
        began, started = times
        try:
            read = self._read(call, rpc)
            future.set_result(Reply(read, time.monotonic() - started, started - began))
        except Exception as error:  # noqa: BLE001 - a future carries every error to its waiter
            future.set_exception(error)

    def _read(self, call: Call[A], rpc: Any) -> A:  # noqa: ANN401 - grpc has no types
        code = rpc.code()
        if code is not grpc.StatusCode.OK:
            details, trailing = rpc.details() or "", rpc.trailing_metadata()
            way = self._opened.by_way_of
            raise fault(call.model, self.target, code.name, details, trailing, way)
        return answer(call, rpc.result(), self.target)


class _RpcFuture(Future[Reply[A]]):
    """A future whose cancellation ends the call on the wire."""

    def __init__(self, rpc: Any) -> None:  # noqa: ANN401 - grpc has no types
        super().__init__()
        self._rpc = rpc

    def cancel(self) -> bool:
        """Give the call up, unless it is done."""
        cancelled = super().cancel()
        if cancelled:
            self._rpc.cancel()
        return cancelled


def _close(channel: Any) -> None:  # noqa: ANN401 - grpc has no types
    channel.close()


def _in_process(close: Callable[[Any], None]) -> Callable[[Any], None]:
    """``close`` in this process only: in a forked child the channel is the parent's."""
    return partial(_close_in, os.getpid(), close)


def _close_in(process: int, close: Callable[[Any], None], channel: Any) -> None:  # noqa: ANN401
    if os.getpid() == process:
        close(channel)


def answer(call: Call[A], data: bytes, target: str) -> A:
    """The answer to ``call`` in ``data``; raises ``BadResponse`` where there is none."""
    try:
        return call.read_rpc(data)
    except ValueError as error:
        raise BadResponse(call.model, target, status_codes.brief(str(error))) from error


def fault(
    model: str,
    target: str,
    code: str,
    details: str,
    trailing: Iterable[tuple[str, str | bytes]] | None = None,
    by_way_of: str = "",
) -> ServingError:
    """The error of a call that ended with the gRPC code called ``code``.

    ``trailing`` is the metadata after it, in which a server may ask to be left alone for a while;
    ``by_way_of`` names a proxy that carried the call.
    """
    kind = status_codes.of_grpc(code)
    detail = f"{code}: {status_codes.brief(details)}{by_way_of}"
    if kind is not Unavailable:
        return kind(model, target, detail)
    hint = status_codes.misdirected(details)
    if hint is not None:
        return BadResponse(model, target, f"{code}: {hint}{by_way_of}")
    if status_codes.is_about_certificates(details):
        return PermissionDenied(model, target, detail)
    # Pair by pair: dict() takes what gRPC 1.60's asyncio gives for a mapping, which it is not.
    asked = {key: value for key, value in trailing or ()}.get(_PUSHBACK)  # noqa: C416
    return Unavailable(
        model,
        target,
        detail,
        retry_after_seconds=status_codes.pushback_seconds(None if asked is None else str(asked)),
        is_out_of_reach=status_codes.is_out_of_reach(details),
    )


_PUSHBACK = "grpc-retry-pushback-ms"
