"""Command-line arguments to the files of films."""

from __future__ import annotations

import glob
from dataclasses import dataclass
from pathlib import Path

from neumo._images import film_folders
from neumo.errors import ImageError


@dataclass(frozen=True, slots=True)
class Found:
    """The files to read, in order, and the arguments that led to none, with the reason."""

    files: tuple[Path, ...]
    refused: tuple[tuple[str, ImageError], ...]


def find(arguments: list[str]) -> Found:
    """The files that ``arguments`` name: a file is itself, whatever it holds.

    A folder stands for the films in it and below, by suffix or by DICOM's magic, sorted, hidden
    ones left out. A pattern that names no file is expanded here, for shells that do not.
    """
    files: list[Path] = []
    refused: list[tuple[str, ImageError]] = []
    for argument in arguments:
        try:
            files += _named(argument)
        except ImageError as error:
            refused.append((argument, error))
        except OSError:  # a name that the system refuses: reading it says why
            files.append(Path(argument))
    return Found(tuple(files), tuple(refused))


def shown(path: str | Path) -> str:
    """``path`` for a terminal: what cannot be printed is replaced."""
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in str(path))


def _named(argument: str) -> list[Path]:
    if not argument:
        raise ImageError("an empty name: give a film or a folder")
    path = Path(argument)
    if path.is_dir():
        return film_folders.films_in(path)
    if path.exists() or not glob.has_magic(argument):
        return [path]
    matches = sorted(glob.glob(argument, recursive=True))  # noqa: PTH207 - Path's takes no root
    if not matches:
        raise ImageError("no file matches: check the pattern")
    return [
        film
        for match in map(Path, matches)
        for film in (film_folders.films_in(match) if match.is_dir() else [match])
    ]
