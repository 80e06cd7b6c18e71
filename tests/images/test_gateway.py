"""The gateway's image, built and run by a docker daemon."""

from __future__ import annotations

import urllib.request

import pytest

from support.images import daemon
from support.images.daemon import docker, healthy

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
    options = ["--user", "12345:12345", "--publish", "127.0.0.1::8080"]
    with daemon.running(*options, daemon.GATEWAY) as name:
        yield name


def test_it_is_small(image):
    """Under 600 MB unpacked: it holds no TensorFlow."""
    assert image["Size"] < LARGEST_BYTES


def test_it_says_what_it_is(image):
    """A numeric user who is not root, its port, the program, and the standard labels."""
    daemon.check_identity(image, {"8080/tcp"}, ["neumo", "web"])


def test_it_needs_nothing_writable(container):
    """Healthy on a read-only root without even a /tmp, and the page is there."""
    healthy(container)
    address = docker("port", container, "8080/tcp")
    with urllib.request.urlopen(f"http://{address}/") as page:
        assert b"neumo" in page.read()


def test_it_stops_in_peace(container):
    """SIGTERM ends it with status 0."""
    daemon.check_stops(container)
