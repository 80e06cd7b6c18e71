"""The films in a folder."""

from __future__ import annotations

import os
from pathlib import Path

from neumo._images import dicom
from neumo.errors import ImageError

SUFFIXES = (
    ".jpg",
    ".jpeg",
    ".jpe",
    ".jfif",
    ".png",
    ".webp",
    ".tif",
    ".tiff",
    ".bmp",
    ".gif",
    ".dcm",
    ".dicom",
)
"""The one list of film suffixes, for prediction, training and evaluation alike."""
_INDEX = "DICOMDIR"
"""A DICOM file that lists others and holds no image."""


def films_in(folder: str | os.PathLike[str]) -> list[Path]:
    """The films in ``folder`` and below, by suffix or by DICOM's magic, sorted, no hidden ones.

    Raises ``ImageError`` where there is none.
    """
    top = Path(folder)
    films = sorted(
        path
        # os.walk, not rglob: it goes on past a folder that may not be read.
        for parent, _, names in os.walk(top)
        for path in (Path(parent, name) for name in names)
        if not _is_hidden(path.relative_to(top)) and _is_film(path)
    )
    if not films:
        raise ImageError("no image in this folder: give one with DICOM, JPEG or PNG films")
    return films


def _is_hidden(path: Path) -> bool:
    # Folders, too: .Trash, .git; and macOS's ._film.dcm, which holds no film.
    return any(part.startswith(".") for part in path.parts)


def _is_film(path: Path) -> bool:
    if path.name == _INDEX or not path.is_file():
        return False
    # Hospitals export without a suffix: IM000001, or the UID.
    return path.suffix.lower() in SUFFIXES or _is_dicom(path)


def _is_dicom(path: Path) -> bool:
    start = dicom.PREAMBLE_BYTES
    try:
        with path.open("rb") as file:
            return file.read(start + len(dicom.MAGIC))[start:] == dicom.MAGIC
    except OSError:
        return False
