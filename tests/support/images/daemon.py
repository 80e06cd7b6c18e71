"""The docker daemon that the tests ask, and the images that they build with it.

``NEUMO_BASE_IMAGE`` names another image with Python to build on, where Docker Hub is out of reach.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from support.patience import patience
from support.places import ROOT

EMBEDDED = "neumo-embedded:0.1.0"
GATEWAY = "neumo-gateway:0.1.0"
SERVER = re.findall(
    r"^ARG SERVER=(\S+)$", (ROOT / "serving" / "Dockerfile").read_text(encoding="utf-8"), re.M
)[0]
"""TensorFlow Serving's image: its number is written there."""
READY_WITHIN_S = patience(600.0)
LABELS = {f"org.opencontainers.image.{n}" for n in ("title", "version", "licenses", "revision")}
"""The standard ones that every image of ours has."""


def docker(*words: str, check: bool = True) -> str:
    """What docker says."""
    done = subprocess.run(["docker", *words], capture_output=True, text=True, check=False)
    assert not check or done.returncode == 0, (done.stdout + done.stderr)[-3000:]
    return done.stdout.strip()


def need_daemon() -> None:
    """Skip the test where no daemon answers."""
    if not shutil.which("docker") or docker("info", check=False) == "":
        pytest.skip("no docker daemon answers here: start one to build and run the images")


def build(file: str, tag: str, **arguments: str) -> str:
    """Build the image ``tag`` from ``file`` in this checkout, and return the tag."""
    if base := os.environ.get("NEUMO_BASE_IMAGE"):
        arguments["BASE"] = base
    given = [word for key, value in arguments.items() for word in ("--build-arg", f"{key}={value}")]
    docker("build", *given, "-f", str(ROOT / file), "-t", tag, str(ROOT))
    return tag


def embedded() -> str:
    """The embedded server's image."""
    return build("serving/embedded.Dockerfile", EMBEDDED)


def gateway() -> str:
    """The gateway's image."""
    return build("serving/gateway.Dockerfile", GATEWAY)


def server() -> str:
    """TensorFlow Serving's image, or where it cannot be pulled a stand-in under its name."""
    if is_stand_in(SERVER) or not (is_there(SERVER) or is_pulled(SERVER)):
        embedded()
        docker("build", "-t", SERVER, str(ROOT / "tests" / "images" / "standin"))
    return SERVER


def is_stand_in(image: str) -> bool:
    """Whether ``image`` was built here under another's name, perhaps of older sources."""
    return is_there(image) and "neumo.stand-in" in (inspect(image)["Config"]["Labels"] or {})


def is_there(image: str) -> bool:
    """Whether the daemon has ``image``."""
    return docker("images", "--quiet", image) != ""


def is_pulled(image: str) -> bool:
    """Whether a registry gave ``image``."""
    done = subprocess.run(["docker", "pull", "--quiet", image], capture_output=True, check=False)
    return done.returncode == 0


def inspect(image: str) -> Any:
    """What the daemon knows of ``image``."""
    return json.loads(docker("image", "inspect", image))[0]


@contextmanager
def running(*words: str) -> Iterator[str]:
    """The name of a container of ``docker run *words``, hardened; it is removed in the end."""
    name = docker("run", "--detach", "--read-only", "--cap-drop", "ALL", *words)
    try:
        yield name
    finally:
        docker("rm", "--force", name)


def check_identity(image: Any, ports: set[str], program: list[str]) -> None:
    """A numeric user who is not root, ``ports``, ``program``, and the standard labels."""
    config = image["Config"]
    assert config["User"] == "10001:10001"
    assert set(config["ExposedPorts"]) == ports
    assert config["Entrypoint"] == program
    assert set(config["Labels"]) >= LABELS


def check_stops(container: str) -> None:
    """SIGTERM ends it with status 0."""
    healthy(container)
    docker("stop", "--time", "60", container)
    assert json.loads(docker("inspect", container))[0]["State"]["ExitCode"] == 0


def healthy(container: str) -> None:
    """Wait until docker calls ``container`` healthy."""
    deadline = time.monotonic() + READY_WITHIN_S
    while time.monotonic() < deadline:
        state = json.loads(docker("inspect", container))[0]["State"]
        assert state["Running"], docker("logs", container)
        if state["Health"]["Status"] == "healthy":
            return
        time.sleep(1)
    pytest.fail(f"it never became healthy: {docker('logs', container)}")
