"""What a server says of a start that cannot be; ``--server-binary`` judges another program."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass

import pytest

from support.conformance import servers
from support.patience import patience

pytestmark = pytest.mark.slow

WITHIN_S = patience(120)


@dataclass(frozen=True, slots=True)
class Start:
    """Flags, the files that they name (``{folder}``), what is said of them, and who says so."""

    id: str
    flags: tuple[str, ...]
    files: dict[str, str]
    said: str
    source: str


CONFIG = "--model_config_file={folder}/models.config"
STARTS = [
    Start(
        "a configuration that does not parse is named by its message",
        (CONFIG,),
        {"models.config": "improperly formatted file"},
        "Error parsing text-format tensorflow.serving.ModelServerConfig",
        "model_servers/tensorflow_model_server_test.py",
    ),
    Start(
        "a label of a version that is not there yet is refused",
        (CONFIG,),
        {
            "models.config": 'model_config_list { config { name: "m" base_path: "{folder}/m" '
            'model_platform: "tensorflow" version_labels { key: "a" value: 1 } } }'
        },
        "Request to assign label to version 1 of model m, which is not currently available for "
        "inference",
        "model_servers/server_core.cc",
    ),
    Start(
        "a model that is listed twice is refused",
        (CONFIG,),
        {
            "models.config": "model_config_list {"
            + 2 * ' config { name: "m" base_path: "/m" model_platform: "tensorflow" }'
            + " }"
        },
        "Illegal to list model m multiple times in config list",
        "model_servers/server_core.cc",
    ),
    Start(
        "a relative base_path is refused",
        (CONFIG,),
        {
            "models.config": 'model_config_list { config { name: "m" base_path: "m" '
            'model_platform: "tensorflow" } }'
        },
        "Expected model m to have an absolute path or URI; got base_path()=m",
        "model_servers/server_core.cc",
    ),
    Start(
        "batching parameters without batching are refused",
        (
            "--model_name=m",
            "--model_base_path={folder}/m",
            "--batching_parameters_file={folder}/batching.config",
        ),
        {"batching.config": "max_batch_size { value: 8 }"},
        "batching_parameters_file",
        "model_servers/server.cc",
    ),
]


@pytest.mark.parametrize("row", [pytest.param(row, id=row.id) for row in STARTS])
def test_a_start_that_cannot_be_ends_with_a_reason(row, binary, tmp_path):
    """The exit status is not 0, and what is wrong is on the standard error."""
    for name, text in row.files.items():
        (tmp_path / name).write_text(text.replace("{folder}", str(tmp_path)))
    grpc_port, rest_port = servers.free_ports()
    flags = [flag.replace("{folder}", str(tmp_path)) for flag in row.flags]
    ports = [f"--port={grpc_port}", f"--rest_api_port={rest_port}"]
    done = subprocess.run(
        [*servers.command(binary), *ports, *flags],
        stderr=subprocess.PIPE,
        text=True,
        timeout=WITHIN_S,
        check=False,
    )
    assert done.returncode != 0
    assert row.said in done.stderr
    assert "Traceback" not in done.stderr
