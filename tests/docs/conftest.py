"""What a page's blocks find: a served release, a gateway, drawn films in the working folder."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import trustme
from PIL import Image

sys.path.insert(0, str(Path(__file__).parent))

from blocks import ROOT
from running import Stage

from neumo.release import phantom
from neumo.settings import TIMEOUT_VARIABLE
from neumo.testing.fixtures import neumo_server

__all__ = ["neumo_server"]

PATIENTS = 6


@pytest.fixture(scope="session")
def gateway_ports(neumo_server):
    """The users' and the operators' port of a gateway before the served release."""
    ports = ["--port=0", "--operators-port=0"]
    command = [sys.executable, "-m", "neumo.commands.program", "web", *ports]
    with subprocess.Popen(
        [*command, f"--server={neumo_server.grpc_url}", "--rate=0"],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        cwd=ROOT,
    ) as process:
        assert process.stdout is not None
        try:
            operators = next(line for line in process.stdout if "operators: http://" in line)
            ready = next(line for line in process.stdout if "ready: http://" in line)
            yield tuple(int(line.rpartition(":")[2]) for line in (ready, operators))
        finally:
            process.kill()


@pytest.fixture(scope="session")
def drawn_folder(tmp_path_factory):
    """What lies in each page's working folder: no patient's films, all of them drawn."""
    folder = tmp_path_factory.mktemp("drawn")
    films = [Image.fromarray(one[:, :, 0]) for one in phantom.chests(3, 4)]
    films[0].resize((900, 1100)).save(folder / "scan.jpeg", quality=95)
    (folder / "films").mkdir()
    for number, film in enumerate(films):
        film.resize((640, 480)).save(folder / "films" / f"{number}.png")
    np.save(folder / "scan.npy", phantom.chests(3, 1)[0])
    _kaggle(folder / "chest_xray")
    authority = trustme.CA()
    authority.cert_pem.write_to_path(folder / "ca.pem")
    (folder / "tokens").write_text("a-token-of-the-docs\n")
    return folder


def _kaggle(folder: Path) -> None:
    """A few drawn films in Kaggle's layout, with Kermany's names."""
    for label, seed in (("NORMAL", 10), ("PNEUMONIA", 20)):
        (folder / label).mkdir(parents=True)
        for number, pixels in enumerate(phantom.chests(seed, PATIENTS)):
            normal = f"IM-{number:04d}-0001"
            name = normal if label == "NORMAL" else f"person{number}_virus_{number}"
            Image.fromarray(pixels[:, :, 0]).save(folder / label / f"{name}.jpeg")


@pytest.fixture
def stage(neumo_server, gateway_ports, drawn_folder, tmp_path, monkeypatch):
    """Where the blocks of a page are run."""
    for path in drawn_folder.iterdir():
        (tmp_path / path.name).symlink_to(path)
    monkeypatch.chdir(tmp_path)
    own = (name for name in os.environ if name.startswith("NEUMO_"))
    for name in [name for name in own if name != TIMEOUT_VARIABLE]:  # a slow machine's stays
        monkeypatch.delenv(name)
    monkeypatch.setenv("NEUMO_SERVER", neumo_server.grpc_url)
    return Stage(
        tmp_path,
        {
            "localhost:8500": neumo_server.grpc_url.removeprefix("grpc://"),
            "localhost:8501": neumo_server.http_url.removeprefix("http://"),
            "localhost:8080": f"127.0.0.1:{gateway_ports[0]}",
            "localhost:8081": f"127.0.0.1:{gateway_ports[1]}",
        },
    )


@pytest.fixture
def bare_stage(tmp_path):
    """Where blocks are parsed, none run."""
    return Stage(tmp_path, {})
