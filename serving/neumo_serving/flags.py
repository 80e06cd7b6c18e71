"""``tensorflow_model_server``'s flags, by their names, types and defaults.

Source: ``model_servers/main.cc`` of TensorFlow Serving 2.20.
"""

from __future__ import annotations

import argparse
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from neumo.commands.options import Parser
from neumo.errors import ConfigError

SHIPPED_HTTP_PORT = 8501
"""Upstream's ``rest_api_port`` is 0, off; its container's entry point passes this one."""

_CORES = os.cpu_count() or 1


@dataclass(frozen=True, slots=True)
class Flag:
    """A flag that this server honours."""

    name: str
    default: int | str | bool
    help: str


FLAGS = (
    Flag("port", 8500, "TCP port for gRPC"),
    Flag("rest_api_port", 0, "TCP port for REST; 0 is off (8501 where no model flag is given)"),
    Flag("rest_api_num_threads", 4 * _CORES, "threads that answer REST requests"),
    Flag("rest_api_timeout_in_ms", 30000, "longest time for one REST request"),
    Flag("model_config_file", "", "text-format ModelServerConfig with the models to serve"),
    Flag("model_name", "default", "name of the model at --model_base_path"),
    Flag("model_base_path", "", "folder with the versions of one model"),
    Flag("file_system_poll_wait_seconds", 1, "seconds between looks for versions; 0 is once"),
    Flag("num_load_threads", 0, "threads that load versions; 0 is one after the other"),
    Flag("max_num_load_retries", 5, "further tries to load a version that failed"),
    Flag("load_retry_interval_micros", 60_000_000, "time between these tries; below 0 is none"),
    Flag("enable_model_warmup", True, "answer assets.extra/tf_serving_warmup_requests first"),
    Flag("num_request_iterations_for_warmup", 1, "how often each of these requests is answered"),
    Flag("enable_batching", False, "run requests of several clients at once"),
    Flag("batching_parameters_file", "", "text-format BatchingParameters, for --enable_batching"),
    Flag(
        "enable_per_model_batching_parameters",
        False,
        "batch a version by the batching_params.pbtxt in its folder; not without one",
    ),
    Flag("enable_signature_method_name_check", True, "refuse signatures of another method"),
    Flag(
        "allow_version_labels_for_unavailable_models",
        False,
        "accept labels for versions that are not available yet",
    ),
    Flag("enable_serialization_as_tensor_content", False, "send gRPC outputs as tensor_content"),
    Flag("grpc_max_threads", 4 * _CORES, "threads that answer gRPC requests"),
    Flag("tensorflow_session_parallelism", 0, "sets the next two where neither is given"),
    Flag("tensorflow_intra_op_parallelism", 0, "threads within one operation; 0 is automatic"),
    Flag("tensorflow_inter_op_parallelism", 0, "operations side by side; 0 is automatic"),
)

NOT_HERE = frozenset(
    {
        "enable_grpc_healthcheck_service",
        "enable_profiler",
        "flush_filesystem_caches",
        "grpc_channel_arguments",
        "grpc_socket_path",
        "mixed_precision",
        "model_config_file_poll_wait_seconds",
        "monitoring_config_file",
        "num_tflite_interpreters_per_pool",
        "num_tflite_pools",
        "num_unload_threads",
        "per_process_gpu_memory_fraction",
        "platform_config_file",
        "prefer_tflite_model",
        "remove_unused_fields_from_bundle_metagraph",
        "rest_api_enable_cors_support",
        "saved_model_tags",
        "skip_initialize_tpu",
        "ssl_config_file",
        "thread_pool_factory_config_file",
        "use_alts_credentials",
        "tensorflow_session_config_file",
        "version",
        "xla_cpu_compilation_enabled",
        "xla_gpu_compilation_enabled",
    }
)
"""Flags of the original that this server does not have: refused, never silently ignored."""

MAX_PORT = 65535
_LEAST = {
    "grpc_max_threads": 1,
    "rest_api_num_threads": 1,
    "rest_api_timeout_in_ms": 1,
    "max_num_load_retries": 0,
    "num_load_threads": 0,
    "num_request_iterations_for_warmup": 0,
    "tensorflow_session_parallelism": 0,
    "tensorflow_intra_op_parallelism": 0,
    "tensorflow_inter_op_parallelism": 0,
}
PARALLELISM = tuple(
    f"tensorflow_{kind}_parallelism" for kind in ("session", "intra_op", "inter_op")
)
_MODEL_FLAGS = ("model_config_file", "model_name", "model_base_path")


@dataclass(frozen=True, slots=True)
class Options:
    """The command line, read: ``flags`` by name, and whether it named models at all."""

    flags: dict[str, Any]
    names_models: bool

    def __getitem__(self, name: str) -> Any:
        return self.flags[name]

    @property
    def model_config_file(self) -> Path | None:
        """The configuration file, where one was given."""
        return Path(self["model_config_file"]) if self["model_config_file"] else None


def parse(argv: list[str]) -> Options:
    """The options in ``argv``; raises ``ConfigError`` for what this server cannot honour."""
    for argument in argv:
        name = argument.lstrip("-").partition("=")[0]
        if argument.startswith("-") and name in NOT_HERE:
            raise ConfigError(
                f"--{name}: TensorFlow Serving has this flag, neumo serve has not; leave it out"
            )
    given = vars(_parser().parse_args(argv))
    names_models = any(name in given for name in _MODEL_FLAGS)
    defaults = {flag.name: flag.default for flag in FLAGS}
    if not names_models:
        defaults["rest_api_port"] = SHIPPED_HTTP_PORT
    options = Options(defaults | given, names_models)
    _check(options)
    return options


def _parser() -> argparse.ArgumentParser:
    parser = Parser(
        "neumo serve",
        description="Serve SavedModels by TensorFlow Serving's gRPC and REST API; without a "
        "model flag, the release that neumo ships.",
        allow_abbrev=False,
        argument_default=argparse.SUPPRESS,
    )
    for flag in FLAGS:
        default = f" (default: {flag.default})" if flag.default != "" else ""
        options: dict[str, Any] = {"help": flag.help + default, "metavar": "VALUE"}
        if isinstance(flag.default, bool):
            options |= {"type": _boolean, "nargs": "?", "const": True}
        else:
            options |= {"type": type(flag.default)}
        parser.add_argument(f"--{flag.name}", **options)
    return parser


def _boolean(text: str) -> bool:
    values = {"true": True, "1": True, "false": False, "0": False}
    if text.lower() not in values:
        raise argparse.ArgumentTypeError(f"neither true nor false: {text}")
    return values[text.lower()]


def _check(options: Options) -> None:
    _check_ports(options["port"], options["rest_api_port"])
    if options["file_system_poll_wait_seconds"] < 0:
        raise ConfigError(
            "--file_system_poll_wait_seconds is below 0, which never looks for a version: "
            "give 0 for once, or seconds"
        )
    if options["batching_parameters_file"] and not options["enable_batching"]:
        raise ConfigError(
            "server_options.batching_parameters_file is set without setting "
            "server_options.enable_batching to true: add --enable_batching"
        )
    if options.names_models and not (options["model_config_file"] or options["model_base_path"]):
        raise ConfigError("--model_name needs --model_base_path, the folder with its versions")
    if all(options[name] > 0 for name in PARALLELISM):
        raise ConfigError(
            "--tensorflow_session_parallelism stands for the intra- and inter-op flags: "
            "give it or them"
        )
    for name, least in _LEAST.items():
        if options[name] < least:
            raise ConfigError(f"--{name}={options[name]}: give a number from {least}")


def _check_ports(grpc: int, http: int) -> None:
    if not 1 <= grpc <= MAX_PORT:
        raise ConfigError(f"--port={grpc} is no port: give one from 1 to {MAX_PORT}")
    if not 0 <= http <= MAX_PORT:
        raise ConfigError(f"--rest_api_port={http} is no port: give one up to {MAX_PORT}")
    if grpc == http:
        raise ConfigError("--rest_api_port cannot be the same as --port: give another")
