"""The gateway before the shipped release, in a process that cannot write to a file."""

from __future__ import annotations

import os

import pytest

from neumo.testing.fixtures import neumo_server
from support.gateway_process import gateway, write_nothing

__all__ = ["neumo_server"]


@pytest.fixture(scope="session")
def temporary_folder(tmp_path_factory):
    """Where the gateway would put temporary files."""
    return tmp_path_factory.mktemp("temporary")


@pytest.fixture(scope="session")
def web(neumo_server, temporary_folder):
    """The gateway as a user runs it, but for the rate of one client."""
    environ = {"TMPDIR": str(temporary_folder), "PYTHONDONTWRITEBYTECODE": "1"}
    with gateway(
        neumo_server.grpc_url,
        "--rate=0",
        "--films-at-once=32",
        environ=environ,
        before=write_nothing,
    ) as running:
        yield running


@pytest.fixture(autouse=True)
def _no_spare_environment(monkeypatch):
    for name in [name for name in os.environ if name.startswith("NEUMO_")]:
        monkeypatch.delenv(name)
