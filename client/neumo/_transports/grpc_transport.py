"""gRPC: calls as bytes over one channel, without generated stubs; and what a call came to."""

from __future__ import annotations

import time
from collections.abc import Iterable
from concurrent.futures import Future
from typing import Any, TypeVar

import grpc

from neumo._transports import grpc_channels, status_codes
from neumo._transports.address import Address
from neumo._transports.credentials import Access
from neumo._transports.grpc_channels import CHANNEL_OPTIONS
from neumo._wire.calls import Call, Reply
from neumo.errors import (
    CLIENT_CLOSED,
    BadResponse,
    ConfigError,
    PermissionDenied,
    ServingError,
    Unavailable,
)
from neumo.settings import Tls

A = TypeVar("A")


class GrpcTransport:
    """A channel to one address; thread-safe. Calls fail fast where no server listens."""

    def __init__(self, address: Address, admitted: Access) -> None:
        self.target = str(address)
        self._channel: Any = _channel(address, admitted.tls)
        self._metadata = admitted.headers
        self._methods: dict[str, Any] = {}

    def start(self, call: Call[A], timeout_s: float) -> Future[Reply[A]]:
        """Send ``call``; the future gives its reply, or raises a ``ServingError``."""
        method = self._method(call.rpc_method)
        began = time.monotonic()
        body = call.rpc_body()
        started = time.monotonic()
        try:
            rpc = method.future(body, timeout=timeout_s, metadata=self._metadata)
        except ValueError:
            raise ConfigError(CLIENT_CLOSED) from None
        future = _RpcFuture[A](rpc)
        rpc.add_done_callback(lambda done: self._finish(future, call, done, (began, started)))
        return future

    def close(self) -> None:
        """End every call and close the connections."""
        self._channel.close()

    def _method(self, path: str) -> Any:  # noqa: ANN401 - grpc has no types
        """What calls ``path``: made once, since making it takes as long as calling it."""
        method = self._methods.get(path)
        if method is None:
            method = self._methods[path] = self._channel.unary_unary(path)
        return method

    def _finish(
        self,
        future: _RpcFuture[A],
        call: Call[A],
        rpc: Any,  # noqa: ANN401 - grpc has no types
        times: tuple[float, float],
    ) -> None:
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
            raise fault(call.model, self.target, code.name, details, trailing)
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


def _channel(address: Address, tls: Tls) -> Any:  # noqa: ANN401 - grpc has no types
    name, credentials = grpc_channels.name(address), grpc_channels.credentials(address, tls)
    if credentials is None:
        return grpc.insecure_channel(name, options=CHANNEL_OPTIONS)
    return grpc.secure_channel(name, credentials, options=CHANNEL_OPTIONS)


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
) -> ServingError:
    """The error of a call that ended with the gRPC code called ``code``.

    ``trailing`` is the metadata after it, in which a server may ask to be left alone for a while.
    """
    kind = status_codes.of_grpc(code)
    detail = f"{code}: {status_codes.brief(details)}"
    if kind is not Unavailable:
        return kind(model, target, detail)
    if status_codes.is_about_certificates(details):
        return PermissionDenied(model, target, detail)
    asked = dict(trailing or ()).get(_PUSHBACK)
    return Unavailable(
        model,
        target,
        detail,
        retry_after_seconds=status_codes.pushback_seconds(None if asked is None else str(asked)),
        is_out_of_reach=status_codes.is_out_of_reach(details),
    )


_PUSHBACK = "grpc-retry-pushback-ms"
