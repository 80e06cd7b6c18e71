"""What an image of a release holds of a store: no daemon is needed."""

from __future__ import annotations

import subprocess
import sys

import pytest

from neumo import release
from support.places import ROOT
from support.releases import MEMBERS, WITH_LUNGS, write_release


@pytest.fixture
def store(tmp_path):
    """Three releases, of which the second brings ``lungs``."""
    for number, models in ((1, MEMBERS), (2, WITH_LUNGS), (3, WITH_LUNGS)):
        write_release(tmp_path / "store", number, models)
    return tmp_path / "store"


def pack(store, number):
    """The status and the words of ``pack.py``, which writes beside ``store``."""
    command = [sys.executable, ROOT / "serving" / "pack.py", store, number, store.parent / "packed"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


def test_a_release_comes_with_the_one_before_it(store):
    """Neither with older ones nor with newer ones."""
    assert pack(store, "2") == (0, "packed: 1, 2\n")
    packed = store.parent / "packed"
    assert release.numbers(packed) == [1, 2]
    folders = {str(one.relative_to(packed)) for one in packed.glob("*/[0-9]*") if one.is_dir()}
    assert folders == {"lungs/2", *(f"{name}/{number}" for name in MEMBERS for number in (1, 2))}


def test_what_file_managers_leave_stays_behind(store):
    """An image has none of it, though the store was looked at on macOS or Windows."""
    for name in (".DS_Store", "Thumbs.db", "._saved_model.pb"):
        (store / MEMBERS[0] / "2" / name).write_bytes(b"left behind")
    assert pack(store, "2")[0] == 0
    packed = store.parent / "packed" / MEMBERS[0] / "2"
    assert not [one for one in packed.rglob("*") if one.name in {".DS_Store", "Thumbs.db"}]
    assert not list(packed.rglob("._*"))


def test_the_oldest_release_comes_alone(store):
    """There is none before it; its configuration names the models that it has."""
    assert pack(store, "1")[0] == 0
    config = (store.parent / "packed" / release.MODELS_CONFIG).read_text()
    assert "lungs" not in config
    assert all(f'base_path: "/models/{name}"' in config for name in MEMBERS)


@pytest.mark.parametrize(
    ("number", "words"),
    [
        ("9", "no release 9 in the store, which has 1, 2, 3\n"),
        ("", "which release? docker build --build-arg RELEASE=N\n"),
    ],
)
def test_a_mistake_is_one_line(store, number, words):
    """It says what to give."""
    assert pack(store, number) == (1, words)
