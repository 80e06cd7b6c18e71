"""Decoded films in memory, exactly as the SDK sends them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

from neumo import image
from neumo.contract import IMAGE_SCALE, IMAGE_SIZE_PX, PNEUMONIA
from neumo.errors import ConfigError, ImageError

POOL = 2
INPUT_SIZE_PX = IMAGE_SIZE_PX // POOL
"""The CNNs see 128 x 128 pixels: below it, a film and its 224-pixel copy look alike."""


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


def inputs(pixels: npt.NDArray[np.uint8]) -> npt.NDArray[np.float16]:
    """What the CNNs see of ``pixels``: the mean of each 2 x 2, float16 [n, 128, 128, 1], 0..255.

    Quarter steps below 256 are exact in float16; the exported graph pools the same way.
    """
    n = len(pixels)
    blocks = pixels.reshape(n, INPUT_SIZE_PX, POOL, INPUT_SIZE_PX, POOL, 1)
    sums = blocks.sum(axis=(2, 4), dtype=np.uint16)
    return np.asarray(sums / POOL**2, dtype=np.float16)


def scaled(batch: npt.NDArray[np.float16]) -> npt.NDArray[np.float32]:
    """0..255 to 0..1, float32, as the contract says."""
    return batch.astype(np.float32) * np.float32(IMAGE_SCALE)
