"""Human-drawn lung masks for films, by the film's name, and how well two masks agree."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd
from PIL import Image

from neumo.contract import IMAGE_SIZE_PX
from neumo.errors import ConfigError
from neumo_training.datasets import classes_folder

WHITE_ABOVE = 127
"""Half of white: an enlarged or JPEG mask has grey edges, which "above 0" would call lung, too
(Dice .96 to .99 with what was drawn; 1.0 so). A mask of 1 bit is the same by either."""


@dataclass(frozen=True, slots=True)
class Masks:
    """``pixels`` uint8 [n, 256, 256, 1] of 0 and 1; ``known`` bool [n], false without a mask."""

    pixels: npt.NDArray[np.uint8]
    known: npt.NDArray[np.bool_]


def load(table: pd.DataFrame, folder: Path, say: Callable[[str], None]) -> Masks:
    """The masks of ``table``'s films: ``<folder>/<label>/<film's stem>.png``, white in the lungs.

    The labels may lie in the part of ``folder`` that is called as the films' is, such as
    ``train``, or in another of Kaggle's. A mask may have any size. A film without a readable mask
    is not ``known``; the number of unreadable ones, and of those that have grey but no white, is
    told to ``say``. Raises ``ConfigError`` where the folder has no mask of any film.
    """
    if not folder.is_dir():
        raise ConfigError(f"{folder}: no such folder; --masks takes one with NORMAL and PNEUMONIA")
    root = classes_folder.first(folder, _parts(table), any) or folder
    pixels = np.zeros((len(table), IMAGE_SIZE_PX, IMAGE_SIZE_PX, 1), np.uint8)
    known = np.zeros(len(table), np.bool_)
    unreadable = without_white = 0
    for row, (label, name) in enumerate(zip(table["label"], table["name"], strict=True)):
        path = root / label / f"{Path(name).stem}.png"
        if not path.is_file():
            continue
        try:
            grey = _grey(path)
        except OSError:
            unreadable += 1
            continue
        # A mask of 0 and 1 would be read as a film without lungs, silently.
        if 0 < grey.max() <= WHITE_ABOVE:
            without_white += 1
            continue
        pixels[row, :, :, 0] = grey > WHITE_ABOVE
        known[row] = True
    if unreadable:
        say(f"left out: {unreadable} lung masks that cannot be read")
    if without_white:
        say(f"left out: {without_white} lung masks without white (255), which is lung")
    if not known.any():
        raise ConfigError(
            f"{folder}: no lung mask of any of these films; expected NORMAL/<film's name>.png"
        )
    return Masks(pixels, known)


def dice(
    lungs: npt.NDArray[np.uint8] | npt.NDArray[np.bool_],
    drawn: npt.NDArray[np.uint8] | npt.NDArray[np.bool_],
) -> npt.NDArray[np.float64]:
    """Dice's coefficient of each pair of masks [n, …], float64 [n].

    1 where both are empty: two that find nothing agree.
    """
    pixels = tuple(range(1, lungs.ndim))
    shared = np.logical_and(lungs, drawn).sum(axis=pixels, dtype=np.float64)
    both = np.count_nonzero(lungs, axis=pixels) + np.count_nonzero(drawn, axis=pixels)
    agreed = np.ones(len(lungs))
    return np.asarray(np.divide(2.0 * shared, both, out=agreed, where=both > 0), np.float64)


def _parts(table: pd.DataFrame) -> tuple[str, ...]:
    """Where masks are looked for: first in the part that the films lie in."""
    own = {Path(path).parents[1].name for path in table["path"][:1]}
    return (*own.intersection(classes_folder.PARTS), *classes_folder.PARTS)


def _grey(path: Path) -> npt.NDArray[np.uint8]:
    with Image.open(path) as image:
        grey = image.convert("L")
    # Nearest: a mask has no shades, and one that is smoothed would grow or shrink.
    size = (IMAGE_SIZE_PX, IMAGE_SIZE_PX)
    return np.asarray(grey.resize(size, Image.Resampling.NEAREST), np.uint8)
