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

import pandas as pd

from neumo.contract import NORMAL, PNEUMONIA
from neumo.errors import ConfigError

SUFFIXES = frozenset({".jpeg", ".jpg", ".png", ".bmp", ".tif", ".tiff", ".webp", ".dcm"})
COLUMNS = ("path", "name", "label", "type", "series", "number", "patient", "group", "sha256")

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

    Raises ``ConfigError`` where the folder, or one of its two classes, is missing or empty.
    """
    root = _classes_folder(folder)
    rows = [row for label in (NORMAL, PNEUMONIA) for row in _class_rows(root / label, label)]
    return pd.DataFrame(rows, columns=list(COLUMNS))


def fingerprint(films: pd.DataFrame) -> str:
    """SHA-256 of the labels and names: which films, however they were compressed."""
    lines = sorted(films["label"] + "/" + films["name"])
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def content_fingerprint(films: pd.DataFrame) -> str:
    """SHA-256 of the labels, names and contents: these very files."""
    lines = sorted(films["label"] + "/" + films["name"] + " " + films["sha256"])
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def _classes_folder(folder: Path) -> Path:
    if not folder.is_dir():
        raise ConfigError(f"{folder}: no such folder; give one with NORMAL and PNEUMONIA in it")
    for root in (folder, folder / "train"):
        if (root / NORMAL).is_dir() and (root / PNEUMONIA).is_dir():
            return root
    raise ConfigError(f"{folder}: needs the folders {NORMAL} and {PNEUMONIA} (or train with both)")


def _class_rows(folder: Path, label: str) -> list[tuple[object, ...]]:
    paths = sorted(p for p in folder.iterdir() if p.suffix.lower() in SUFFIXES and p.is_file())
    if not paths:
        raise ConfigError(f"{folder}: no images here; put the films of class {label} into it")
    return [_row(path, label) for path in paths]


def _row(path: Path, label: str) -> tuple[object, ...]:
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    known = patient_of(path.name)
    if known is None:
        own = f"{label}/{path.stem}"
        kind = "normal" if label == NORMAL else "unknown"
        return (str(path), path.name, label, kind, f"{label}/", 0, own, own, digest)
    return (
        *(str(path), path.name, label, known.type, known.series, known.number),
        *(known.patient, known.group, digest),
    )
