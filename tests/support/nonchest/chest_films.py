"""The chest films of a folder in Kaggle's layout, part by part."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt

from neumo_training.datasets import curation, film_table, splits
from neumo_training.datasets.decoded_films import load
from support.nonchest.pictures import Picture
from support.nonchest.refusal_table import Read, read

DEVELOPMENT, HOLDOUT, VALIDATION = "development", "hold-out", "val"


def parts(
    folder: Path, *, holdout: bool, say: Callable[[str], None], at_most: int | None = None
) -> dict[str, Read]:
    """What training may see, the locked hold-out where it is asked for, and ``val`` if there.

    ``at_most`` bounds each of the first two. Empty where ``folder`` is missing; raises
    ``ConfigError`` where it has not Kaggle's layout.
    """
    if not folder.is_dir():
        return {}
    scanned = film_table.scan(folder)
    table = curation.without_duplicates(scanned)
    held = table["group"].isin(splits.splits_for(scanned).holdout)
    found = {}
    for part, rows in ((DEVELOPMENT, table[~held]), (HOLDOUT, table[held])):
        if part == DEVELOPMENT or holdout:
            films = load(rows.iloc[_evenly(len(rows), at_most or len(rows))], say)
            found[part] = Read(tuple(films.table["label"]), films.pixels)
    if paths := sorted((folder / "val").rglob("*.jpeg")):
        found[VALIDATION] = read(Picture(path.parent.name, path) for path in paths)
    return found


def turned(films: Read, count: int, quarters: int) -> Read:
    """``count`` of the films, evenly through their order, turned by so many right angles."""
    rows = _evenly(len(films.kinds), count)
    pixels = np.rot90(films.pixels[rows], quarters, axes=(1, 2))
    return Read(tuple(films.kinds[row] for row in rows), np.ascontiguousarray(pixels))


def _evenly(size: int, count: int) -> npt.NDArray[np.int64]:
    """At most ``count`` of the indices below ``size``, from the first to the last."""
    return np.unique(np.linspace(0, size - 1, count).astype(np.int64))
