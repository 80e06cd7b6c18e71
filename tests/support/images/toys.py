"""Images of small drawn networks that start within seconds, and of one that does not load."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

from support import whole_release
from support.images import daemon
from support.places import ROOT

FIRST, LAST = 11, 14
"""Release 11 has no ``lungs`` and none before it; the image of any other holds the one before."""
TRUNCATED = f"{LAST}-truncated"
"""The tag of the last one, of which one model's graph was cut off."""
CUT = "pneumonia_tuned"
FOLDER = ROOT / ".cache" / "toys"
DOCKERFILE = """
ARG SERVER
FROM ${SERVER}
COPY models-available /usr/local/bin/
COPY models /models
USER 10001:10001
"""


def build(server: str) -> list[str]:
    """Build every image on ``server``; their tags."""
    shutil.rmtree(FOLDER, ignore_errors=True)
    store = FOLDER / "store"
    store.mkdir(parents=True)
    numbers = range(FIRST, LAST + 1)
    for number in numbers:
        whole_release.write(store, number, lungs=number > FIRST)
    folders = {str(number): _packed(store, number, str(number)) for number in numbers}
    folders[TRUNCATED] = _packed(store, LAST, TRUNCATED)
    graph = folders[TRUNCATED] / "models" / CUT / str(LAST) / "saved_model.pb"
    graph.write_bytes(graph.read_bytes()[:1000])
    return [_image(folder, f"neumo-tfserving:{tag}", server) for tag, folder in folders.items()]


def _packed(store: Path, number: int, name: str) -> Path:
    folder = FOLDER / name
    folder.mkdir()
    pack = [sys.executable, str(ROOT / "serving" / "pack.py"), str(store), str(number)]
    subprocess.run([*pack, str(folder / "models")], check=True, stdout=subprocess.DEVNULL)
    subprocess.run(["chmod", "-R", "a+rX", str(folder)], check=True)
    shutil.copy(ROOT / "serving" / "models-available", folder)
    (folder / "Dockerfile").write_text(DOCKERFILE)
    return folder


def _image(folder: Path, tag: str, server: str) -> str:
    daemon.docker("build", "--build-arg", f"SERVER={server}", "-t", tag, str(folder))
    return tag
