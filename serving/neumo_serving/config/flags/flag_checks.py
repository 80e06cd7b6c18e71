"""What no flag may be, and what flags may not be together."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from neumo.errors import ConfigError
from neumo_serving.config.flags.flag_table import PARALLELISM

MAX_PORT = 65535
_LEAST = {
    "grpc_max_threads": 1,
    "rest_api_num_threads": 1,
    "rest_api_timeout_in_ms": 1,
    "max_num_load_retries": 0,
    "num_load_threads": 0,
    "num_unload_threads": 0,
    "num_request_iterations_for_warmup": 0,
    "model_config_file_poll_wait_seconds": 0,
    "tensorflow_session_parallelism": 0,
    "tensorflow_intra_op_parallelism": 0,
    "tensorflow_inter_op_parallelism": 0,
}


def check(flags: Mapping[str, Any], names_models: bool) -> None:
    """Raise ``ConfigError`` for the first of ``flags`` that cannot be honoured."""
    _check_ports(flags["port"], flags["rest_api_port"], flags["grpc_socket_path"])
    if flags["batching_parameters_file"] and not flags["enable_batching"]:
        raise ConfigError(
            "server_options.batching_parameters_file is set without setting "
            "server_options.enable_batching to true: add --enable_batching"
        )
    if names_models and not (flags["model_config_file"] or flags["model_base_path"]):
        raise ConfigError("--model_name needs --model_base_path, the folder with its versions")
    if all(flags[name] > 0 for name in PARALLELISM):
        raise ConfigError(
            "--tensorflow_session_parallelism stands for the intra- and inter-op flags: "
            "give it or them"
        )
    if not 0 <= flags["per_process_gpu_memory_fraction"] <= 1:
        raise ConfigError("--per_process_gpu_memory_fraction is a share: give one from 0 to 1")
    for name, least in _LEAST.items():
        if flags[name] < least:
            raise ConfigError(f"--{name}={flags[name]}: give a number from {least}")


def _check_ports(grpc: int, http: int, socket_path: str) -> None:
    for name, port in (("port", grpc), ("rest_api_port", http)):
        if not 0 <= port <= MAX_PORT:
            raise ConfigError(f"--{name}={port} is no port: give one up to {MAX_PORT}")
    if not (grpc or http or socket_path):
        raise ConfigError("nothing to listen on: give --port, --rest_api_port or both")
    # 0 is off for both, so that two zeros are no clash.
    if grpc and grpc == http:
        raise ConfigError("--rest_api_port cannot be the same as --port: give another")
