"""What the conformance rows are asked of: this project's server, or one at an address."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from neumo.testing import EmbeddedServer
from support.conformance import servers
from support.conformance.rows import PLAIN
from support.toy_model import MODEL, connected, save_toy, write_config

STORE = Path(__file__).parents[1] / "store.py"


def pytest_addoption(parser):
    """Where the server is that is judged."""
    group = parser.getgroup("TensorFlow Serving's conformance")
    group.addoption("--server", help="judge the server at this gRPC address, host:port")
    group.addoption("--rest", help="where that server speaks REST, host:port")
    group.addoption(
        "--server-binary",
        default="",
        help="the program that is started for rows with flags or a life of their own, such as "
        "tensorflow_model_server (default: python -m neumo_serving)",
    )


@pytest.fixture(scope="session")
def models_store(tmp_path_factory):
    """The rows' models and files, written by ``python tests/store.py``."""
    folder = tmp_path_factory.mktemp("store")
    written = subprocess.run(
        [sys.executable, STORE, folder], capture_output=True, text=True, check=False
    )
    assert written.returncode == 0, written.stderr
    return folder


@pytest.fixture(scope="session")
def binary(request):
    """The program that is started; a test that needs it is skipped where an address is judged."""
    options = request.config.option
    if options.server and not options.server_binary:
        pytest.skip("it needs a server of its own: name a program with --server-binary")
    return options.server_binary


@pytest.fixture(scope="session")
def processes():
    """The servers that were started for rows, by name; they end with the session."""
    started = {}
    yield started
    for one in started.values():
        one.stop()


@pytest.fixture(scope="session")
def judged(request, processes):
    """The endpoint of the server that a row names; a process, or the address that was given."""
    options = request.config.option

    def find(name):
        if name == PLAIN and options.server:
            if not options.rest:
                pytest.fail("--server needs --rest: where does it speak REST?")
            return servers.endpoint(options.server, options.rest)
        program = request.getfixturevalue("binary")
        if name not in processes:
            folder = request.getfixturevalue("models_store")
            server = servers.start(program, servers.flags_of(name, folder))
            processes[name] = servers.wait_until_ready(server)
        return processes[name].endpoint

    return find


@pytest.fixture(scope="session")
def store(tmp_path_factory):
    """A store with versions 1 and 2 of the toy; 1 is written as 00001."""
    folder = tmp_path_factory.mktemp("toys") / MODEL
    folder.mkdir()
    save_toy(folder, 1).rename(folder / "00001")
    save_toy(folder, 2)
    (folder / "notes").mkdir()
    return folder


@pytest.fixture(scope="session")
def running(store, tmp_path_factory):
    """The embedded server on the store."""
    config = write_config(tmp_path_factory.mktemp("config") / "models.config", store)
    flags = [f"--model_config_file={config}", "--allow_version_labels_for_unavailable_models"]
    with EmbeddedServer(flags) as server:
        found = connected(server)
        yield found
        found.channel.close()


@pytest.fixture
def x():
    """An input of the default signature."""
    return np.array([[1.0, 2.0], [3.0, 4.0]], np.float32)
