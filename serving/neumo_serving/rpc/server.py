"""The gRPC port: the services on one server."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import grpc
from tensorflow_serving.apis import model_service_pb2_grpc, prediction_service_pb2_grpc

from neumo.errors import ConfigError
from neumo_serving.engine.lifecycle import Models
from neumo_serving.rpc.models import ModelService
from neumo_serving.rpc.prediction import PredictionService

_OPTIONS = (
    ("grpc.max_receive_message_length", -1),
    ("grpc.max_send_message_length", -1),
    # Two servers on one port would share its requests at random.
    ("grpc.so_reuseport", 0),
)


def make(models: Models, address: str, threads: int, as_content: bool) -> Any:
    """A gRPC server bound to ``address``, not started; ``ConfigError`` where it is taken."""
    made = grpc.server(ThreadPoolExecutor(threads, "grpc"), options=_OPTIONS)
    prediction_service_pb2_grpc.add_PredictionServiceServicer_to_server(
        PredictionService(models, as_content), made
    )
    model_service_pb2_grpc.add_ModelServiceServicer_to_server(ModelService(models), made)
    try:
        made.add_insecure_port(address)
    except RuntimeError as error:
        raise port_taken(int(address.rpartition(":")[2])) from error
    return made


def port_taken(port: int) -> ConfigError:
    """What is said of a gRPC port that another program has."""
    return ConfigError(f"port {port} is taken: stop what listens there, or give another --port")
