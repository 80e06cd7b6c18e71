"""A folder in Kaggle's layout, as a table of films: file, label, patient, type.

Layout: ``<folder>/{NORMAL,PNEUMONIA}/*.jpeg``, or a folder whose ``train`` looks so. Kermany's
file names carry the patient: ``personN_virus_M``, ``personN_bacteria_M``, ``IM-N-M`` and
``NORMAL2-IM-N-M``. A name of another form counts as a patient of its own.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from neumo.contract import NORMAL, PNEUMONIA
from neumo.errors import ConfigError
from neumo.image import FILM_SUFFIXES
from neumo_training.datasets import classes_folder
from neumo_training.datasets.classes_folder import LABELS, OTHER_PARTS, TRAIN

COLUMNS = (
    *("path", "name", "label", "type", "series", "number", "patient", "group", "sha256"),
    "also_in",
)

_PERSON = re.compile(r"person(\d+)_(virus|bacteria)_")
_NORMAL = re.compile(r"(NORMAL2-)?IM-(\d+)-")


@dataclass(frozen=True, slots=True)
class Patient:
    """What a file's name says of its patient."""

    series: str
    number: int
    type: str

    @property
    def patient(self) -> str:
        """The series and number: a normal film's number counts in each series on its own."""
        return f"{self.series}-{self.number}"

    @property
    def group(self) -> str:
        """The number alone: what a split keeps together."""
        # Whether person1_virus and person1_bacteria are one child, no one knows: never in two
        # parts.
        return f"{'person' if self.series == 'person' else 'normal'}-{self.number}"


def patient_of(name: str) -> Patient | None:
    """The patient that a Kermany file name tells; None for a name of another form."""
    if person := _PERSON.match(name):
        return Patient("person", int(person[1]), person[2])
    if normal := _NORMAL.match(name):
        return Patient(f"{normal[1] or ''}IM", int(normal[2]), "normal")
    return None


def scan(folder: Path) -> pd.DataFrame:
    """The films of ``folder``, one row each, sorted by label and name; columns ``COLUMNS``.

    ``also_in`` names the folder beside ``train``, ``test`` or ``val``, that holds the very same
    file, else ''. A file that cannot be read has no ``sha256`` but its own name; whoever decodes
    it is told why. Raises ``ConfigError`` where the folder, or one of its two classes, is missing
    or empty.
    """
    root = classes_folder.find(folder)
    rows = [row for label in LABELS for row in _class_rows(root / label, label)]
    elsewhere = _in_other_parts(root)
    rows = [(*row, elsewhere.get(row[-1], "")) for row in rows]
    return pd.DataFrame(rows, columns=list(COLUMNS))


def passed_over(folder: Path) -> list[str]:
    """A line with how many files in ``scan``'s folders are no films to it; none for none.

    By suffix, in subfolders, or hidden; a hidden file that has no film's suffix is not counted.
    """
    root = classes_folder.find(folder)
    count = sum(
        path.is_file() and not _is_film(path, root / label) and not _is_clutter(path)
        for label in LABELS
        for path in (root / label).rglob("*")
    )
    said = "files passed over, by their suffix, hidden, or since they lie in subfolders"
    return [f"{said}: {count}"] if count else []


def has_odd_name(films: pd.DataFrame) -> pd.Series[bool]:
    """Whether a film's name tells no patient, so that it counts as one of its own."""
    return films["series"].str.endswith("/")


def is_misfiled(films: pd.DataFrame) -> pd.Series[bool]:
    """Whether a film's name tells the other class than its folder, which is the one that counts."""
    # What no name tells has the type "unknown", or its folder's: left out below.
    told = films["type"].map({"normal": NORMAL, "virus": PNEUMONIA, "bacteria": PNEUMONIA})
    return ~has_odd_name(films) & (told != films["label"])


def original_sizes(path: Path) -> pd.DataFrame:
    """The table ``file,label,width,height`` (pixels) in the CSV ``path``.

    Raises ``ConfigError`` where it is none.
    """
    wanted = ["file", "label", "width", "height"]
    try:
        sizes = pd.read_csv(path)[wanted].astype({"width": "int64", "height": "int64"})
    except (OSError, ValueError, KeyError) as error:
        reason = " ".join(str(error).split())
        raise ConfigError(f"{path}: not a CSV of {','.join(wanted)} ({reason})") from error
    return sizes.drop_duplicates(["file", "label"])


def fingerprint(films: pd.DataFrame) -> str:
    """SHA-256 of the labels and names: which films, however they were compressed."""
    # Not the contents: the copies at hand were compressed anew, and are the splits' films still.
    lines = sorted(films["label"] + "/" + films["name"])
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def content_fingerprint(films: pd.DataFrame) -> str:
    """SHA-256 of the labels, names and contents: these very files."""
    lines = sorted(films["label"] + "/" + films["name"] + " " + films["sha256"])
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def _in_other_parts(root: Path) -> dict[str, str]:
    """The folder that holds a file beside ``root``, by the file's SHA-256; none but for train."""
    # What lies beside a folder of another name is no test set of it.
    if root.name != TRAIN:
        return {}
    return {
        _digest(path): part
        for part in OTHER_PARTS
        for label in LABELS
        for path in (root.parent / part / label).glob("*")
        if _is_film(path, path.parent)
    }


def _is_film(path: Path, folder: Path) -> bool:
    return path.parent == folder and _has_films_name(path) and not path.is_dir()


def _has_films_name(path: Path) -> bool:
    # Hidden, such as macOS's ._person1.jpeg: a name that tells a film, and no image in it.
    return path.suffix.lower() in FILM_SUFFIXES and not path.name.startswith(".")


def _is_clutter(path: Path) -> bool:
    """Such as .DS_Store, which no one misses."""
    return path.name.startswith(".") and path.suffix.lower() not in FILM_SUFFIXES


def _class_rows(folder: Path, label: str) -> list[tuple[Any, ...]]:
    paths = sorted(path for path in folder.iterdir() if _is_film(path, folder))
    if not paths:
        raise ConfigError(f"{folder}: no images here; put the films of class {label} into it")
    return [_row(path, label) for path in paths]


def _row(path: Path, label: str) -> tuple[Any, ...]:
    digest = _digest(path)
    known = patient_of(path.name)
    if known is None:
        # With the label: each class may have a film called 1.jpeg.
        own = f"{label}/{path.stem}"
        kind = "normal" if label == NORMAL else "unknown"
        return (str(path), path.name, label, kind, f"{label}/", 0, own, own, digest)
    return (
        *(str(path), path.name, label, known.type, known.series, known.number),
        *(known.patient, known.group, digest),
    )


def _digest(path: Path) -> str:
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError:
        # Its own name: two that cannot be read are no duplicates of each other.
        return f"unreadable: {path.parent.name}/{path.name}"
