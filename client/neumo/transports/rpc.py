"""gRPC: calls as bytes over one channel, without generated stubs."""

from __future__ import annotations

import time
from concurrent.futures import Future
from typing import Any, TypeVar

import grpc

from neumo.core import faults
from neumo.core.calls import Call, Reply
from neumo.errors import (
    BadResponse,
    ConfigError,
    PermissionDenied,
    ServingError,
    Unavailable,
)
from neumo.transports.access import Access, Tls, content
from neumo.transports.address import Address

A = TypeVar("A")

CHANNEL_OPTIONS: tuple[tuple[str, int | str], ...] = (
    # A batch of films or heat maps passes the default of 4 MiB.
    ("grpc.max_send_message_length", -1),
    ("grpc.max_receive_message_length", -1),
    # Behind a headless Kubernetes service every pod gets its share.
    ("grpc.service_config", '{"loadBalancingConfig": [{"round_robin": {}}]}'),
    # Load balancers forget an idle connection after 350 s; servers ban pings below 300 s.
    ("grpc.keepalive_time_ms", 310_000),
    ("grpc.keepalive_permit_without_calls", 1),
    # Also TCP's user timeout: a pod that vanished without a word is given up after this.
    ("grpc.keepalive_timeout_ms", 10_000),
    # A restarted server is found again within seconds, not after gRPC's two minutes.
    ("grpc.initial_reconnect_backoff_ms", 200),
    ("grpc.max_reconnect_backoff_ms", 5_000),
    # Clients in one process do not share a connection, nor its backoff.
    ("grpc.use_local_subchannel_pool", 1),
)


class RpcTransport:
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
            raise ConfigError("the client is closed: make a new one") from None
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
            answer = self._read(call, rpc)
            future.set_result(Reply(answer, time.monotonic() - started, started - began))
        except Exception as error:  # noqa: BLE001 - a future carries every error to its waiter
            future.set_exception(error)

    def _read(self, call: Call[A], rpc: Any) -> A:  # noqa: ANN401 - grpc has no types
        if rpc.code() is not grpc.StatusCode.OK:
            raise self._fault(call.model, rpc.code().name, rpc.details() or "")
        try:
            return call.read_rpc(rpc.result())
        except ValueError as error:
            raise BadResponse(call.model, self.target, faults.brief(str(error))) from error

    def _fault(self, model: str, code: str, details: str) -> ServingError:
        kind = faults.of_grpc(code)
        if kind is Unavailable and faults.is_about_certificates(details):
            kind = PermissionDenied
        return kind(model, self.target, f"{code}: {faults.brief(details)}")


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
    if address.scheme == "unix":
        return grpc.insecure_channel(f"unix:{address.path}", options=CHANNEL_OPTIONS)
    target = f"dns:///{address.netloc}"
    if address.scheme == "grpcs":
        credentials = grpc.ssl_channel_credentials(
            content(tls.ca), content(tls.key), content(tls.certificate)
        )
        return grpc.secure_channel(target, credentials, options=CHANNEL_OPTIONS)
    return grpc.insecure_channel(target, options=CHANNEL_OPTIONS)
