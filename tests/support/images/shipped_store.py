"""The shipped store, where an image's build can see it."""

from __future__ import annotations

import shutil
from pathlib import Path

from neumo import release
from support.places import ROOT

SHIPPED = ROOT / "serving" / "models"
STORE = ROOT / ".cache" / "models"
"""Below the root, and named in .dockerignore."""


def two_releases() -> list[int]:
    """Fill ``STORE`` with every shipped release; the two newest numbers, the older one first."""
    if manifests(STORE) != manifests(SHIPPED):
        shutil.rmtree(STORE, ignore_errors=True)
        shutil.copytree(SHIPPED, STORE)
    return release.numbers(STORE)[-release.SERVED_VERSIONS :]


def manifests(store: Path) -> dict[int, bytes]:
    """What ``store`` says of each release, the hashes of its files among it."""
    return {n: release.manifest_path(store, n).read_bytes() for n in release.numbers(store)}
