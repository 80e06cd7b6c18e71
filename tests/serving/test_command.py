"""``neumo serve``: its flags, its configuration file, and what it says of a mistake."""

from __future__ import annotations

import socket
import subprocess
import sys
from pathlib import Path

import pytest

from neumo.errors import ConfigError
from neumo_serving.config import models_config, shipped_release
from neumo_serving.engine.version_policy import (
    All,
    Latest,
    ModelConfig,
    Specific,
    to_unload,
    versions_in,
    wanted,
)
from support.patience import patience

pytestmark = pytest.mark.slow

LIST = 'model_config_list {{ config {{ name: "m" base_path: "{path}" {rest} }} }}'
TENSORFLOW = 'model_platform: "tensorflow"'
ONE = f'config {{ name: "m" base_path: "/m" {TENSORFLOW} }}'
TWICE = f"model_config_list {{ {ONE} {ONE} }}"


def serve(*arguments):
    """Run ``neumo serve`` to its end."""
    command = [sys.executable, "-m", "neumo_serving", *arguments]
    return subprocess.run(
        command, capture_output=True, text=True, timeout=patience(120), check=False
    )


def parse(text):
    """The models in a configuration."""
    return models_config.parse(text, "models.config")


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
        (LIST.format(path="m", rest=TENSORFLOW), "Expected model m to have an absolute path"),
        (LIST.format(path="", rest=TENSORFLOW), "Expected model m to have an absolute path"),
        (LIST.format(path="gs://b/m", rest=TENSORFLOW), "gs://b/m is no local folder"),
        (LIST.format(path="/m", rest=""), "Illegal setting neither ModelServerConfig::model_type"),
        (
            LIST.format(path="/m", rest=TENSORFLOW + " model_type: TENSORFLOW"),
            "Illegal setting both ModelServerConfig::model_type",
        ),
        (
            LIST.format(path="/m", rest='model_platform: "odd"'),
            "Model m requests unsupported platform odd",
        ),
        (TWICE, "Illegal to list model m multiple times in config list"),
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
    models = shipped_release.models()
    assert {one.name for one in models} >= {"pneumonia_tuned", "pneumonia_residual"}
    assert all(one.base_path.is_dir() for one in models)
    assert {one.policy for one in models} == {Latest(1)}
