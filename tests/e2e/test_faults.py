"""Real faults of a real server: the same error on both transports and from both clients."""

from __future__ import annotations

import asyncio
import json
import shutil
import socket

import pytest

import neumo
from neumo import contract, release
from neumo.release import phantom
from neumo.testing import EmbeddedServer
from support.patience import patience

FILM = phantom.draw(3, 1)[0]
NEWEST = release.newest(release.shipped()).release
TUNED, RESIDUAL = (model.name for model in contract.MEMBERS)
WAYS = [(name, scheme) for name in ("Client", "AsyncClient") for scheme in ("grpc", "http")]
ways = pytest.mark.parametrize(
    ("name", "scheme"), WAYS, ids=[f"{name}-{scheme}" for name, scheme in WAYS]
)


def predict(name, url, **options):
    """One prediction by a client of its own."""
    if name == "Client":
        with neumo.Client(url, **options) as client:
            return client.predict(FILM)

    async def asked():
        async with neumo.AsyncClient(url, **options) as client:
            return await client.predict(FILM)

    return asyncio.run(asked())


class Faulty:
    """A server whose faults are changed while it runs."""

    def __init__(self, folder):
        self._path = folder / "faults.json"
        self.make()
        self.server = EmbeddedServer([f"--neumo_faults={self._path}"])

    def make(self, *rules):
        """From now on these faults, or none."""
        staged = self._path.with_suffix(".new")
        staged.write_text(json.dumps(rules))
        staged.rename(self._path)

    def url(self, scheme):
        """Where it answers by ``scheme``."""
        return self.server.grpc_url if scheme == "grpc" else self.server.http_url


@pytest.fixture(scope="module")
def faulty(tmp_path_factory):
    """The shipped release, with faults on request."""
    made = Faulty(tmp_path_factory.mktemp("faults"))
    with made.server:
        yield made


def rule(fault, **more):
    """A fault of Predict."""
    return {"fault": fault, "method": "Predict", **more}


FAULTS = {
    "reset in mid-call": (rule("reset"), neumo.Unavailable),
    "slow beyond the deadline": (rule("slow", seconds=3), neumo.DeadlineExceeded),
    "garbage bytes": (rule("garbage"), neumo.BadResponse),
    "overloaded": (rule("error", code="RESOURCE_EXHAUSTED"), neumo.Unavailable),
    "an internal error": (rule("error", code="INTERNAL"), neumo.ServingError),
    "one member down": (rule("error", model=RESIDUAL), neumo.Unavailable),
    "not found for good": (
        rule("error", code="NOT_FOUND", model=TUNED),
        neumo.VersionUnavailable,
    ),
}


@ways
@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_the_same_error_on_every_way(faulty, fault, name, scheme):
    """And the line names the address."""
    made, kind = FAULTS[fault]
    faulty.make(made)
    url = faulty.url(scheme)
    with pytest.raises(neumo.ServingError) as raised:
        predict(name, url, timeout=1.0, retries=1)
    assert type(raised.value) is kind
    assert url in str(raised.value)
    if "model" in made:
        assert raised.value.model == made["model"]


@pytest.mark.parametrize("name", ["Client", "AsyncClient"])
@pytest.mark.parametrize(
    ("made", "kind"),
    [
        (rule("html", status=500), neumo.ServingError),
        (rule("html", status=503), neumo.Unavailable),
        (rule("html", status=404), neumo.BadResponse),
        (rule("drip", seconds=0.05), neumo.DeadlineExceeded),
    ],
    ids=["a 500 with HTML", "a 503 with HTML", "a 404 with HTML", "single bytes"],
)
def test_what_only_rest_can_meet(faulty, name, made, kind):
    """A proxy's pages, and answers that drip."""
    faulty.make(made)
    with pytest.raises(neumo.ServingError) as raised:
        predict(name, faulty.server.http_url, timeout=1.0, retries=1)
    assert type(raised.value) is kind
    assert "<" not in str(raised.value)


@ways
@pytest.mark.parametrize("code", ["UNAVAILABLE", "NOT_FOUND"])
def test_what_passes_by_itself_is_not_seen(faulty, name, scheme, code):
    """Two calls are refused, as in the middle of a swap, and the prediction is made."""
    faulty.make(rule("error", code=code, count=2))
    assert predict(name, faulty.url(scheme), timeout=patience(30)).release == NEWEST


@ways
def test_a_slow_answer_is_hedged(faulty, name, scheme):
    """The second call's answer counts where the first is late."""
    faulty.make(rule("slow", seconds=patience(20), count=1))
    assert predict(name, faulty.url(scheme), timeout=patience(15), hedge=0.2).release == NEWEST


@ways
def test_a_server_that_is_not_there_is_unavailable(name, scheme):
    """Its port is free."""
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"{scheme}://127.0.0.1:{unused.getsockname()[1]}"
        with pytest.raises(neumo.Unavailable, match="start one with: neumo serve"):
            predict(name, url, retries=0)


@pytest.mark.parametrize("scheme", ["grpc", "http"])
def test_a_server_that_dies_in_mid_call_is_unavailable(tmp_path, scheme):
    """As by kill -9."""
    faulty = Faulty(tmp_path)
    with faulty.server:
        faulty.make(rule("death"))
        with pytest.raises(neumo.Unavailable):
            predict("Client", faulty.url(scheme), timeout=patience(10), retries=0)


@pytest.fixture(scope="module")
def two_releases(run, tmp_path_factory):
    """A store with releases 1 and 2 of a training run."""
    from neumo_training.commands import export

    store = tmp_path_factory.mktemp("two") / "models"
    shutil.copytree(run.store, store)
    arguments = ["--workdir", str(run.workdir), "--to", str(store), "--release", "2", "--force"]
    assert export.main(arguments) == 0
    return store


def served(folder, store, versions):
    """A server with just these versions of each member."""
    entries = [
        f'config {{ name: "{model}" base_path: "{store / model}" model_platform: "tensorflow" '
        f"model_version_policy {{ specific {{ {' '.join(f'versions: {n}' for n in wanted)} }} }} }}"
        for model, wanted in versions.items()
    ]
    path = folder / "models.config"
    path.write_text(f"model_config_list {{ {' '.join(entries)} }}")
    return EmbeddedServer([f"--model_config_file={path}"])


@pytest.fixture(scope="module")
def in_mid_rollout(two_releases, tmp_path_factory):
    """One member is a release ahead."""
    folder = tmp_path_factory.mktemp("rollout")
    with served(folder, two_releases, {TUNED: [1, 2], RESIDUAL: [1]}) as server:
        yield server


@ways
def test_in_mid_rollout_both_members_answer_from_the_older_release(in_mid_rollout, name, scheme):
    """The member that is ahead is asked again for the release in common."""
    url = in_mid_rollout.grpc_url if scheme == "grpc" else in_mid_rollout.http_url
    prediction = predict(name, url, timeout=patience(30))
    assert prediction.release == 1
    assert {member.version for member in prediction.members} == {1}


@ways
def test_a_pinned_release_that_one_member_lacks_says_so(in_mid_rollout, name, scheme):
    """Nothing is averaged from what is there."""
    url = in_mid_rollout.grpc_url if scheme == "grpc" else in_mid_rollout.http_url
    with pytest.raises(neumo.VersionUnavailable, match="version 2 is not served") as raised:
        predict(name, url, timeout=patience(30), release=2)
    assert raised.value.model == RESIDUAL


@pytest.fixture(scope="module")
def apart(two_releases, tmp_path_factory):
    """Two members without a release in common."""
    folder = tmp_path_factory.mktemp("apart")
    with served(folder, two_releases, {TUNED: [2], RESIDUAL: [1]}) as server:
        yield server


@ways
def test_members_without_a_release_in_common_are_a_mismatch(apart, name, scheme):
    """There is no honest ensemble of the two."""
    url = apart.grpc_url if scheme == "grpc" else apart.http_url
    with pytest.raises(neumo.ReleaseMismatch, match="answered from 2"):
        predict(name, url, timeout=patience(30))
