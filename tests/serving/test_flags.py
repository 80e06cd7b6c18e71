"""``neumo serve``'s flags: upstream's names, types and defaults (model_servers/main.cc)."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib.metadata import version

import pytest

from neumo.errors import ConfigError
from neumo_serving.config import flags, tensorflow_runtime
from neumo_serving.config.flags.flag_table import FLAGS, REFUSED
from neumo_serving.grpc_api import channel_arguments
from support.patience import patience

UPSTREAM = [
    "allow_version_labels_for_unavailable_models",
    "batching_parameters_file",
    "enable_batching",
    "enable_grpc_healthcheck_service",
    "enable_model_warmup",
    "enable_per_model_batching_parameters",
    "enable_profiler",
    "enable_serialization_as_tensor_content",
    "enable_signature_method_name_check",
    "file_system_poll_wait_seconds",
    "flush_filesystem_caches",
    "grpc_channel_arguments",
    "grpc_max_threads",
    "grpc_socket_path",
    "load_retry_interval_micros",
    "max_num_load_retries",
    "mixed_precision",
    "model_base_path",
    "model_config_file",
    "model_config_file_poll_wait_seconds",
    "model_name",
    "monitoring_config_file",
    "num_load_threads",
    "num_request_iterations_for_warmup",
    "num_tflite_interpreters_per_pool",
    "num_tflite_pools",
    "num_unload_threads",
    "per_process_gpu_memory_fraction",
    "platform_config_file",
    "port",
    "prefer_tflite_model",
    "remove_unused_fields_from_bundle_metagraph",
    "rest_api_enable_cors_support",
    "rest_api_num_threads",
    "rest_api_port",
    "rest_api_timeout_in_ms",
    "saved_model_tags",
    "skip_initialize_tpu",
    "ssl_config_file",
    "tensorflow_inter_op_parallelism",
    "tensorflow_intra_op_parallelism",
    "tensorflow_session_config_file",
    "tensorflow_session_parallelism",
    "thread_pool_factory_config_file",
    "use_alts_credentials",
    "version",
    "xla_cpu_compilation_enabled",
    "xla_gpu_compilation_enabled",
]


def test_every_flag_of_the_original_is_honoured_or_refused():
    """None is unknown, and the server's own say whose they are."""
    own = {flag.name for flag in FLAGS if flag.name.startswith("neumo_")}
    assert {flag.name for flag in FLAGS} | {one.name for one in REFUSED} == {*UPSTREAM, *own}
    assert not {flag.name for flag in FLAGS} & {one.name for one in REFUSED}


def test_help_lists_every_flag():
    """By what it is for; those refused at the end."""
    command = [sys.executable, "-m", "neumo_serving", "--help"]
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=patience(120), check=True
    )
    assert all(name in done.stdout for name in UPSTREAM)
    assert done.stdout.index("gRPC:") < done.stdout.index("REST:") < done.stdout.index("Refused")


def test_version_prints_upstreams_two_lines():
    """The first says that it is neumo that runs."""
    command = [sys.executable, "-m", "neumo_serving", "--version"]
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=patience(120), check=True
    )
    first, second = done.stdout.splitlines()
    assert first.startswith(f"TensorFlow ModelServer: {version('tensorflow-serving-api')}")
    assert "neumo" in first
    assert second == f"TensorFlow Library: {version('tensorflow')}"


def test_calls_at_once_are_upstreams_default_where_models_are_named():
    """The release that neumo ships is served to its SDK, which asks about several films at once."""
    default = 4 * (os.cpu_count() or 1)
    named = flags.parse(["--model_name=m", "--model_base_path=/m"])
    assert (named["grpc_max_threads"], named["rest_api_num_threads"]) == (default, default)
    assert flags.parse([])["grpc_max_threads"] > 3 * 64
    assert flags.parse(["--grpc_max_threads=5"])["grpc_max_threads"] == 5


@pytest.mark.parametrize(
    "argument",
    [
        "--enable_profiler=false",
        "--prefer_tflite_model=false",
        "--use_alts_credentials=false",
        "--skip_initialize_tpu",
        "--xla_cpu_compilation_enabled=true",
    ],
)
def test_a_refused_flag_may_ask_for_what_is_done_anyway(argument):
    """Scripts written for the original go on working where nothing is lost."""
    assert flags.parse([argument]) == flags.parse([])


@pytest.mark.parametrize(
    ("text", "arguments"),
    [
        ("", ()),
        ("grpc.max_connection_age_ms=2000", (("grpc.max_connection_age_ms", 2000),)),
        (
            "grpc.lb_policy_name=grpclb,grpc.big=3000000000",
            (("grpc.lb_policy_name", "grpclb"), ("grpc.big", "3000000000")),
        ),
    ],
)
def test_channel_arguments_are_numbers_where_they_can_be(text, arguments):
    """Of 32 bits, as upstream reads them (model_servers/server.cc)."""
    assert channel_arguments.parse(text) == arguments


def test_the_session_is_configured_by_file_and_flags(tmp_path):
    """A flag comes before what the file says."""
    path = tmp_path / "session.config"
    path.write_text("intra_op_parallelism_threads: 3 operation_timeout_in_ms: 7")
    given = ["--tensorflow_inter_op_parallelism=2", "--per_process_gpu_memory_fraction=0.5"]
    options = flags.parse([f"--tensorflow_session_config_file={path}", *given])
    config = tensorflow_runtime.session_config(options)
    assert (config.intra_op_parallelism_threads, config.inter_op_parallelism_threads) == (3, 2)
    assert config.operation_timeout_in_ms == 7
    assert config.gpu_options.per_process_gpu_memory_fraction == 0.5


@pytest.mark.parametrize(
    ("given", "threads"),
    [
        ([], (0, 0)),
        (["session"], (5, 5)),
        (["session", "intra_op"], (5, 0)),
        (["inter_op"], (0, 5)),
    ],
)
def test_one_parallelism_stands_for_both(given, threads):
    """Unless one of the two is given (model_servers/server.cc)."""
    options = flags.parse([f"--tensorflow_{kind}_parallelism=5" for kind in given])
    config = tensorflow_runtime.session_config(options)
    assert (config.intra_op_parallelism_threads, config.inter_op_parallelism_threads) == threads


def test_without_a_model_flag_both_ports_are_open():
    """The shipped release is served where TensorFlow Serving's container serves."""
    options = flags.parse([])
    assert not options.names_models
    assert (options["port"], options["rest_api_port"]) == (8500, 8501)


def test_with_a_model_flag_the_defaults_are_upstreams():
    """REST is off unless asked for (model_servers/main.cc)."""
    options = flags.parse(["--model_base_path=/m"])
    assert (options["port"], options["rest_api_port"], options["model_name"]) == (
        8500,
        0,
        "default",
    )
    assert options["file_system_poll_wait_seconds"] == 1
    assert options["max_num_load_retries"] == 5
    assert options["load_retry_interval_micros"] == 60_000_000
    assert options["enable_model_warmup"] is True


DEFAULTS = {
    "allow_version_labels_for_unavailable_models": False,
    "batching_parameters_file": "",
    "enable_batching": False,
    "enable_grpc_healthcheck_service": False,
    "enable_model_warmup": True,
    "enable_per_model_batching_parameters": False,
    "enable_serialization_as_tensor_content": False,
    "flush_filesystem_caches": True,
    "grpc_channel_arguments": "",
    "grpc_socket_path": "",
    "model_config_file_poll_wait_seconds": 0,
    "monitoring_config_file": "",
    "num_load_threads": 0,
    "num_request_iterations_for_warmup": 0,
    "num_unload_threads": 0,
    "per_process_gpu_memory_fraction": 0.0,
    "remove_unused_fields_from_bundle_metagraph": True,
    "rest_api_enable_cors_support": False,
    "rest_api_timeout_in_ms": 30000,
    "saved_model_tags": "serve",
    "ssl_config_file": "",
    "tensorflow_session_config_file": "",
    "tensorflow_session_parallelism": 0,
    "version": False,
}


@pytest.mark.parametrize("name", DEFAULTS)
def test_a_flag_that_is_not_given_is_what_upstream_takes(name):
    """Value and type (model_servers/server.h)."""
    value = flags.parse([])[name]
    assert (value, type(value)) == (DEFAULTS[name], type(DEFAULTS[name]))


def test_a_flags_value_may_follow_it_as_a_word_of_its_own():
    """Beside upstream's --flag=value."""
    assert (
        flags.parse(["--port", "9000", "--enable_model_warmup", "false"]).flags
        == flags.parse(["--port=9000", "--enable_model_warmup=false"]).flags
    )


@pytest.mark.parametrize(
    ("argv", "value"),
    [
        (["--enable_model_warmup=false"], False),
        (["--enable_model_warmup=0"], False),
        (["--enable_model_warmup"], True),
        (["--enable_model_warmup=true"], True),
    ],
)
def test_boolean_flags_are_written_as_upstreams(argv, value):
    """With a value or alone (tensorflow: command_line_flags.cc)."""
    assert flags.parse(argv)["enable_model_warmup"] is value


@pytest.mark.parametrize(
    ("argv", "line"),
    [
        (["--batching_parameters_file=f"], "add --enable_batching"),
        (["--prefer_tflite_model"], "--prefer_tflite_model: TensorFlow Lite models are not"),
        (["--enable_profiler=true"], "--enable_profiler: there is no profiler service here"),
        (["--xla_cpu_compilation_enabled=false"], "XLA compiles what a model asks for"),
        (["--colour=red"], "unrecognized arguments: --colour=red"),
        (["--port=-1"], "--port=-1 is no port"),
        (["--port=70000"], "--port=70000 is no port"),
        (["--port=0", "--rest_api_port=0"], "nothing to listen on"),
        (["--port=3000000000"], "more than 32 bits"),
        (["--port=http"], "invalid int value"),
        (["--rest_api_port=8500"], "cannot be the same as --port"),
        (["--model_name=m"], "--model_name needs --model_base_path"),
        (["--per_process_gpu_memory_fraction=2"], "is a share"),
        (["--grpc_max_threads=0"], "give a number from 1"),
        ([f"--{name}=2" for name in flags.PARALLELISM], "give it or them"),
        (["--enable_model_warmup=maybe"], "neither true nor false"),
    ],
)
def test_a_flag_that_cannot_be_honoured_is_one_line(argv, line):
    """Nothing is silently ignored."""
    with pytest.raises(ConfigError, match=line) as raised:
        flags.parse(argv)
    assert "\n" not in str(raised.value)
