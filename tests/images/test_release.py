"""The image of a release: built, judged while it is built, and asked."""

from __future__ import annotations

import shutil
import subprocess
import sys
import time

import pytest

import neumo
from neumo import release
from neumo.release import phantom
from support.images import daemon, shipped_store
from support.images.daemon import docker, healthy
from support.patience import patience
from support.places import ROOT

pytestmark = [pytest.mark.images, pytest.mark.timeout(3600)]

FILE = "serving/Dockerfile"
MODELS = str(shipped_store.STORE.relative_to(ROOT))
TAG = "neumo-tfserving"
HEALTH = ("--health-cmd", "bash -c '</dev/tcp/127.0.0.1/8500'", "--health-interval", "2s")


@pytest.fixture(scope="module")
def releases():
    """The numbers of the two releases in the store."""
    daemon.need_daemon()
    daemon.server()
    return shipped_store.two_releases()


@pytest.fixture(scope="module", params=[0, 1], ids=["older", "newer"])
def built(request, releases):
    """The image of one of them; its number, tag, and the releases that it must hold."""
    number = releases[request.param]
    tag = daemon.build(FILE, f"{TAG}:{number}", RELEASE=str(number), MODELS=MODELS)
    return number, tag, releases[: request.param + 1]


def test_it_says_which_release_it_is(built):
    """A numeric user who is not root, and the release as the version."""
    number, tag, _ = built
    config = daemon.inspect(tag)["Config"]
    assert config["User"] == "10001:10001"
    assert config["Labels"]["org.opencontainers.image.version"] == str(number)


def test_it_serves_its_release_and_the_one_before(built):
    """With a read-only root, as another user; every model has those that it is part of, ready."""
    number, tag, held = built
    options = ["--tmpfs=/tmp", "--user", "12345:12345", "--publish", "127.0.0.1::8500"]
    with daemon.running(*options, *HEALTH, tag) as name:
        healthy(name)
        address = docker("port", name, "8500/tcp")
        with neumo.Client(f"grpc://{address}", timeout=patience(60.0)) as client:
            models = loaded(client)
            assert client.predict(phantom.draw(1, 1)[0]).release == number
            for model in models:
                assert sorted(one.version for one in model.versions if one.ready) == [
                    one for one in held if model.model in manifest(one).models
                ]


def manifest(number):
    """What the store says of a release."""
    return release.read(release.manifest_path(shipped_store.STORE, number))


def loaded(client):
    """What the server says of its models when it loads no more: its ports open at the first."""
    deadline = time.monotonic() + daemon.READY_WITHIN_S
    while not all(one.ready for model in client.status() for one in model.versions):
        assert time.monotonic() < deadline, client.status()
        time.sleep(0.5)
    return client.status()


def refused(**arguments):
    """The words with which the build ends."""
    with pytest.raises(AssertionError) as caught:
        daemon.build(FILE, "neumo-tfserving:unsound", **arguments)
    return str(caught.value)


def test_a_release_that_is_not_there_is_not_built(releases):
    """It says which ones are."""
    words = refused(RELEASE="99", MODELS=MODELS)
    assert f"no release 99 in the store, which has {', '.join(map(str, releases))}" in words


def test_a_build_that_names_no_release_says_how_to(releases):
    """The tag is the release, so there is no default."""
    assert "which release? docker build --build-arg RELEASE=N" in refused(MODELS=MODELS)


def test_a_release_that_was_changed_is_not_built(releases):
    """``neumo release check`` finds it."""
    unsound = shipped_store.STORE.with_name("models-unsound")
    shutil.rmtree(unsound, ignore_errors=True)
    shutil.copytree(shipped_store.SHIPPED, unsound)
    number = releases[0]
    (weights,) = unsound.glob(f"pneumonia_tuned/{number}/variables/variables.data*")
    content = weights.read_bytes()
    weights.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    words = refused(RELEASE=str(number), MODELS=str(unsound.relative_to(ROOT)))
    assert f"release {number}, pneumonia_tuned: " in words


def test_it_answers_as_tensorflow_serving_does(built, tmp_path):
    """The conformance rows over their own models, mounted in place of the release's."""
    _, tag, _ = built
    write = [sys.executable, str(ROOT / "tests" / "store.py"), str(tmp_path), "--mount", "/models"]
    subprocess.run(write, check=True)
    tmp_path.chmod(0o755)
    flags = ["--rest_api_port=8501", *(tmp_path / "server.flags").read_text().split()]
    options = ["--tmpfs=/tmp", "--publish-all", "--volume", f"{tmp_path}:/models:ro"]
    with daemon.running(*options, *HEALTH, tag, *flags) as name:
        healthy(name)
        grpc, rest = (docker("port", name, port).splitlines()[0] for port in ("8500", "8501"))
        rows = ["tests/serving/test_conformance.py", "--server", grpc, "--rest", rest]
        command = [sys.executable, "-m", "pytest", "-q", "-k", "test_grpc or test_rest", *rows]
        done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=False)
        assert done.returncode == 0, done.stdout[-3000:]
