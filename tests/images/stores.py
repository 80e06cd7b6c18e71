"""A store with two releases, where an image's build can see it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

from daemon import ROOT

from neumo import release

SHIPPED = ROOT / "serving" / "models"
STORE = ROOT / ".cache" / "models"
"""Below the root, and named in .dockerignore."""


def two_releases() -> list[int]:
    """Fill ``STORE`` with the two newest shipped releases, or one and one made of it.

    Returns their numbers, the older one first.
    """
    made = release.numbers(SHIPPED)[-release.SERVED_VERSIONS :]
    if STORE.exists() and release.numbers(STORE)[0] == made[0] and len(release.numbers(STORE)) > 1:
        return release.numbers(STORE)
    shutil.rmtree(STORE, ignore_errors=True)
    shutil.copytree(SHIPPED, STORE)
    if len(made) == 1:
        # In a process of its own: TensorFlow stays in memory.
        command = [sys.executable, str(ROOT / "tests" / "next_release.py"), str(STORE)]
        subprocess.run(command, check=True, env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"})
    return release.numbers(STORE)[-release.SERVED_VERSIONS :]
