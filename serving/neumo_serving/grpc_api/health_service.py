"""gRPC's health protocol: SERVING from the first answer until the server is told to stop.

Upstream: ``model_servers/server.cc``, with gRPC's ``health.proto`` and its Python package.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import grpc

from neumo_serving.protos import HealthCheckRequest, HealthCheckResponse

SERVICE = "grpc.health.v1.Health"
NAMES = ("", "ModelService", "PredictionService")


class Health:
    """The state of every service in ``NAMES``, which is one and the same."""

    def __init__(self) -> None:
        self._is_serving = True
        self._lock = threading.Lock()
        self._watchers: dict[int, tuple[str, Callable[[Any], None]]] = {}

    def add_to(self, server: Any) -> None:
        """Answer the protocol on ``server``."""
        watch = self._watch
        # So gRPC calls it without a thread that waits as long as the watcher does.
        watch.__func__.experimental_non_blocking = True  # type: ignore[attr-defined]
        handlers = {
            "Check": grpc.unary_unary_rpc_method_handler(
                self._check, HealthCheckRequest.FromString, _serialized
            ),
            "Watch": grpc.unary_stream_rpc_method_handler(
                watch, HealthCheckRequest.FromString, _serialized
            ),
        }
        server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(SERVICE, handlers),))

    def stop_serving(self) -> None:
        """NOT_SERVING from now on; whoever watches is told."""
        with self._lock:
            self._is_serving = False
            for name, send in self._watchers.values():
                send(self._state(name))

    def _check(self, request: Any, context: Any) -> Any:
        if request.service not in NAMES:
            context.abort(grpc.StatusCode.NOT_FOUND, "")
        return self._state(request.service)

    def _watch(self, request: Any, context: Any, send: Callable[[Any], None]) -> None:
        number = id(context)

        def leave() -> None:
            with self._lock:
                self._watchers.pop(number, None)
                send(None)

        with self._lock:
            self._watchers[number] = (request.service, send)
            send(self._state(request.service))
        if not context.add_callback(leave):
            leave()

    def _state(self, name: str) -> Any:
        if name not in NAMES:
            return HealthCheckResponse(status="SERVICE_UNKNOWN")
        return HealthCheckResponse(status="SERVING" if self._is_serving else "NOT_SERVING")


def _serialized(message: Any) -> bytes:
    serialized: bytes = message.SerializeToString()
    return serialized
