"""`neumo verify`: every way in which a release may be wrong, on a real server that answers it."""

from __future__ import annotations

import json
import shutil
import time

import pytest

from neumo import Models, contract, release
from neumo.commands import verify as command
from neumo.testing import EmbeddedServer
from neumo.verification import ManifestFile, Verdict, verify
from neumo.verification.report import Check
from support import whole_release
from support.patience import patience
from support.whole_release import Spoilt

TUNED, RESIDUAL = (member.name for member in contract.MEMBERS)
LUNGS = contract.LUNGS.name
SOUND, WITHOUT_LUNGS, STRAY_LUNGS, CREDULOUS, SLOW, UNRECORDED = 1, 2, 3, 4, 5, 6
SPOILT = {
    10: (Spoilt(higher=0.01), {Check.ANSWERS}),
    11: (Spoilt(encoded_higher=0.01), {Check.ANSWERS}),
    12: (Spoilt(threshold=0.45), {Check.THRESHOLD}),
    13: (Spoilt(number=9), {Check.RELEASE}),
    14: (Spoilt(without=(contract.ENCODED,)), {Check.SIGNATURES}),
    15: (Spoilt(heat=lambda maps: maps[:, :, ::-1]), {Check.HEATMAP}),
    16: (Spoilt(heat=lambda maps: maps * 2.0), {Check.HEATMAP}),
    17: (Spoilt(heat=lambda maps: maps / 0.0), {Check.HEATMAP}),
    18: (Spoilt(heat=lambda maps: maps[:, :8, :8]), {Check.HEATMAP}),
}
"""Releases that are spoilt in one thing, and what is to find it."""
FLAT = 20
"""Its heat maps show heat nowhere, and its manifest records none."""
LATE, BROKEN = 30, 31
"""These come while the server runs."""
LATE_BY_S = 3.0


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    """A folder of all these releases; one manifest lies beside each."""
    folder = tmp_path_factory.mktemp("models")
    # TensorFlow takes a second to write each model, so lungs are there where they matter.
    for number in (SOUND, STRAY_LUNGS):
        whole_release.write(folder, number)
    whole_release.write(folder, CREDULOUS, refuses=False)
    for number in (WITHOUT_LUNGS, SLOW, LATE, BROKEN):
        whole_release.write(folder, number, lungs=False)
    whole_release.write(folder, UNRECORDED, lungs=False, records_heat=False)
    for number, (spoilt, _) in SPOILT.items():
        whole_release.write(folder, number, spoilt, lungs=False)
    flat = Spoilt(heat=lambda maps: maps * 0.0)
    whole_release.write(folder, FLAT, flat, lungs=False, records_heat=False)
    path = release.manifest_path(folder, STRAY_LUNGS)
    document = json.loads(path.read_text())
    del document["models"][LUNGS]
    path.write_text(json.dumps(document))
    return folder


@pytest.fixture(scope="module")
def served(store):
    """A server of all of them, but for those that come while it runs."""
    later = store / "later"
    for number in (LATE, BROKEN):
        for model in contract.MEMBERS:
            (later / model.name).mkdir(parents=True, exist_ok=True)
            (store / model.name / str(number)).rename(later / model.name / str(number))
    faults = [
        {"fault": "slow", "method": "Predict", "version": SLOW, "seconds": 0.1},
        {"fault": "slow_load", "model": RESIDUAL, "version": LATE, "seconds": LATE_BY_S},
    ]
    flags = [*whole_release.write_config(store), f"--neumo_faults={json.dumps(faults)}"]
    # Else a late version would hold up all others, and a broken one be tried again for minutes.
    flags += ["--num_load_threads=2", "--max_num_load_retries=0"]
    with EmbeddedServer(flags) as server, Models(server.grpc_url) as models:
        # Its ports open before the last of so many versions is loaded.
        deadline = time.monotonic() + patience(60)
        while not all(one.ready for m in contract.MODELS for one in models.status(m.name).versions):
            assert time.monotonic() < deadline
            time.sleep(0.1)
        yield server


def judged(store, url, number, against=None, **options):
    """The report on release ``number`` at ``url``."""
    return verify([url], ManifestFile.find(number, against, store), **options)


def came(store, number):
    """Let the server find release ``number``."""
    for model in contract.MEMBERS:
        (store / "later" / model.name / str(number)).rename(store / model.name / str(number))


@pytest.mark.parametrize("scheme", ["grpc_url", "http_url"])
def test_a_sound_release_is_good(store, served, scheme):
    """Over gRPC and REST alike."""
    report = judged(store, getattr(served, scheme), SOUND)
    assert report.verdict is Verdict.GOOD, report
    assert (report.faults, report.unknown) == ((), ())


@pytest.mark.parametrize("scheme", ["grpc_url", "http_url"])
@pytest.mark.parametrize("number", SPOILT)
def test_whatever_is_spoilt_is_found_and_called_by_its_name(store, served, number, scheme):
    """In both members, which were spoilt, and in nothing else."""
    _, checks = SPOILT[number]
    report = judged(store, getattr(served, scheme), number)
    assert report.verdict is Verdict.BAD
    assert {remark.check for remark in report.faults} == checks
    assert {remark.model for remark in report.faults} == {TUNED, RESIDUAL}
    assert report.unknown == ()


def test_a_fault_of_one_signature_names_it(store, served):
    """Users of files get other answers than users of arrays."""
    report = judged(store, served.grpc_url, 11)
    assert all("signature encoded, output probability" in one.line for one in report.faults)


def test_a_wrong_threshold_is_found_where_every_probability_is_right(store, served):
    """The line says by how much, and what comes of it."""
    report = judged(store, served.grpc_url, 12)
    assert "output threshold is up to 0.05" in report.faults[0].line
    assert "decided otherwise than was evaluated" in report.faults[0].line


def test_heat_that_is_nowhere_is_found_where_none_is_recorded(store, served):
    """And that a sound one was judged by its form alone is noted."""
    flat = judged(store, served.grpc_url, FLAT)
    assert {remark.check for remark in flat.faults} == {Check.HEATMAP}
    report = judged(store, served.grpc_url, UNRECORDED)
    assert report.verdict is Verdict.GOOD
    assert any("by their form alone" in note for note in report.notes)


def test_lungs_that_refuse_nothing_are_found_where_every_golden_answer_is_right(store, served):
    """A drawn page of text is no film."""
    report = judged(store, served.grpc_url, CREDULOUS)
    (fault,) = report.faults
    assert (fault.check, fault.model) == (Check.REFUSALS, LUNGS)
    assert "text" in fault.text


def test_lungs_that_the_manifest_lacks_are_found(store, served):
    """Nobody released them."""
    (fault,) = judged(store, served.grpc_url, STRAY_LUNGS).faults
    assert (fault.check, fault.model) == (Check.MODELS, LUNGS)


def test_lungs_that_the_manifest_has_are_missed(store, served, tmp_path):
    """Pictures of anything would be answered."""
    path = release.manifest_path(tmp_path, WITHOUT_LUNGS)
    path.parent.mkdir()
    document = json.loads(release.manifest_path(store, WITHOUT_LUNGS).read_text())
    document["models"][LUNGS] = {"sha256": {}}
    path.write_text(json.dumps(document))
    (fault,) = judged(tmp_path, served.grpc_url, WITHOUT_LUNGS).faults
    assert (fault.check, fault.model) == (Check.AVAILABLE, LUNGS)
    assert "is not there" in fault.text


def test_a_release_without_lungs_is_good_and_noted(store, served):
    """It refuses nothing, which is no fault of the server's."""
    report = judged(store, served.grpc_url, WITHOUT_LUNGS)
    assert report.verdict is Verdict.GOOD
    assert any("is not refused" in note for note in report.notes)


def test_a_skipped_release_is_found(store, served):
    """Where callers of the one before would have none in common, no time is measured."""
    report = judged(store, served.grpc_url, SOUND, against=7)
    assert {remark.check for remark in report.faults} == {Check.IN_COMMON}
    assert {remark.model for remark in report.faults} == {TUNED, RESIDUAL}
    assert report.paces == ()


def test_a_release_that_is_not_slower_is_good(store, served):
    """Both are asked in turns, one film and several at a time, predicted and explained."""
    report = judged(store, served.grpc_url, UNRECORDED, against=SOUND, pace_s=patience(60))
    assert report.verdict is Verdict.GOOD, report
    assert {(pace.what, pace.films > 1) for pace in report.paces} == {
        ("predict", False),
        ("explain", False),
        ("predict", True),
    }
    assert all(pace.is_slower is False for pace in report.paces)


def test_a_release_that_is_slow_is_bad(store, served):
    """Its answers are right; the line says how much slower, and how that is known."""
    report = judged(store, served.grpc_url, SLOW, against=SOUND, pace_s=patience(60))
    assert report.verdict is Verdict.BAD
    assert {remark.check for remark in report.faults} == {Check.LATENCY, Check.LOAD}
    assert "times what release 1 takes" in report.faults[0].text


def test_too_little_time_to_time_it_tells_nothing(store, served):
    """It never passes for that."""
    report = judged(store, served.grpc_url, UNRECORDED, against=SOUND, pace_s=0.001)
    assert report.verdict is Verdict.CANNOT_TELL
    assert "--pace-seconds" in report.unknown[0].text


def test_a_release_that_loads_late_is_waited_for(store, served):
    """It is good in the end, and meanwhile it is said what is waited for."""
    came(store, LATE)
    told = []
    report = judged(store, served.grpc_url, LATE, wait_s=patience(60), progress=told.append)
    assert report.verdict is Verdict.GOOD, report
    assert any("waiting: " in line for line in told)


def test_a_model_that_does_not_load_is_bad_at_once(store, served):
    """However long one would wait; the other models are judged all the same."""
    broken = store / "later" / TUNED / str(BROKEN) / "saved_model.pb"
    broken.write_bytes(broken.read_bytes()[:200])
    came(store, BROKEN)
    report = judged(store, served.grpc_url, BROKEN, wait_s=patience(60))
    (fault,) = report.faults
    assert (fault.check, fault.model) == (Check.AVAILABLE, TUNED)
    assert "does not load" in fault.text


def test_a_server_that_is_away_tells_nothing(store, served):
    """It is asked as long as it is to be waited for, and the others are judged."""
    report = verify(
        ["grpc://127.0.0.1:1", served.grpc_url], ManifestFile.find(SOUND, where=store), wait_s=1.0
    )
    assert report.verdict is Verdict.CANNOT_TELL
    assert {(one.server, one.check) for one in report.unknown} == {
        ("grpc://127.0.0.1:1", Check.SERVER)
    }


def test_bad_outweighs_what_cannot_be_told(store, served):
    """One server answers wrongly, one is away: the release is bad."""
    held = ManifestFile.find(12, where=store)
    assert verify(["grpc://127.0.0.1:1", served.grpc_url], held).verdict is Verdict.BAD


def test_a_call_that_takes_too_long_tells_nothing(store, served):
    """The advice is to allow more time."""
    report = judged(store, served.grpc_url, SLOW, timeout_s=0.05)
    assert report.verdict is Verdict.CANNOT_TELL, report
    assert "allow more time" in report.unknown[0].text


@pytest.mark.parametrize(("number", "status"), [(SOUND, 0), (12, 1)])
def test_the_command_says_it_by_its_exit_status(store, served, capsys, number, status):
    """One line for each fault, and by which manifest it judged."""
    arguments = [served.grpc_url, "--release", str(number), "--manifest", str(store)]
    assert command.main(arguments) == status
    said = capsys.readouterr()
    path = release.manifest_path(store, number)
    assert said.out.startswith(f"manifest: {path} (SHA-256 ")
    assert said.out.count("wrong: ") == (6 if status else 0)
    assert "golden answers of" in said.err


def test_the_command_says_75_where_nothing_can_be_told(store, capsys):
    """And why."""
    arguments = ["grpc://127.0.0.1:1", "--release", "1", "--manifest", str(store)]
    assert command.main(arguments) == 75
    assert "cannot tell: grpc://127.0.0.1:1" in capsys.readouterr().out


def test_the_json_has_everything(store, served, capsys):
    """For machines, under names that stay."""
    arguments = [served.grpc_url, "--release", "12", "--manifest", str(store), "--json"]
    assert command.main(arguments) == 1
    document = json.loads(capsys.readouterr().out)
    assert (document["schema"], document["verdict"], document["release"]) == (1, "bad", 12)
    assert document["servers"] == [served.grpc_url]
    assert set(document["faults"][0]) == {"server", "check", "model", "text"}
    assert document["faults"][0]["check"] == "threshold"


def test_the_shipped_release_is_good_and_its_threshold_cannot_be_changed_unseen(
    neumo_server, tmp_path
):
    """As neumo brings it along; and against a manifest that says another threshold."""
    number = release.newest(release.shipped()).release
    report = verify([neumo_server.grpc_url], ManifestFile.find(number))
    assert report.verdict is Verdict.GOOD, report
    copied = shutil.copy(release.manifest_path(release.shipped(), number), tmp_path / "n.json")
    document = json.loads(copied.read_text())
    copied.write_text(json.dumps({**document, "threshold": document["threshold"] + 0.001}))
    report = verify([neumo_server.grpc_url], ManifestFile.find(number, where=copied))
    assert {remark.check for remark in report.faults} == {Check.THRESHOLD}
