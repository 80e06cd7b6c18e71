"""Screening on a real server: which films were screened, and what a film's answer weighs."""

from __future__ import annotations

import asyncio
import json
import time

import numpy as np
import pytest

import neumo
from neumo import contract, release
from neumo._wire.calls import Predict
from neumo.model_status import VersionState
from neumo.release import phantom
from neumo.testing import EmbeddedServer
from support.patience import patience

FILM = phantom.draw(3, 1)[0]
LUNGS = contract.LUNGS.name
NEWEST = release.newest(release.shipped()).release
WAYS = [(name, scheme) for name in ("Client", "AsyncClient") for scheme in ("grpc", "http")]
ways = pytest.mark.parametrize(
    ("name", "scheme"), WAYS, ids=[f"{name}-{scheme}" for name, scheme in WAYS]
)


def board():
    """What is no chest radiograph."""
    y, x = np.mgrid[0:256, 0:256]
    return ((x // 16 + y // 16) % 2 * 255).astype(np.uint8)


def predict(name, url, film=FILM, **options):
    """One prediction by a client of its own."""
    options = {"timeout": patience(30), **options}
    if name == "Client":
        with neumo.Client(url, **options) as client:
            return client.predict(film)

    async def asked():
        async with neumo.AsyncClient(url, **options) as client:
            return await client.predict(film)

    return asyncio.run(asked())


def at(server, scheme):
    """The server's URL."""
    return server.grpc_url if scheme == "grpc" else server.http_url


class Later:
    """The members of the shipped release, to which ``lungs`` comes while they are served."""

    def __init__(self, folder):
        self._folder = folder
        self.fault(None)
        self.serve(MEMBERS)
        flags = [
            f"--model_config_file={folder / 'models.config'}",
            "--model_config_file_poll_wait_seconds=1",
            "--max_num_load_retries=0",
            f"--neumo_faults={folder / 'faults.json'}",
        ]
        self.server = EmbeddedServer(flags)

    def serve(self, models):
        """From the server's next look on, these models and versions."""
        entries = [
            f'config {{ name: "{model}" model_platform: "tensorflow" '
            f'base_path: "{release.shipped() / model}" '
            f"model_version_policy {{ specific {{ versions: {n} }} }} }}"
            for model, n in models.items()
        ]
        self._write("models.config", f"model_config_list {{ {' '.join(entries)} }}")

    def fault(self, kind, **more):
        """From now on ``lungs`` loads so."""
        rules = [] if kind is None else [{"fault": kind, "model": LUNGS, **more}]
        self._write("faults.json", json.dumps(rules))

    def until(self, condition):
        """Wait until what the server tells of ``lungs`` is so."""
        ends = time.monotonic() + patience(60)
        with neumo.Client(self.server.grpc_url, timeout=patience(30)) as client:
            while not condition({one.model: one.versions[0] for one in client.status()}.get(LUNGS)):
                assert time.monotonic() < ends
                time.sleep(0.05)

    def _write(self, name, text):
        staged = self._folder / f"{name}.new"
        staged.write_text(text)
        staged.rename(self._folder / name)


MEMBERS = {member.name: NEWEST for member in contract.MEMBERS}


@pytest.fixture(scope="module")
def later(tmp_path_factory):
    """The members alone."""
    one = Later(tmp_path_factory.mktemp("later"))
    with one.server:
        yield one


@ways
def test_a_server_without_lungs_screens_nothing_and_says_so(later, name, scheme):
    """The film is answered, with a caution; where screening is required, it is not."""
    url = at(later.server, scheme)
    found = predict(name, url)
    assert not found.screened
    assert "not_screened" in [caution.code for caution in found.warnings]
    with pytest.raises(neumo.ModelNotFound, match="so films are not screened"):
        predict(name, url, screen="required")


@pytest.mark.parametrize(("name", "scheme"), [("Client", "grpc"), ("AsyncClient", "http")])
def test_a_film_waits_for_lungs_that_is_loading(later, name, scheme):
    """Longer than the retries would, and is screened."""
    later.fault("slow_load", seconds=3)
    later.serve({**MEMBERS, LUNGS: NEWEST})
    later.until(lambda status: status is not None and status.state is VersionState.LOADING)
    found = predict(name, at(later.server, scheme), retries=1)
    later.serve(MEMBERS)
    later.until(lambda status: not status.ready)
    assert found.screened


def test_where_lungs_failed_to_load_films_say_that_they_were_not_screened(later):
    """On every way; where screening is required, the error says why it failed."""
    later.fault("failing_load", message="out of memory")
    later.serve({**MEMBERS, LUNGS: NEWEST})
    later.until(lambda status: status is not None and status.error)
    for name, scheme in WAYS:
        url = at(later.server, scheme)
        found = predict(name, url)
        assert not found.screened
        assert "not_screened" in [caution.code for caution in found.warnings]
        with pytest.raises(neumo.VersionUnavailable, match=r"failed .*out of memory"):
            predict(name, url, screen="required")


@ways
def test_a_served_release_screens(served, name, scheme):
    """What is no chest radiograph is refused, or let pass with a warning."""
    url = at(served, scheme)
    assert predict(name, url).screened
    with pytest.raises(neumo.NotAChestRadiograph):
        predict(name, url, board())
    found = predict(name, url, board(), screen=False)
    assert found.screened
    assert "not_a_chest_radiograph" in [caution.code for caution in found.warnings]


def test_a_prediction_does_not_fetch_the_mask_over_grpc(served, monkeypatch):
    """64 KiB of it, which only ``explain`` uses."""
    sizes = {}
    read = Predict.read_rpc

    def weighed(self, data):
        sizes[self.model] = len(data)
        return read(self, data)

    monkeypatch.setattr(Predict, "read_rpc", weighed)
    with neumo.Client(served.grpc_url, timeout=patience(30)) as client:
        client.predict(FILM)
        assert sizes[LUNGS] < 1000
        assert client.explain(FILM).lungs is not None
        assert sizes[LUNGS] > 65_000
