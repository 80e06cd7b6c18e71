"""The servers that are judged: one at an address that is given, or processes started here."""

from __future__ import annotations

import os
import shlex
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc
from tensorflow_serving.apis import (
    get_model_status_pb2,
    model_service_pb2_grpc,
    prediction_service_pb2_grpc,
)

from support.conformance import model_store
from support.conformance.rows import PLAIN
from support.patience import patience

READY_WITHIN_S = patience(120.0)
STOPPED_WITHIN_S = patience(40.0)
UNLIMITED = [("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1)]
MODEL_SERVICE = ("GetModelStatus", "HandleReloadConfigRequest")


def flags_of(server: str, folder: Path) -> list[str]:
    """The flags of the ``server`` that a row names, over the store in ``folder``."""
    plain = model_store.plain_flags(folder)
    return plain if server == PLAIN else [*plain, *OTHERS[server].format(folder=folder).split()]


OTHERS = {
    "batching": "--enable_batching --batching_parameters_file={folder}/batching.config",
    "threads": "--grpc_max_threads=4 --enable_batching "
    "--batching_parameters_file={folder}/waiting.config",
    "splitting": "--enable_batching --batching_parameters_file={folder}/splitting.config",
    "upstream": "--model_config_file= --allow_version_labels_for_unavailable_models=false "
    "--model_name=default --model_base_path={folder}/half_plus_two --rest_api_timeout_in_ms=5000 "
    "--grpc_socket_path={folder}/grpc.sock "
    "--grpc_channel_arguments=grpc.max_connection_age_ms=2000,grpc.lb_policy_name=grpclb",
    "checked": "--enable_signature_method_name_check",
    "content": "--enable_serialization_as_tensor_content=true --rest_api_enable_cors_support=true",
}
"""Servers beside the plain one: what they are called, and the flags that they add."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where a server is asked."""

    grpc: str
    rest: str
    channel: Any

    def call(self, method: str, request: Any, timeout_s: float = 60.0) -> Any:
        """Send ``request`` to the method of that name."""
        return self._method(method)(request, timeout=timeout_s)

    def begin(self, method: str, request: Any, timeout_s: float | None = 60.0) -> Any:
        """Send ``request`` and wait for nothing; the future of its answer."""
        return self._method(method).future(request, timeout=timeout_s)

    def _method(self, name: str) -> Any:
        stub = (
            model_service_pb2_grpc.ModelServiceStub(self.channel)
            if name in MODEL_SERVICE
            else prediction_service_pb2_grpc.PredictionServiceStub(self.channel)
        )
        return getattr(stub, name)


def endpoint(grpc_target: str, rest_target: str) -> Endpoint:
    """The server at these addresses, each ``host:port``."""
    channel = grpc.insecure_channel(grpc_target, options=UNLIMITED)
    return Endpoint(grpc_target, f"http://{rest_target}", channel)


@dataclass(frozen=True, slots=True)
class Process:
    """A server started here, and the file that holds what it says."""

    process: subprocess.Popen[bytes]
    endpoint: Endpoint
    log: Any

    def said(self) -> str:
        """What it has said until now."""
        self.log.seek(0)
        text: str = self.log.read().decode("utf-8", "replace")
        return text

    def stop(self) -> int:
        """End it, and tell its exit status."""
        self.endpoint.channel.close()
        self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(STOPPED_WITHIN_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            return self.process.wait()
        finally:
            self.log.close()


def command(binary: str) -> list[str]:
    """The words that start ``binary``; this project's server where it is empty."""
    return shlex.split(binary) if binary else [sys.executable, "-m", "neumo_serving"]


def start(binary: str, flags: Sequence[str]) -> Process:
    """A server on two free ports; it may not be ready yet."""
    ports = free_ports()
    words = [*command(binary), f"--port={ports[0]}", f"--rest_api_port={ports[1]}", *flags]
    log = tempfile.TemporaryFile()  # noqa: SIM115 - read until the end
    environment = os.environ | {"TF_CPP_MIN_LOG_LEVEL": "0"}
    process = subprocess.Popen(words, stdout=log, stderr=subprocess.STDOUT, env=environment)
    return Process(process, endpoint(f"localhost:{ports[0]}", f"localhost:{ports[1]}"), log)


def wait_until_ready(server: Process) -> Process:
    """Return when it answers; raises ``AssertionError`` with its words where it does not."""
    request = get_model_status_pb2.GetModelStatusRequest()
    deadline = time.monotonic() + READY_WITHIN_S
    while time.monotonic() < deadline and server.process.poll() is None:
        try:
            server.endpoint.call("GetModelStatus", request, 5.0)
        except grpc.RpcError as error:
            if error.code() is not grpc.StatusCode.UNAVAILABLE:
                return server
        time.sleep(0.2)
    said = server.said()
    server.stop()
    raise AssertionError(f"the server never got ready; it said: {said[-2000:]}")


def free_ports() -> tuple[int, int]:
    """Two ports that nothing listens on now."""
    with socket.socket() as first, socket.socket() as second:
        for one in (first, second):
            one.bind(("", 0))
        return first.getsockname()[1], second.getsockname()[1]
