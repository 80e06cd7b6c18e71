"""A store with two releases, where an image's build can see it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

from daemon import ROOT

from neumo import release

SHIPPED = ROOT / "serving" / "models"
STORE = ROOT / ".cache" / "models"
"""Below the root, and named in .dockerignore."""


def two_releases() -> list[int]:
    """Fill ``STORE`` with every shipped release, or with the one that there is and one made of it.

    Returns the two newest numbers, the older one first.
    """
    if not is_filled():
        fill()
    return release.numbers(STORE)[-release.SERVED_VERSIONS :]


def is_filled() -> bool:
    """Whether ``STORE`` has two releases, and every one that is shipped as it is shipped today."""
    held, shipped = release.numbers(STORE), release.numbers(SHIPPED)
    return len(held) >= release.SERVED_VERSIONS and all(
        number in held and manifest(STORE, number) == manifest(SHIPPED, number)
        for number in shipped
    )


def manifest(store: Path, number: int) -> bytes:
    """What ``store`` says of release ``number``, the hashes of its files among it."""
    return release.manifest_path(store, number).read_bytes()


def fill() -> None:
    """Copy what is shipped, and add a release where it is only one."""
    shutil.rmtree(STORE, ignore_errors=True)
    shutil.copytree(SHIPPED, STORE)
    if len(release.numbers(STORE)) < release.SERVED_VERSIONS:
        # In a process of its own: TensorFlow stays in memory.
        command = [sys.executable, str(ROOT / "tests" / "next_release.py"), str(STORE)]
        subprocess.run(command, check=True, env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"})
