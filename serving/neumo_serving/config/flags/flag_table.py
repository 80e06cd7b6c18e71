"""``tensorflow_model_server``'s flags, by their names, types and defaults.

Source: ``model_servers/main.cc`` of TensorFlow Serving 2.20.
"""

from __future__ import annotations

import os
from dataclasses import dataclass

SHIPPED_HTTP_PORT = 8501
"""Upstream's ``rest_api_port`` is 0, off; its container's entry point passes this one."""

SHIPPED_THREADS = 241
"""80 films of three calls, and the thread that waits for the next: as in ``k8s/base/tfserving``.

Upstream's default, on a laptop of two cores, is two films; the SDK asks about eight at a time.
"""

_CORES = os.cpu_count() or 1


@dataclass(frozen=True, slots=True)
class Flag:
    """A flag that this server honours; ``bits`` bound a whole number."""

    name: str
    default: int | float | str | bool
    help: str
    bits: int = 32


@dataclass(frozen=True, slots=True)
class RefusedFlag:
    """A flag of the original that this server cannot honour, and why.

    ``accepted`` are the values that ask for what this server does anyway.
    """

    name: str
    why: str
    accepted: tuple[str, ...] = ()


GROUPS: dict[str, tuple[Flag, ...]] = {
    "models": (
        Flag("model_config_file", "", "text-format ModelServerConfig with the models to serve"),
        Flag("model_config_file_poll_wait_seconds", 0, "seconds between readings; 0 reads once"),
        Flag("model_name", "default", "name of the model at --model_base_path"),
        Flag("model_base_path", "", "folder with the versions of one model"),
        Flag("saved_model_tags", "serve", "tags of the graph to load, with commas between"),
        Flag(
            "allow_version_labels_for_unavailable_models",
            False,
            "accept new labels for versions that are not available yet",
        ),
        Flag(
            "file_system_poll_wait_seconds",
            1,
            "seconds between looks for versions; 0 looks once, below 0 never",
        ),
    ),
    "loading": (
        Flag("num_load_threads", 0, "threads that load versions; 0 is one after the other"),
        Flag("num_unload_threads", 0, "threads that unload; 0 is one after the other"),
        Flag("max_num_load_retries", 5, "further tries to load a version that failed"),
        Flag(
            "load_retry_interval_micros",
            60_000_000,
            "time between these tries; below 0 is none",
            bits=64,
        ),
        Flag("enable_model_warmup", True, "answer assets.extra/tf_serving_warmup_requests first"),
        Flag("num_request_iterations_for_warmup", 0, "how often each is answered; 0 is once"),
        Flag("flush_filesystem_caches", True, "accepted: local folders have no such cache"),
        Flag(
            "remove_unused_fields_from_bundle_metagraph",
            True,
            "accepted: it saves memory of the original's, which is not taken here",
        ),
    ),
    "answering": (
        Flag("enable_batching", False, "run requests of several clients at once"),
        Flag("batching_parameters_file", "", "text-format BatchingParameters, to batch by"),
        Flag(
            "enable_per_model_batching_parameters",
            False,
            "batch a version by the batching_params.pbtxt in its folder; not without one",
        ),
        Flag("enable_signature_method_name_check", False, "refuse signatures of another method"),
    ),
    "gRPC": (
        Flag("port", 8500, "TCP port for gRPC; 0 is off"),
        Flag("grpc_socket_path", "", "UNIX socket for gRPC, beside the port"),
        Flag(
            "grpc_max_threads",
            4 * _CORES,
            "quota of calls under way, those in a batch's queue included; one fewer is taken "
            f"({SHIPPED_THREADS} where no model flag is given)",
        ),
        Flag("grpc_channel_arguments", "", "grpc.max_connection_age_ms=2000,… for the server"),
        Flag("ssl_config_file", "", "text-format SSLConfig; gRPC is encrypted by it"),
        Flag("enable_grpc_healthcheck_service", False, "answer gRPC's health protocol"),
        Flag("enable_serialization_as_tensor_content", False, "send outputs as tensor_content"),
    ),
    "REST": (
        Flag("rest_api_port", 0, "TCP port for REST; 0 is off (8501 where no model flag is given)"),
        Flag("rest_api_num_threads", 4 * _CORES, "threads that answer REST requests"),
        Flag("rest_api_timeout_in_ms", 30000, "longest time for one REST request"),
        Flag("rest_api_enable_cors_support", False, "let pages of other origins ask"),
        Flag("monitoring_config_file", "", "text-format MonitoringConfig; Prometheus' page"),
    ),
    "TensorFlow": (
        Flag("tensorflow_session_parallelism", 0, "sets the next two where neither is given"),
        Flag("tensorflow_intra_op_parallelism", 0, "threads within one operation; 0 is automatic"),
        Flag("tensorflow_inter_op_parallelism", 0, "operations side by side; 0 is automatic"),
        Flag("tensorflow_session_config_file", "", "text-format ConfigProto for the runtime"),
        Flag("per_process_gpu_memory_fraction", 0.0, "share of a GPU's memory; 0 is automatic"),
    ),
    "tests of applications": (
        Flag(
            "neumo_faults",
            "",
            "FOR TESTS ONLY: JSON list, or the file that holds one, of faults to make",
        ),
    ),
    "others": (Flag("version", False, "print the versions and end"),),
}
"""By what they are for, in the order of ``neumo serve --help``."""

FLAGS = tuple(flag for group in GROUPS.values() for flag in group)

_NO_LITE = "TensorFlow Lite models are not served here"
_OFF = ("false", "0")
"""Values that ask for what is not there to be off."""
_ON = ("", "true", "1")
"""Values that ask for what is done anyway; '' is the flag without a value."""

REFUSED = (
    RefusedFlag("enable_profiler", "there is no profiler service here; profile the model", _OFF),
    RefusedFlag(
        "mixed_precision", "convert the model itself: its answers must not depend on a flag"
    ),
    RefusedFlag("num_tflite_interpreters_per_pool", _NO_LITE),
    RefusedFlag("num_tflite_pools", _NO_LITE),
    RefusedFlag("platform_config_file", "give the flags for batching and for TensorFlow instead"),
    RefusedFlag("prefer_tflite_model", _NO_LITE, _OFF),
    RefusedFlag("skip_initialize_tpu", "there is no TPU here to initialise", _ON),
    RefusedFlag("thread_pool_factory_config_file", "thread pools of your own need the C++ server"),
    RefusedFlag("use_alts_credentials", "ALTS is Google Cloud's; give --ssl_config_file", _OFF),
    RefusedFlag("xla_cpu_compilation_enabled", "XLA compiles what a model asks for, always", _ON),
    RefusedFlag("xla_gpu_compilation_enabled", "XLA compiles what a model asks for, always", _ON),
)
"""Flags of the original that this server does not have: refused, never silently ignored."""

PARALLELISM = tuple(
    f"tensorflow_{kind}_parallelism" for kind in ("session", "intra_op", "inter_op")
)
MODEL_FLAGS = ("model_config_file", "model_name", "model_base_path")
"""Without any of these the shipped release is served."""
