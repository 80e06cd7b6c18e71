"""Decoded films in memory, exactly as the SDK sends them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

from neumo import image
from neumo.contract import PNEUMONIA
from neumo.errors import ConfigError, ImageError


@dataclass(frozen=True, slots=True)
class Films:
    """``table``'s rows and their ``pixels``, uint8 [n, 256, 256, 1], in the same order."""

    table: pd.DataFrame
    pixels: npt.NDArray[np.uint8]

    @property
    def labels(self) -> npt.NDArray[np.float32]:
        """1 for PNEUMONIA, float32 [n]."""
        return np.asarray(self.table["label"] == PNEUMONIA, dtype=np.float32)

    def where(self, keep: npt.NDArray[np.bool_]) -> Films:
        """The films at which ``keep`` is true."""
        return Films(self.table[keep], self.pixels[keep])


def load(table: pd.DataFrame, say: Callable[[str], None]) -> Films:
    """Decode every film of ``table``; unreadable ones are left out and told to ``say``.

    Raises ``ConfigError`` where a whole class cannot be read.
    """
    # Bytes: the 4,118 development films are 270 MB so, and four times that as float32.
    pixels, kept = [], []
    for index, path in table["path"].items():
        try:
            pixels.append(image.read(Path(path)).pixels)
            kept.append(index)
        except ImageError as error:
            say(f"left out: {path}: {error}")
    readable = table.loc[kept]
    for label in sorted(set(table["label"]) - set(readable["label"])):
        raise ConfigError(f"no film of class {label} can be read; see the lines above")
    return Films(readable, np.stack(pixels))
