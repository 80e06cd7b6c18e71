"""The embedded server's image, built and run by a docker daemon: ``make test-images``."""

from __future__ import annotations

import subprocess
import sys

import pytest

import neumo
from neumo.release import phantom
from support.images import daemon
from support.images.daemon import docker, healthy
from support.patience import patience
from support.places import ROOT

pytestmark = [pytest.mark.images, pytest.mark.timeout(1800)]

TAG = daemon.EMBEDDED
LOCK = "requirements/serving.lock"
LARGEST_BYTES = 2_800_000_000
UNWANTED = """
find / -xdev -type f -perm /1 \\( -name gcc -o -name cc -o -name clang -o -name make \\)
find /opt -type d \\( -name tests -o -name .cache -o -name .git \\)
find /root/.cache /var/lib/apt/lists /tmp -type f
"""


@pytest.fixture(scope="module")
def image():
    """The image, built from this checkout."""
    daemon.need_daemon()
    return daemon.inspect(daemon.embedded())


@pytest.fixture(scope="module")
def container(image):
    """The image run as it should be: another user, nothing writable but /tmp, on free ports."""
    options = ["--tmpfs=/tmp", "--user", "12345:12345"]
    ports = ["--publish", "127.0.0.1::8500", "--publish", "127.0.0.1::8501"]
    with daemon.running(*options, *ports, TAG) as name:
        yield name


def test_it_is_small(image):
    """Under 2.8 GB unpacked."""
    assert image["Size"] < LARGEST_BYTES


def test_it_says_what_it_is(image):
    """A numeric user who is not root, both ports, the program, and the standard labels."""
    daemon.check_identity(image, {"8500/tcp", "8501/tcp"}, ["neumo", "serve"])


def test_it_holds_no_compilers_caches_or_tests(image):
    """Only what serves."""
    found = docker(
        "run", "--rm", "--user", "0", "--entrypoint", "sh", TAG, "-c", UNWANTED, check=False
    )
    assert found == ""


def test_it_serves_the_shipped_release_on_a_read_only_root(container):
    """Over both transports, to the SDK on the host; docker finds it healthy."""
    healthy(container)
    film = phantom.draw(1, 1)[0]
    answers = []
    for scheme, port in (("grpc", "8500"), ("http", "8501")):
        address = docker("port", container, f"{port}/tcp")
        with neumo.Client(f"{scheme}://{address}", timeout=patience(60.0)) as client:
            answers.append(client.predict(film).probability)
            assert all(one.versions[0].ready for one in client.status())
    assert answers[0] == pytest.approx(answers[1], abs=1e-6)


def test_it_stops_in_peace(container):
    """SIGTERM ends it with status 0."""
    daemon.check_stops(container)


@pytest.mark.parametrize("python", ["3.11", "3.12", "3.13"])
@pytest.mark.parametrize("processor", ["aarch64", "x86_64"])
def test_the_lock_has_wheels_for_both_processors(tmp_path, python, processor):
    """Every pinned package, by its hash, without a compiler; arm64 is resolved, not built here."""
    words = [sys.executable, "-m", "uv", "pip", "install", "--dry-run", "--target", str(tmp_path)]
    words += ["--python-platform", f"{processor}-manylinux_2_28", "--python-version", python]
    words += ["--only-binary", ":all:", "--no-deps", "--require-hashes", "-r", LOCK]
    done = subprocess.run(words, capture_output=True, text=True, cwd=ROOT, check=False)
    assert done.returncode == 0, done.stderr
    assert "tensorflow==" in done.stderr
