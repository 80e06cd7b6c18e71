"""The gateway's image, built and run by a docker daemon."""

from __future__ import annotations

import json
import urllib.request

import daemon
import pytest
from daemon import docker, healthy

pytestmark = [pytest.mark.images, pytest.mark.timeout(1800)]

LARGEST_BYTES = 600_000_000


@pytest.fixture(scope="module")
def image():
    """The image, built from this checkout."""
    daemon.need_daemon()
    return daemon.inspect(daemon.gateway())


@pytest.fixture(scope="module")
def container(image):
    """The image run as it should be, without a model server."""
    options = ["--read-only", "--user", "12345:12345", "--cap-drop", "ALL"]
    name = docker("run", "--detach", *options, "--publish", "127.0.0.1::8080", daemon.GATEWAY)
    yield name
    docker("rm", "--force", name)


def test_it_is_small(image):
    """Under 600 MB unpacked: it holds no TensorFlow."""
    assert image["Size"] < LARGEST_BYTES


def test_it_says_what_it_is(image):
    """A numeric user who is not root, its port, the program, and the standard labels."""
    config = image["Config"]
    assert config["User"] == "10001:10001"
    assert set(config["ExposedPorts"]) == {"8080/tcp"}
    assert config["Entrypoint"] == ["neumo", "web"]
    prefix = "org.opencontainers.image."
    assert {f"{prefix}{name}" for name in ("title", "version", "licenses", "revision")} <= set(
        config["Labels"]
    )


def test_it_needs_nothing_writable(container):
    """Healthy on a read-only root without even a /tmp, and the page is there."""
    healthy(container)
    address = docker("port", container, "8080/tcp")
    with urllib.request.urlopen(f"http://{address}/") as page:
        assert b"neumo" in page.read()


def test_it_stops_in_peace(container):
    """SIGTERM ends it with status 0."""
    healthy(container)
    docker("stop", "--time", "60", container)
    assert json.loads(docker("inspect", container))[0]["State"]["ExitCode"] == 0
