"""``neumo serve``: its flags, its configuration file, and what it says of a mistake."""

from __future__ import annotations

import socket
import subprocess
import sys
from pathlib import Path

import pytest

from neumo.errors import ConfigError
from neumo_serving import config, flags, shipped
from neumo_serving.engine.source import (
    All,
    Latest,
    ModelConfig,
    Specific,
    to_unload,
    versions_in,
    wanted,
)

LIST = 'model_config_list {{ config {{ name: "m" base_path: "{path}" {rest} }} }}'
TENSORFLOW = 'model_platform: "tensorflow"'
ONE = f'config {{ name: "m" base_path: "/m" {TENSORFLOW} }}'
TWICE = f"model_config_list {{ {ONE} {ONE} }}"


def serve(*arguments):
    """Run ``neumo serve`` to its end."""
    command = [sys.executable, "-m", "neumo_serving", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)


def parse(text):
    """The models in a configuration."""
    return config.parse(text, "models.config")


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
        (["--enable_batching=true"], "--enable_batching: TensorFlow Serving has this flag"),
        (["--prefer_tflite_model"], "--prefer_tflite_model: TensorFlow Serving has this flag"),
        (["--xla_gpu_compilation_enabled"], "neumo serve has not; leave it out"),
        (["--colour=red"], "unrecognized arguments: --colour=red"),
        (["--port=0"], "--port=0 is no port"),
        (["--port=http"], "invalid int value"),
        (["--rest_api_port=8500"], "cannot be the same as --port"),
        (["--model_name=m"], "--model_name needs --model_base_path"),
        (["--file_system_poll_wait_seconds=-1"], "never looks for a version"),
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


@pytest.mark.parametrize(
    ("rest", "policy"),
    [
        ("", Latest(1)),
        ("model_version_policy { latest { num_versions: 3 } }", Latest(3)),
        ("model_version_policy { all {} }", All()),
        ("model_version_policy { specific { versions: 2 versions: 4 } }", Specific((2, 4))),
    ],
)
def test_policies_are_read(rest, policy):
    """As file_system_storage_path_source.proto defines them; the latest version is the default."""
    (found,) = parse(LIST.format(path="/m", rest=f"{TENSORFLOW} {rest}"))
    assert found == ModelConfig("m", Path("/m"), policy)


@pytest.mark.parametrize(
    ("policy", "numbers"),
    [
        (Latest(1), [10]),
        (Latest(2), [10, 9]),
        (All(), [10, 9, 1]),
        (Specific((1, 7)), [1]),
    ],
)
def test_a_policy_wants_these_versions(policy, numbers):
    """Versions are numbers, so 10 is newer than 9."""
    assert list(wanted(policy, {n: Path(str(n)) for n in (1, 10, 9)})) == numbers


@pytest.mark.parametrize(
    ("wanted", "available", "numbers"),
    [
        ({2}, {1, 2}, {1}),
        ({2}, {1}, set()),
        ({3, 4}, {1, 2}, {1}),
        (set(), {1, 2}, {1, 2}),
        ({1, 2}, {1, 2}, set()),
    ],
)
def test_the_last_version_that_serves_is_kept_until_a_wanted_one_does(wanted, available, numbers):
    """The others that are not wanted go (core/availability_preserving_policy.cc)."""
    assert to_unload(wanted, available) == numbers


def test_only_folders_named_by_a_64_bit_number_are_versions(tmp_path):
    """00001 is 1; files, other names and longer numbers are passed over."""
    for name in (
        "00001",
        "20",
        "-3",
        "1.0",
        ".5",
        "v6",
        "\N{ARABIC-INDIC DIGIT SEVEN}",
        "9" * 20,
        "9" * 200,
    ):
        (tmp_path / name).mkdir()
    (tmp_path / "8").write_bytes(b"")
    assert set(versions_in(tmp_path)) == {1, 20}


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (
            "model_config_list { config {",
            "Error parsing text-format tensorflow.serving.ModelServerConfig",
        ),
        (LIST.format(path="m", rest=TENSORFLOW), "make it absolute"),
        (LIST.format(path="/m", rest=""), 'only "tensorflow" can be served'),
        (LIST.format(path="", rest=TENSORFLOW), "needs a name and a base_path"),
        (TWICE, "m is configured twice"),
        ("custom_model_config { }", "use model_config_list"),
    ],
)
def test_a_configuration_that_cannot_be_served_is_one_line(text, line):
    """The file and what to change are named."""
    with pytest.raises(ConfigError, match=line):
        parse(text)


def test_a_label_for_a_version_that_is_not_available_is_refused(tmp_path):
    """At the start no version is, as upstream has it (server_core.cc)."""
    text = LIST.format(path="/m", rest=TENSORFLOW + ' version_labels { key: "a" value: 1 }')
    (tmp_path / "c").write_text(text)
    done = serve(f"--model_config_file={tmp_path / 'c'}")
    assert "Request to assign label to version 1 of model m, which is not" in done.stderr
    assert "--allow_version_labels_for_unavailable_models" in done.stderr
    assert done.returncode == 2


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["--model_config_file=/nowhere"], "--model_config_file=/nowhere cannot be read"),
        (["--colour=red"], "unrecognized arguments"),
        (["--model_base_path=m"], "make it absolute"),
    ],
)
def test_a_mistake_on_the_command_line_is_status_2(arguments, line):
    """The program ends with one line and no traceback."""
    done = serve(*arguments)
    assert done.returncode == 2
    assert line in done.stderr.splitlines()[-1]
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("flag", ["port", "rest_api_port"])
def test_a_port_that_is_taken_is_one_line(running, flag):
    """It names the port and the flag; nothing is served on the other."""
    free = socket.socket()
    free.bind(("127.0.0.1", 0))
    taken = running.server.http_url.rpartition(":")[2]
    other = {"port": "rest_api_port", "rest_api_port": "port"}[flag]
    number = free.getsockname()[1]
    free.close()
    done = serve(f"--{flag}={taken}", f"--{other}={number}")
    assert done.returncode == 2
    assert done.stderr.splitlines()[-1].startswith(f"neumo: port {taken} is taken")
    assert f"--{flag}" in done.stderr.splitlines()[-1]
    assert "Traceback" not in done.stderr


def test_the_shipped_release_is_the_newest():
    """Its models are served from the folder that the wheel or the checkout brings."""
    models = shipped.models()
    assert {one.name for one in models} >= {"pneumonia_tuned", "pneumonia_residual"}
    assert all(one.base_path.is_dir() for one in models)
    assert {one.policy for one in models} == {Latest(2)}
