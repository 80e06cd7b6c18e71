"""``--grpc_max_threads``: how many calls are under way at once, those in a batch's queue included.

Upstream's server is synchronous, and its flag a quota of threads: each call under way holds one,
and one always waits for the next call, so that a quota of 16 is 15 calls (measured with a server of
gRPC 1.51 in C++: 1, 3 and 7 calls of quotas 2, 4 and 8, and none of 1). More are refused at once.

Upstream: ``model_servers/server.cc``, with gRPC's ``cpp/thread_manager/thread_manager.cc``.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import grpc

REFUSAL = "Server Threadpool Exhausted"
"""gRPC's words."""
FREE = ("/grpc.health.",)
"""gRPC's own health service needs no thread of the quota."""


class CallQuota(grpc.ServerInterceptor):  # type: ignore[misc] # no types
    """Refuses calls beyond the quota of so many ``threads``."""

    def __init__(self, threads: int) -> None:
        self._most = threads - 1
        self._lock = threading.Lock()
        self._under_way = 0

    def intercept_service(self, continuation: Any, details: Any) -> Any:
        """The service's handler, counted."""
        handler = continuation(details)
        if handler is None or details.method.startswith(FREE):
            return handler
        return grpc.unary_unary_rpc_method_handler(
            self._counted(handler.unary_unary),
            request_deserializer=handler.request_deserializer,
            response_serializer=handler.response_serializer,
        )

    def _counted(self, answer: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
        def counted(request: Any, context: Any) -> Any:
            if not self._enter():
                context.abort(grpc.StatusCode.RESOURCE_EXHAUSTED, REFUSAL)
            try:
                return answer(request, context)
            finally:
                self._leave()

        return counted

    def _enter(self) -> bool:
        with self._lock:
            if self._under_way >= self._most:
                return False
            self._under_way += 1
            return True

    def _leave(self) -> None:
        with self._lock:
            self._under_way -= 1
