"""Lung masks: read from a folder, or found by the release; and how well they agree."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd
from PIL import Image, UnidentifiedImageError

from neumo.contract import IMAGE_SIZE_PX
from neumo.errors import ConfigError
from neumo_training.evaluation.cohort import classes_folder

Masks = npt.NDArray[np.uint8]
"""uint8 [n, 256, 256], 1 inside the lungs."""


def read(folder: Path, table: pd.DataFrame) -> tuple[npt.NDArray[np.int_], Masks]:
    """The rows of ``table`` that have a mask in ``folder``, and those masks.

    A mask lies at ``<label>/<the film's name>.png``, of any size, white inside the lungs. Raises
    ``ConfigError`` where none is found.
    """
    if not folder.is_dir():
        raise ConfigError(f"{folder}: no such folder; --masks takes one with NORMAL and PNEUMONIA")
    root = classes_folder(folder)
    rows, masks = [], []
    for row, (label, name) in enumerate(zip(table["label"], table["name"], strict=True)):
        path = root / label / f"{Path(name).stem}.png"
        if path.is_file():
            rows.append(row)
            masks.append(_mask(path))
    if not rows:
        raise ConfigError(
            f"{folder}: no mask of these films here; each is <label>/<name of the film>.png"
        )
    return np.array(rows, np.int_), np.stack(masks)


def dice(found: Masks, drawn: Masks) -> npt.NDArray[np.float64]:
    """The Dice coefficient of each pair, [n]; 1 where both are empty."""
    shared = (found & drawn).sum(axis=(1, 2), dtype=np.float64)
    both = found.sum(axis=(1, 2), dtype=np.float64) + drawn.sum(axis=(1, 2), dtype=np.float64)
    ones = np.ones_like(both)
    found_dice: npt.NDArray[np.float64] = np.divide(2.0 * shared, both, out=ones, where=both > 0.0)
    return found_dice


def share_inside(heat: npt.NDArray[np.float32], masks: Masks) -> npt.NDArray[np.float64]:
    """How much of each heat map, float32 [n, 256, 256], lies in the lungs; NaN without heat."""
    total = heat.sum(axis=(1, 2), dtype=np.float64)
    inside = (heat * masks).sum(axis=(1, 2), dtype=np.float64)
    nothing = np.full_like(total, np.nan)
    share: npt.NDArray[np.float64] = np.divide(inside, total, out=nothing, where=total > 0.0)
    return share


def _mask(path: Path) -> npt.NDArray[np.uint8]:
    try:
        with Image.open(path) as image:
            grey = image.convert("L").resize(
                (IMAGE_SIZE_PX, IMAGE_SIZE_PX), Image.Resampling.NEAREST
            )
    except (OSError, UnidentifiedImageError) as error:
        raise ConfigError(f"{path}: not a mask that can be read; replace or remove it") from error
    return np.asarray(np.asarray(grey) > 127, np.uint8)
