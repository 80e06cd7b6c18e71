"""The gRPC port: the services on one server."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import grpc
from grpc_health.v1 import health_pb2_grpc
from grpc_health.v1.health import HealthServicer
from grpc_health.v1.health_pb2 import HealthCheckResponse
from tensorflow_serving.apis import model_service_pb2_grpc, prediction_service_pb2_grpc

from neumo.errors import ConfigError
from neumo_serving.engine.door import Door
from neumo_serving.engine.model_manager import Models
from neumo_serving.grpc_api.call_quota import CallQuota
from neumo_serving.grpc_api.model_service import ModelService
from neumo_serving.grpc_api.prediction_service import PredictionService
from neumo_serving.grpc_api.request_parsing import Registry

HOST = "0.0.0.0"  # noqa: S104 - TensorFlow Serving listens on every interface too
REFUSING_THREADS = 8
"""Beside those of the quota: for refusals, which take no time, and for health."""
MAX_WAITING = 4096
"""Requests that wait to be refused; beyond them gRPC does it without a thread."""

HEALTHY_NAMES = ("", "ModelService", "PredictionService")
"""Upstream leaves the package out of the services' names (``model_servers/server.cc``)."""

Argument = tuple[str, int | str]

_ARGUMENTS: tuple[Argument, ...] = (
    # gRPC's own limit is 4 MiB; upstream takes what protobuf can hold, 2 GiB.
    ("grpc.max_receive_message_length", -1),
    ("grpc.max_send_message_length", -1),
    # Two servers on one port would share its requests at random.
    ("grpc.so_reuseport", 0),
)


@dataclass(frozen=True, slots=True)
class RpcOptions:
    """How gRPC is served, by ``tensorflow_model_server``'s flags.

    ``threads`` are the quota of calls under way. ``credentials`` are grpc's, None for plain text;
    ``interceptors`` are grpc's, too.
    """

    port: int
    socket_path: str
    threads: int
    arguments: tuple[Argument, ...] = ()
    credentials: Any = None
    interceptors: Sequence[Any] = ()
    answers_health: bool = False
    as_content: bool = False
    allow_unavailable_labels: bool = False


@dataclass(frozen=True, slots=True)
class Rpc:
    """The server and the health that it tells."""

    server: Any
    health: Any

    def stop(self, grace_s: float) -> Any:
        """Tell that it ends and accept no more; the event is set when all is answered."""
        # Before the port closes: who balances load must hear of it on an open connection.
        self.health.enter_graceful_shutdown()
        return self.server.stop(grace_s)


def make(models: Models, door: Door, options: RpcOptions) -> Rpc:
    """A gRPC server bound to its addresses, not started; ``ConfigError`` where one is taken."""
    made = grpc.server(
        ThreadPoolExecutor(options.threads + REFUSING_THREADS, "grpc"),
        # The quota first: a call that a fault makes slow is under way, too.
        interceptors=(CallQuota(options.threads), *options.interceptors),
        # Ours first: of two equal keys gRPC takes the earlier (measured with 1.85).
        options=_ARGUMENTS + options.arguments,
        # Bounded: gRPC's Python server queues without end, with each request in memory.
        maximum_concurrent_rpcs=options.threads + MAX_WAITING,
    )
    registry = Registry(made)
    prediction_service_pb2_grpc.add_PredictionServiceServicer_to_server(
        PredictionService(models, door, options.as_content), registry
    )
    model_service_pb2_grpc.add_ModelServiceServicer_to_server(
        ModelService(models, options.allow_unavailable_labels), registry
    )
    # Made in any case, so that stopping need not ask whether it is served.
    health = _health()
    if options.answers_health:
        health_pb2_grpc.add_HealthServicer_to_server(health, registry)
    _bind(made, options)
    return Rpc(made, health)


def _health() -> Any:
    """SERVING from the first answer until the server is told to stop."""
    health = HealthServicer()
    for name in HEALTHY_NAMES:
        health.set(name, HealthCheckResponse.SERVING)
    return health


def _bind(server: Any, options: RpcOptions) -> None:
    try:
        if options.port:
            _add(server, f"{HOST}:{options.port}", options.credentials)
    except RuntimeError as error:
        raise port_taken(options.port) from error
    try:
        if options.socket_path:
            _add(server, f"unix:{options.socket_path}", options.credentials)
    except RuntimeError as error:
        raise ConfigError(
            f"--grpc_socket_path={options.socket_path} cannot be listened on: give a path of at "
            "most 107 bytes in a folder that can be written to"
        ) from error


def _add(server: Any, address: str, credentials: Any) -> None:
    if credentials is None:
        server.add_insecure_port(address)
    else:
        server.add_secure_port(address, credentials)


def port_taken(port: int) -> ConfigError:
    """What is said of a gRPC port that another program has."""
    return ConfigError(f"port {port} is taken: stop what listens there, or give another --port")
