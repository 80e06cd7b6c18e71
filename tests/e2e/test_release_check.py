"""`neumo release check` on the release that is shipped, and on copies that were tampered with."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys

import pytest

from neumo import contract, release
from neumo.errors import ConfigError
from neumo_serving.commands import release_check
from support.releases import MEMBERS, change_manifest, hash_anew

NEWEST = release.numbers(release.shipped())[-1]
WITHOUT_SERVING = """
import sys

class OnlyTensorFlow:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {"tensorflow_serving", "uvicorn", "pydicom", "fastapi"}:
            raise ModuleNotFoundError(name)

sys.meta_path.insert(0, OnlyTensorFlow())
from neumo_serving.commands.release_check import main
sys.exit(main(["check", sys.argv[1], "--json"]))
"""


@pytest.fixture
def store(tmp_path):
    """A copy of the shipped folder, free to be tampered with."""
    return shutil.copytree(release.shipped(), tmp_path / "models")


def checked(capsys, *arguments):
    """The exit status of the command, and the lines it printed."""
    status = release_check.main(["check", *map(str, arguments)])
    return status, capsys.readouterr().out.splitlines()


def test_every_shipped_release_is_sound(capsys):
    """All of its checks hold for what neumo ships, run by TensorFlow."""
    found = checked(capsys, release.shipped())
    numbers = release.numbers(release.shipped())
    assert found == (0, [f"release {number}: sound" for number in numbers])


def test_an_engineer_with_the_training_extra_alone_can_run_it(store):
    """It needs TensorFlow, and nothing else that only the server needs."""
    command = [sys.executable, "-c", WITHOUT_SERVING, str(store)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    document = json.loads(done.stdout)
    assert document["sound"]
    assert document["findings"] == []
    assert NEWEST in document["releases"]


def test_weights_that_were_changed_and_hashed_anew_are_found(store, capsys):
    """TensorFlow's own check or the golden pairs tell."""
    path = store / MEMBERS[0] / str(NEWEST) / "variables" / "variables.data-00000-of-00001"
    data = bytearray(path.read_bytes())
    data[len(data) // 4 : len(data) // 2] = bytes(len(data) // 2 - len(data) // 4)
    path.write_bytes(data)
    hash_anew(store, NEWEST)
    status, lines = checked(capsys, store, "--release", NEWEST)
    assert status == 1
    assert all(line.startswith(f"release {NEWEST}, {MEMBERS[0]}: ") for line in lines)


def test_swapped_members_that_were_hashed_anew_are_found(store, capsys):
    """Each answers as the other did, and neither threshold nor release tell them apart."""
    one, other = (store / name / str(NEWEST) for name in MEMBERS)
    one.rename(store / "held")
    other.rename(one)
    (store / "held").rename(other)
    for name in MEMBERS:
        asset = store / name / str(NEWEST) / contract.CONTRACT_ASSET
        asset.write_text(contract.to_json(contract.model(name), NEWEST))
    hash_anew(store, NEWEST)
    status, lines = checked(capsys, store, "--release", NEWEST)
    assert status == 1
    for name in MEMBERS:
        told = f"release {NEWEST}, {name}: signature serving_default, output probability is up to"
        assert any(line.startswith(told) for line in lines)


def test_a_threshold_that_the_models_do_not_have_is_found(store, capsys):
    """The manifest's is the one that travels in every member."""
    change_manifest(store, NEWEST, threshold=0.9)
    status, lines = checked(capsys, store, "--release", NEWEST)
    assert status == 1
    assert any("output threshold is up to" in line for line in lines)


def test_findings_as_json(store, capsys):
    """The same for a script: which release, which model, what."""
    (store / MEMBERS[1] / str(NEWEST) / "saved_model.pb").unlink()
    status, lines = checked(capsys, store, "--release", NEWEST, "--json")
    document = json.loads("\n".join(lines))
    assert (status, document["sound"], document["releases"]) == (1, False, [NEWEST])
    assert document["findings"][0] == {
        "release": NEWEST,
        "model": MEMBERS[1],
        "text": "saved_model.pb is missing; copy the release again",
    }


@pytest.mark.parametrize(
    "arguments", [[], ["judge"], ["check"], ["check", "/none"], ["check", "/", "--release", "x"]]
)
def test_a_mistake_in_the_command_line_is_not_a_finding(arguments):
    """It is one line, and status 2."""
    with pytest.raises(ConfigError):
        release_check.main(arguments)
