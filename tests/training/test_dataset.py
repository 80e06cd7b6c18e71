"""Reading a folder in Kaggle's layout, and splitting it."""

import os
import shutil
from pathlib import Path

import pandas as pd
import pytest

from neumo.errors import ConfigError
from neumo.image import FILM_SUFFIXES
from neumo_training.datasets import classes_folder, decoded_films, film_table, splits
from support.film_tables import normals_and_persons, table

KAGGLE = Path(__file__).parents[3] / "shared/data/chest_xray"
needs_kaggle = pytest.mark.skipif(
    not KAGGLE.is_dir(), reason="the public data set is not on this machine"
)


@pytest.mark.parametrize(
    ("name", "patient", "kind", "group"),
    [
        ("person23_bacteria_86.jpeg", "person-23", "bacteria", "person-23"),
        ("person1_virus_6.jpeg", "person-1", "virus", "person-1"),
        ("IM-0115-0001.jpeg", "IM-115", "normal", "normal-115"),
        ("NORMAL2-IM-0383-0001-0002.jpeg", "NORMAL2-IM-383", "normal", "normal-383"),
    ],
)
def test_a_file_name_tells_the_patient(name, patient, kind, group):
    """The patient, the type and the group that no split may tear are read from the name."""
    known = film_table.patient_of(name)
    assert (known.patient, known.type, known.group) == (patient, kind, group)


def test_a_name_of_another_form_is_a_patient_of_its_own(tmp_path):
    """Films of a hospital with other names are each taken for one patient."""
    for label in ("NORMAL", "PNEUMONIA"):
        (tmp_path / label).mkdir()
        for name in ("a.png", "b.png"):
            (tmp_path / label / name).write_bytes(name.encode())
    assert film_table.scan(tmp_path)["patient"].nunique() == 4


def test_no_group_is_in_two_parts_and_none_is_lost():
    """Hold-out and folds are disjoint and cover every patient."""
    films_ = normals_and_persons(40)
    made = splits.make(films_)
    parts = [made.holdout, *made.folds]
    assert sum(map(len, parts)) == films_["group"].nunique()
    assert frozenset().union(*parts) == frozenset(films_["group"])


def test_the_holdout_takes_the_lowest_numbers_of_each_series():
    """The hold-out is ordered, which on this set is harder and more honest than a random one."""
    made = splits.make(normals_and_persons(40))
    expected = {f"{kind}-{n}" for kind in ("normal", "person") for n in range(6)}
    assert made.holdout == expected


def test_a_number_in_both_normal_series_stays_in_one_part():
    """IM-7 and NORMAL2-IM-7 may be one child, so they are never apart."""
    second = [("NORMAL", "normal", "NORMAL2-IM", n, f"normal-{n}", f"m{n}") for n in range(20, 60)]
    both = pd.concat([normals_and_persons(40), table(second)], ignore_index=True)
    made = splits.make(both)
    parts = [made.holdout, *made.folds]
    assert all(sum(group in part for part in parts) == 1 for group in both["group"])


def test_too_few_patients_is_one_clear_line():
    """Two patients cannot be split into a hold-out and three folds."""
    with pytest.raises(ConfigError, match=r"^NORMAL: 2 patients are too few; 4 are the least$"):
        splits.make(normals_and_persons(2))


def test_splits_survive_being_written(tmp_path):
    """What ``splits.json`` holds is read back the same."""
    made = splits.make(normals_and_persons(40))
    (tmp_path / "splits.json").write_text(made.to_json())
    assert splits.read(tmp_path / "splits.json") == made


@pytest.mark.parametrize(
    ("make", "line"),
    [
        (lambda _: None, "no such folder"),
        (lambda p: p.mkdir(), "needs the folders NORMAL and PNEUMONIA"),
        (lambda p: [(p / c).mkdir(parents=True) for c in ("NORMAL", "PNEUMONIA")], "no images"),
    ],
)
def test_a_folder_that_cannot_be_trained_on_is_one_clear_line(tmp_path, make, line):
    """A missing folder, a missing class and an empty class each say what is missing."""
    make(tmp_path / "data")
    with pytest.raises(ConfigError, match=line):
        film_table.scan(tmp_path / "data")


def test_an_unreadable_film_is_left_out_and_named(films_folder, tmp_path):
    """A broken file does not end a run, and does not vanish silently either."""
    found = film_table.scan(films_folder)
    broken = tmp_path / "IM-0000-0001.jpeg"
    broken.write_bytes(b"not an image")
    found.loc[0, "path"] = os.fspath(broken)
    said: list[str] = []
    loaded = decoded_films.load(found, said.append)
    assert len(loaded.table) == len(loaded.pixels) == len(found) - 1
    assert len(said) == 1
    assert str(broken) in said[0]


@needs_kaggle
def test_the_committed_splits_are_the_ones_this_code_makes():
    """``splits.json`` is reproduced from the public training folder."""
    found = film_table.scan(KAGGLE)
    assert splits.make(found) == splits.read(splits.COMMITTED)


def test_a_file_that_lies_in_test_or_val_too_is_known(films_folder, tmp_path):
    """Under whatever name; a folder that is not called train has no neighbours to look into."""
    shutil.copytree(films_folder, tmp_path / "train")
    (tmp_path / "val" / "PNEUMONIA").mkdir(parents=True)
    copied = tmp_path / "train" / "NORMAL" / "IM-0002-0001.jpeg"
    shutil.copy(copied, tmp_path / "val" / "PNEUMONIA" / "any.jpeg")
    found = film_table.scan(tmp_path)
    assert found.loc[found["also_in"] != "", ["name", "also_in"]].to_numpy().tolist() == [
        [copied.name, "val"]
    ]
    (tmp_path / "train").rename(tmp_path / "films")
    assert set(film_table.scan(tmp_path / "films")["also_in"]) == {""}


def test_a_file_that_cannot_be_opened_stays_in_the_table(films_folder, tmp_path):
    """Whoever decodes it is told why; it is no other's duplicate."""
    folder = shutil.copytree(films_folder, tmp_path / "films")
    for name in ("IM-0900-0001.jpeg", "IM-0901-0001.jpeg"):
        (folder / "NORMAL" / name).symlink_to(tmp_path / "gone.jpeg")
    found = film_table.scan(folder)
    assert len(found) == len(film_table.scan(films_folder)) + 2
    assert found["sha256"].is_unique


def test_what_is_no_film_is_counted(films_folder, tmp_path):
    """Other suffixes, subfolders, hidden films; what else is hidden is no one's loss."""
    folder = shutil.copytree(films_folder, tmp_path / "films")
    (folder / "NORMAL" / "deeper").mkdir()
    for name in ("notes.txt", "deeper/IM-0001-0001.jpeg", "._IM-1.jpeg", ".DS_Store"):
        (folder / "NORMAL" / name).write_text("")
    (line,) = film_table.passed_over(folder)
    assert line.endswith(": 3")
    assert len(film_table.scan(folder)) == len(film_table.scan(films_folder))
    assert film_table.passed_over(films_folder) == []


@pytest.mark.parametrize("suffix", FILM_SUFFIXES)
def test_training_takes_the_suffixes_that_the_sdk_takes(tmp_path, suffix):
    """One list: what ``neumo predict`` finds in a folder is not dropped here."""
    for label in classes_folder.LABELS:
        (tmp_path / label).mkdir()
        (tmp_path / label / f"film{suffix.upper()}").write_bytes(b"")
    assert len(film_table.scan(tmp_path)) == 2


def test_the_classes_may_lie_in_a_part_of_the_folder(tmp_path):
    """Training looks into train alone, evaluation into test first."""
    for part in ("train", "test"):
        for label in classes_folder.LABELS:
            (tmp_path / part / label).mkdir(parents=True)
    assert classes_folder.find(tmp_path).name == "train"
    assert classes_folder.find(tmp_path, classes_folder.PARTS).name == "test"
    with pytest.raises(ConfigError, match=r"\(or test, train or val with both\)"):
        classes_folder.find(tmp_path / "test" / "NORMAL", classes_folder.PARTS)


def test_a_name_of_the_other_class_is_known():
    """A normal film's name among those of pneumonia, and the reverse."""
    films_ = table(
        [
            ("NORMAL", "normal", "IM", 1, "normal-1", "a"),
            ("NORMAL", "virus", "person", 1, "person-1", "b"),
            ("PNEUMONIA", "normal", "IM", 2, "normal-2", "c"),
            ("PNEUMONIA", "unknown", "PNEUMONIA/", 0, "PNEUMONIA/x", "d"),
        ]
    )
    assert film_table.is_misfiled(films_).tolist() == [False, True, True, False]
    assert film_table.has_odd_name(films_).tolist() == [False, False, False, True]


def test_a_single_patient_is_one_clear_line():
    """One patient cannot be split."""
    with pytest.raises(ConfigError, match=r"^NORMAL: 1 patient is too few; 4 are the least$"):
        splits.make(normals_and_persons(1))
