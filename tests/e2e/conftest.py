"""The shipped release, served, and the program as a user runs it."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
from PIL import Image

from neumo.release import phantom
from neumo.testing.fixtures import neumo_server
from support.patience import patience
from support.places import VAL

__all__ = ["neumo_server"]


@pytest.fixture(scope="session")
def served(neumo_server):
    """The embedded server with the release that neumo ships."""
    return neumo_server


@pytest.fixture(scope="session")
def val_films():
    """The 16 validation films of the public data set, at their original size."""
    films = sorted(VAL.rglob("*.jpeg"))
    if not films:
        pytest.skip("the public data set is not on this machine: shared/data/chest_xray/val")
    return films


@pytest.fixture
def drawn_film(tmp_path):
    """A file with a drawn film."""
    path = tmp_path / "drawn.png"
    Image.fromarray(phantom.draw(4, 1)[0, :, :, 0]).resize((900, 1100)).save(path)
    return path


@pytest.fixture
def neumo_program(served):
    """Runs ``neumo`` as a subprocess with the served release as its default server."""

    def run(*arguments, cwd=None, server=served.grpc_url):
        environ = {**os.environ, "NEUMO_SERVER": server}
        return subprocess.run(
            [sys.executable, "-m", "neumo.commands.program", *map(str, arguments)],
            capture_output=True,
            text=True,
            env=environ,
            cwd=cwd,
            timeout=patience(240),
            check=False,
        )

    return run
