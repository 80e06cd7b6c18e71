"""A gRPC server that one function is, for tests of what a client makes of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import grpc


@contextmanager
def grpc_server(
    answer: Callable[[bytes, grpc.ServicerContext], bytes], address: str = "127.0.0.1:0"
) -> Iterator[str]:
    """A gRPC server whose every method is ``answer(request, context)``; its URL."""

    class Handler(grpc.GenericRpcHandler):
        def service(self, details: grpc.HandlerCallDetails) -> grpc.RpcMethodHandler:
            return grpc.unary_unary_rpc_method_handler(answer)

    server = grpc.server(ThreadPoolExecutor(4), handlers=(Handler(),))
    port = server.add_insecure_port(address)
    server.start()
    try:
        yield f"grpc://127.0.0.1:{port}"
    finally:
        server.stop(None).wait()
