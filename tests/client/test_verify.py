"""``neumo verify`` without a model: what servers say of themselves, manifests, statistics."""

from __future__ import annotations

import json
import random
import time
from dataclasses import replace

import numpy as np
import pytest

from neumo import contract, release
from neumo._proto import serving_pb2 as pb
from neumo.commands import server_addresses
from neumo.commands import verify as command
from neumo.errors import ConfigError, Unavailable
from neumo.release import golden, phantom, plain_pictures
from neumo.verification import ManifestFile, Verdict, latency, paired_times, verify
from neumo.verification.report import Check, Remark, Report
from support.grpc_server import grpc_server
from support.patience import patience
from support.releases import MEMBERS, change_manifest, write_manifest, write_release

TUNED = MEMBERS[0]
STATES = pb.ModelVersionStatus.State


@pytest.fixture
def store(tmp_path):
    """A folder with the manifest of a release 1, which names the members alone."""
    write_release(tmp_path)
    return tmp_path


def telling(state):
    """A server whose members are in ``state``, in version 1."""

    def answer(request, context):
        import grpc

        name = pb.GetModelStatusRequest.FromString(request).model_spec.name
        if name == contract.LUNGS.name:
            context.abort(grpc.StatusCode.NOT_FOUND, "Could not find any versions of model")
        response = pb.GetModelStatusResponse()
        response.model_version_status.add(version=1, state=state)
        return response.SerializeToString()

    return grpc_server(answer)


@pytest.mark.parametrize("state", ["UNKNOWN", "START", "LOADING"])
def test_a_version_that_may_still_come_tells_nothing(store, state):
    """It is not there yet, and not wrong."""
    with telling(STATES.Value(state)) as url:
        report = verify([url], ManifestFile.find(1, where=store))
    assert report.verdict is Verdict.CANNOT_TELL
    assert {remark.model for remark in report.unknown} == set(MEMBERS)
    assert all(remark.check is Check.AVAILABLE for remark in report.unknown)
    assert "wait longer, --wait" in report.unknown[0].text


@pytest.mark.parametrize("state", ["UNLOADING", "END"])
def test_a_version_that_was_taken_away_is_bad(store, state):
    """Waiting may bring it back, so it is asked again as long as that is allowed."""
    with telling(STATES.Value(state)) as url:
        report = verify([url], ManifestFile.find(1, where=store), wait_s=0.6)
    assert report.verdict is Verdict.BAD
    assert "was taken away" in report.faults[0].text


def test_what_was_found_stays_found_where_the_server_goes_away(store):
    """One model does not load, and of the other nobody answers: that is bad, not unknown."""

    def answer(request, context):
        import grpc

        name = pb.GetModelStatusRequest.FromString(request).model_spec.name
        if name != sorted(MEMBERS)[0]:
            context.abort(grpc.StatusCode.UNAVAILABLE, "shutting down")
        response = pb.GetModelStatusResponse()
        version = response.model_version_status.add(version=1, state=STATES.Value("END"))
        version.status.error_code = 3
        version.status.error_message = "no SavedModel"
        return response.SerializeToString()

    with grpc_server(answer) as url:
        report = verify([url], ManifestFile.find(1, where=store), wait_s=60.0)
    assert report.verdict is Verdict.BAD
    assert "does not load: " in report.faults[0].text
    assert {remark.check for remark in report.unknown} == {Check.SERVER}


def test_a_url_that_cannot_be_used_is_told_before_any_is_asked(store):
    """Minutes would be lost."""
    told = []
    held = ManifestFile.find(1, where=store)
    with pytest.raises(ConfigError, match="ftp"):
        verify(["grpc://127.0.0.1:1", "ftp://x"], held, wait_s=60.0, progress=told.append)
    assert told == []


class Small:
    """A server that has ``most`` calls under way at a time, and refuses the others."""

    url = "grpc://small"

    def __init__(self, most):
        self.most = most
        self.rounds = []

    def together(self, calls):
        """Take a moment, for any number of calls."""
        if len(calls) > self.most:
            raise Unavailable(TUNED, self.url, "RESOURCE_EXHAUSTED")
        self.rounds.append(calls[0].version)
        time.sleep(0.001)
        return []


@pytest.mark.parametrize(("most", "films"), [(8, 4), (7, 3), (4, 2), (3, None)])
def test_as_many_films_at_a_time_are_timed_as_the_server_takes(store, most, films):
    """Two calls each; a server of one core takes no two films, and its latency must do."""
    server, held = Small(most), ManifestFile.find(1, 2, store)
    paces, slow, unknown = latency.measure(
        server, held, 2, max_ratio=1e6, seconds=patience(60), progress=lambda _: None
    )
    assert (slow, unknown) == ([], [])
    assert [pace.films for pace in paces] == [1, 1, *([films] if films else [])]


def test_both_releases_are_asked_in_turns_and_each_as_often_first(store):
    """What else runs on the machine slows both alike."""
    server, held = Small(2), ManifestFile.find(1, 2, store)
    latency.measure(server, held, 2, max_ratio=1e6, seconds=patience(60), progress=lambda _: None)
    rounds = [tuple(server.rounds[n : n + 2]) for n in range(0, len(server.rounds), 2)]
    assert set(rounds) == {(1, 2), (2, 1)}
    assert abs(rounds.count((1, 2)) - rounds.count((2, 1))) <= 2


def test_only_what_is_good_everywhere_is_good(store):
    """Any fault is bad, and without one, whatever is unknown leaves it open."""
    held = ManifestFile.find(1, where=store)
    report = Report(1, None, str(held.path), held.sha256, held.weights_sha256, ("a",))
    remark = Remark("a", Check.ANSWERS, TUNED, "text")
    assert report.verdict is Verdict.GOOD
    assert replace(report, unknown=(remark,)).verdict is Verdict.CANNOT_TELL
    assert replace(report, unknown=(remark,), faults=(remark,)).verdict is Verdict.BAD


def test_the_manifest_is_the_file_that_is_named_or_lies_in_the_folder(store):
    """Which it was, and its SHA-256, is in the report."""
    path = release.manifest_path(store, 1)
    by_folder, by_file = ManifestFile.find(1, where=store), ManifestFile.find(1, where=path)
    assert by_folder.path == by_file.path == path
    assert by_folder.sha256 == by_file.sha256
    assert len(by_folder.sha256) == len(by_folder.weights_sha256) == 64


def test_without_a_folder_it_is_the_release_that_neumo_brings_along():
    """The one that `neumo serve` serves."""
    number = release.newest(release.shipped()).release
    assert ManifestFile.find(number).path == release.manifest_path(release.shipped(), number)


def test_a_release_that_neumo_does_not_bring_along_needs_its_manifest(store):
    """The error says which there are, and what to give."""
    with pytest.raises(ConfigError, match=r"no manifest of release 7 \(there: 1\).*--manifest"):
        ManifestFile.find(7, where=store)


def test_the_models_of_the_release_before_are_those_of_its_manifest(store):
    """Where it lies beside; else the members, which every release has."""
    write_manifest(store, replace(release.read(release.manifest_path(store, 1)), release=2))
    assert ManifestFile.find(2, 1, store).against_models == tuple(sorted(MEMBERS))
    assert set(ManifestFile.find(2, 9, store).against_models) == set(MEMBERS)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"release": 5}, "is of release 5, not 1"),
        ({"contract": "2.0"}, "contract 2.0"),
        ({"threshold": "0.5"}, "no number in"),
        ({"models": {}}, "lacks pneumonia_tuned"),
        ({"golden": {"seed": 1}}, "not a release manifest"),
    ],
)
def test_a_manifest_that_nothing_can_be_judged_by_is_a_mistake(store, changes, words):
    """It is told before any server is asked."""
    change_manifest(store, **changes)
    with pytest.raises(ConfigError, match=words):
        ManifestFile.find(1, where=store)


def test_golden_inputs_that_the_seed_does_not_draw_are_a_mistake(store):
    """Another neumo drew them, or somebody changed the manifest."""
    document = json.loads(release.manifest_path(store, 1).read_text())
    change_manifest(store, golden={**document["golden"], "inputs_sha256": "0" * 64})
    with pytest.raises(ConfigError, match="draws other inputs"):
        ManifestFile.find(1, where=store)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["grpc://x"], "--release"),
        (["grpc://x", "--release", "0"], "whole number from 1"),
        (["grpc://x", "--release", "2", "--against", "2"], "against itself"),
        (["grpc://x", "--release", "2", "--max-ratio", "0.5"], "number from 1"),
        (["ftp://x", "--release", "2"], "ftp"),
    ],
)
def test_a_mistake_on_the_command_line_is_one_line(arguments, words):
    """And no verdict: the release is neither good nor bad."""
    with pytest.raises(ConfigError, match=words):
        command.main(arguments)


def test_each_address_of_a_name_is_asked(store, monkeypatch, capsys):
    """As `neumo status` asks them; a name that is given twice is asked once."""
    addresses = ("grpc://127.0.0.1:1", "grpc://127.0.0.1:2")
    monkeypatch.setattr(server_addresses, "urls", lambda _: addresses)
    arguments = ["grpc://models.test:8500", "grpc://models.test:8500", "--release", "1"]
    assert command.main([*arguments, "--manifest", str(store), "--json"]) == command.CANNOT_TELL
    document = json.loads(capsys.readouterr().out)
    assert document["servers"] == [*addresses]
    assert [remark["server"] for remark in document["unknown"]] == [*addresses]


def test_the_pictures_are_the_same_everywhere():
    """Eight of them, none of which a seed or a processor changes."""
    drawn = plain_pictures.draw()
    assert len(drawn) == 8
    assert phantom.sha256(np.concatenate([*drawn.values()])) == PICTURES_SHA256


PICTURES_SHA256 = "c38749383e0aa4c90ea23bb03a033063ca179e9d65dbe0541cffc8b1d842dc05"


def test_heat_is_recorded_by_where_it_lies():
    """Sixteen means of each map; turned and mirrored ones differ, the same one does not."""
    maps = np.random.RandomState(3).uniform(size=(2, 33, 20)).astype(np.float32)
    maps[:, :8, :5] = 1.0
    recorded = golden.heat(maps)
    assert np.shape(recorded) == (2, 16)
    assert not list(golden.heat_differences(recorded, maps))
    for other in (maps[:, ::-1], maps[:, :, ::-1], maps[::-1] * 0.5, maps + np.nan):
        assert len(list(golden.heat_differences(recorded, other))) == 1
    for nonsense in (None, [["x"]], recorded[:1]):
        assert len(list(golden.heat_differences(nonsense, maps))) == 1


def judged_after(factor, seed, spread=0.3, most=300):
    """The verdict on a server ``factor`` times as slow, looked at every ten rounds, as it is."""
    chance = random.Random(seed)
    times, against = [], []
    for turn in range(1, most + 1):
        busy = chance.lognormvariate(0.0, 0.5)  # what else runs there slows both of a round
        for taken, mean in ((times, 0.02 * factor), (against, 0.02)):
            slow = 3.0 if chance.random() < 0.01 else 1.0
            taken.append(mean * busy * slow * chance.lognormvariate(0.0, spread))
        if turn % 10 == 0:
            verdict = paired_times.is_slower(times, against, 2.5)
            if verdict is not None:
                return verdict
    return None


@pytest.mark.parametrize(("factor", "slower"), [(1.0, False), (2.1, False), (3.0, True)])
def test_three_times_as_slow_is_told_from_twice(factor, slower):
    """On a noisy machine, in forty runs of each: none is wrong, and hardly one stays open."""
    told = [judged_after(factor, seed) for seed in range(40)]
    assert (not slower) not in told
    assert told.count(slower) >= 35


def test_a_long_tail_is_slow_where_the_median_is_not():
    """Every tenth film takes ten times as long; of a burst only the median counts."""
    times = [0.2 if n % 10 == 0 else 0.02 for n in range(200)]
    against = [0.02] * 200
    assert paired_times.is_slower(times, against, 2.5) is True
    assert paired_times.is_slower(times, against, 2.5, judge_tail=False) is False


def test_few_rounds_tell_nothing():
    """However clear they are."""
    assert paired_times.is_slower([1.0] * 19, [0.1] * 19, 2.5) is None
    assert paired_times.is_slower([1.0] * 20, [0.1] * 20, 2.5) is True


def test_times_that_scatter_tell_nothing():
    """The interval of the median holds the limit."""
    times = [0.01, 1.0] * 20
    assert paired_times.is_slower(times, [0.1] * 40, 2.5) is None


def test_the_interval_of_the_median_misses_as_rarely_as_it_says():
    """In 20,000 runs of 20 rounds, at most one in a thousand but for chance (five sigma)."""
    chance = np.random.RandomState(1)
    missed = 0
    for ratios in chance.lognormal(0.0, 1.0, (20_000, 20)):
        low, high = paired_times.median_interval(ratios.tolist())
        missed += not low <= 1.0 <= high
    assert missed <= 20 + 5 * 20**0.5
