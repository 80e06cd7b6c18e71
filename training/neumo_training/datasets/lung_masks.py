"""Human-drawn lung masks for films, by the film's name."""

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


@dataclass(frozen=True, slots=True)
class Masks:
    """``pixels`` uint8 [n, 256, 256, 1] of 0 and 1; ``known`` bool [n], false without a mask."""

    pixels: npt.NDArray[np.uint8]
    known: npt.NDArray[np.bool_]


def load(table: pd.DataFrame, folder: Path, say: Callable[[str], None]) -> Masks:
    """The masks of ``table``'s films: ``<folder>/<label>/<film's stem>.png``, or below ``train``.

    A film without a readable mask is not ``known``; the number of unreadable ones is told to
    ``say``. Raises ``ConfigError`` where the folder has no mask of any film.
    """
    root = folder / "train" if (folder / "train").is_dir() else folder
    size = (IMAGE_SIZE_PX, IMAGE_SIZE_PX)
    pixels = np.zeros((len(table), *size, 1), np.uint8)
    known = np.zeros(len(table), np.bool_)
    unreadable = 0
    for row, (label, name) in enumerate(zip(table["label"], table["name"], strict=True)):
        path = root / label / f"{Path(name).stem}.png"
        if not path.is_file():
            continue
        try:
            with Image.open(path) as image:
                pixels[row, :, :, 0] = np.asarray(image.convert("L").resize(size, 0)) > 0
            known[row] = True
        except OSError:
            unreadable += 1
    if unreadable:
        say(f"left out: {unreadable} lung masks that cannot be read")
    if not known.any():
        raise ConfigError(f"{folder}: no lung mask of any film; expected NORMAL/<film's name>.png")
    return Masks(pixels, known)
