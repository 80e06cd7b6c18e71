"""The startup probe ``serving/models-available``, asked of a real server."""

from __future__ import annotations

import shutil
import subprocess

import pytest

from neumo import release
from support import toy_release
from support.cluster.kubectl import until
from support.places import ROOT
from support.serving_process import free_port, said_until, serve, serving

PROBE = ROOT / "serving" / "models-available"


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    """Releases 1 and 2."""
    folder = tmp_path_factory.mktemp("models")
    for number in (1, 2):
        toy_release.write(folder, number)
    configure(folder)
    return folder


def configure(store):
    """Write the ``models.config`` of ``store``, as its images have it."""
    manifest = release.read(store / "releases" / "2.json")
    (store / "models.config").write_text(release.models_config(manifest, str(store)))


def flags(store, port):
    """The flags of a server of what lies in ``store``."""
    return (f"--model_config_file={store / 'models.config'}", f"--rest_api_port={port}")


def probed(folder, port):
    """The probe's exit status and its line."""
    done = subprocess.run(
        ["bash", str(PROBE), str(folder), str(port)], capture_output=True, text=True, check=False
    )
    return done.returncode, done.stdout.strip()


def test_it_passes_when_every_model_is_available_at_every_release(store):
    """Silently, as probes do; the ports are open before the older release has loaded."""
    port = free_port()
    with serving(*flags(store, port)):
        until(lambda: probed(store, port) == (0, ""), "every release is available")


def test_a_model_that_did_not_load_is_named(store, tmp_path):
    """Its other version answers, and so do the other models: the ports are open."""
    spoilt = shutil.copytree(store, tmp_path / "spoilt")
    configure(spoilt)
    (spoilt / "pneumonia_tuned" / "2" / "saved_model.pb").write_bytes(b"\x08\x01\x12")
    port = free_port()
    with serve(*flags(spoilt, port), "--max_num_load_retries=0") as server:
        try:
            said_until(server, "ready")
            until(lambda: not probed(spoilt, port)[1].endswith("LOADING"), "it has been tried")
            found = probed(spoilt, port)
        finally:
            server.kill()
    assert found == (1, "pneumonia_tuned/2 is not AVAILABLE: END")


def test_a_release_that_the_server_does_not_have_is_named(store, tmp_path):
    """Such as one that its configuration leaves out."""
    more = shutil.copytree(store, tmp_path / "more")
    shutil.copytree(store / "pneumonia_residual" / "2", more / "pneumonia_residual" / "3")
    port = free_port()
    with serving(*flags(store, port)):
        assert probed(more, port) == (
            1,
            "pneumonia_residual/3 is not AVAILABLE: unknown to the server",
        )


def test_a_server_that_is_not_there_yet_does_not_pass(store, tmp_path):
    """Nor does a folder without models, which nobody would have meant."""
    port = free_port()
    assert probed(store, port) == (1, f"no server on port {port} yet")
    assert probed(tmp_path, port) == (1, f"no model in {tmp_path}")
