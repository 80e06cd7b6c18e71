"""Where the pictures of several films go."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from neumo.errors import ConfigError


def targets(out: str, films: Sequence[Path]) -> list[Path]:
    """One path for the picture of each film: ``out`` for one film, else PNGs in the folder ``out``.

    Raises ``ConfigError`` where several films would share one picture, the folder cannot be made,
    or a picture would overwrite a film.
    """
    if Path(out).is_dir() or out.endswith(("/", os.sep)):
        pictures = in_folder(Path(out), films)
    elif len(films) > 1:
        raise ConfigError(f"{out} would hold {len(films)} pictures: give a folder, {out}/")
    else:
        pictures = [Path(out)] * len(films)
    # Resolved: a link or .. to the film is the film.
    if {path.resolve() for path in pictures} & {film.resolve() for film in films}:
        raise ConfigError(f"{out} would overwrite a film: name another picture")
    return pictures


def in_folder(folder: Path, films: Sequence[Path]) -> list[Path]:
    """A different PNG in ``folder``, which is made, for each film, named after it."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigError(f"{folder}: no such folder can be made ({error.strerror})") from error
    names: dict[str, None] = {}
    for film in films:
        name, number = f"{film.stem}.png", 1
        while name in names:
            number += 1
            name = f"{film.stem}-{number}.png"
        names[name] = None
    return [folder / name for name in names]
