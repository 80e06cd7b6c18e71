"""Build the images that the tests on a cluster run, and give them to it.

    python tests/k8s/images.py LOAD

``LOAD`` is the command that takes an archive of images: ``kind load image-archive``,
``k3d image import``, ``minikube image load``.
"""

from __future__ import annotations

import shlex
import subprocess
import sys
import tempfile
from pathlib import Path

import tests_path  # noqa: F401

from support.images import daemon, shipped_store, toys
from support.places import ROOT


def build() -> list[str]:
    """Every image: the gateway's, two releases on each server, and the toys."""
    models = str(shipped_store.STORE.relative_to(ROOT))
    servers = {"neumo-tfserving": daemon.server(), "neumo-embedded": daemon.embedded()}
    numbers = shipped_store.two_releases()
    tags = [daemon.gateway()]
    for name, server in servers.items():
        for number in numbers:
            given = {"RELEASE": str(number), "MODELS": models, "SERVER": server}
            tags.append(daemon.build("serving/Dockerfile", f"{name}:{number}", **given))
    return [*tags, *toys.build(servers["neumo-tfserving"])]


def main(load: str) -> None:
    """Build, and load what was built."""
    tags = build()
    with tempfile.TemporaryDirectory() as folder:
        archive = str(Path(folder) / "images.tar")
        daemon.docker("save", "--output", archive, *tags)
        subprocess.run([*shlex.split(load), archive], check=True)
    sys.stdout.write(f"loaded: {', '.join(tags)}\n")


if __name__ == "__main__":
    main(sys.argv[1])
