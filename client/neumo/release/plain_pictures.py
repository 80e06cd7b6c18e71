"""Drawn pictures that show no chest: what ``lungs`` of every release must refuse.

As the golden inputs, they are the same bytes on every machine, and nobody's.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from neumo.contract import IMAGE_SIZE_PX

Picture = npt.NDArray[np.uint8]


def draw() -> dict[str, Picture]:
    """Each picture by what it shows, uint8 [1, 256, 256, 1]."""
    # Whole numbers only, so that no processor rounds otherwise.
    y, x = np.mgrid[0:IMAGE_SIZE_PX, 0:IMAGE_SIZE_PX]
    noise = np.random.RandomState(17).randint(0, 256, (IMAGE_SIZE_PX, IMAGE_SIZE_PX))
    shown = {
        "black": np.zeros_like(x),
        "grey": np.full_like(x, 128),
        "white": np.full_like(x, 255),
        "ramp": x,
        "stripes": (y // 16 % 2) * 255,
        "chessboard": ((x // 32 + y // 32) % 2) * 255,
        "noise": noise,
        "text": _text(x, y),
    }
    return {name: values.astype(np.uint8)[None, :, :, None] for name, values in shown.items()}


def _text(x: npt.NDArray[np.int64], y: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Lines of dark words on white, as a page has."""
    is_line = (y % 20 > 5) & (y % 20 < 14) & (x > 20) & (x < 236)
    is_word = (x * 7 + (y // 20) * 31) % 64 > 12
    return np.where(is_line & is_word, 20, 245)
