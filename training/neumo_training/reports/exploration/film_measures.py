"""What each film measures: its size, its brightness, and whether it can be read at all."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import pandas as pd

from neumo import image
from neumo.contract import PNEUMONIA
from neumo.errors import ImageError
from neumo_training import evaluation
from neumo_training.evaluation import baselines

BORDERS = ("border_top", "border_bottom", "border_left", "border_right")
INTENSITIES = ("brightness", "contrast", *BORDERS)
"""Mean, standard deviation, and the mean of each border, in grey levels, 0 to 255."""

COLUMNS = ("width_px", "height_px", *INTENSITIES, "error")


Watch: TypeAlias = Callable[[Sequence[str]], Iterable[str]]
"""Hands on what it is given, one after the other; it may show how far it is."""


def measure(films: pd.DataFrame, watch: Watch = iter) -> pd.DataFrame:
    """One row for each of ``films``, with its index; columns ``COLUMNS``.

    ``width_px`` and ``height_px`` are the file's own; the intensities are of the 256 x 256 pixels
    that the models see. A film that cannot be read has NaN, and the reason as ``error``.
    ``watch`` is given the paths, and gives them back to be read.
    """
    rows = [_row(Path(path)) for path in watch(list(films["path"]))]
    return pd.DataFrame(rows, columns=list(COLUMNS), index=films.index)


def separation(values: pd.Series[Any], labels: pd.Series[str]) -> float | None:
    """How well ``values`` alone tell the classes apart: the AUC, 0.5 (not at all) to 1.

    None where they are all the same, or one class has none.
    """
    known = values.notna()
    values, ill = values[known], labels[known] == PNEUMONIA
    if values.nunique() < 2 or ill.nunique() < 2:
        return None
    auc = evaluation.area(values.to_numpy(np.float64), np.asarray(ill, np.float32))
    # Either way round: a shortcut is one whichever class is the brighter.
    return max(auc, 1.0 - auc)


def _row(path: Path) -> tuple[Any, ...]:
    try:
        film = image.read(path)
    except ImageError as error:
        return (*[np.nan] * (len(COLUMNS) - 1), str(error))
    return (film.width_px, film.height_px, *_intensities(film.pixels[None]), "")


def _intensities(pixels: npt.NDArray[np.uint8]) -> list[float]:
    """What the trivial baselines are fitted on, of one film, uint8 [1, 256, 256, 1]."""
    whole, borders = baselines.mean_brightness(pixels), baselines.border_brightness(pixels)
    return [float(value) for value in (*whole[0], *borders[0])]
