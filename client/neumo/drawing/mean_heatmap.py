"""Where the members looked, in one frame. Pure."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt
from PIL import Image

from neumo.contract import IMAGE_SIZE_PX


def mean_heatmap(
    maps: Iterable[npt.NDArray[np.float32]],
    size: tuple[int, int] = (IMAGE_SIZE_PX, IMAGE_SIZE_PX),
) -> npt.NDArray[np.float32]:
    """The mean of float32 [h, w] maps of any sizes in the input's frame: float32 [256, 256].

    ``size`` is the frame's height and width. Each is brought to it bilinearly; values stay in
    [0, 1].
    """
    # Members differ in resolution: each is brought to the frame before they are averaged.
    stacked = np.stack([_in_frame(one, size) for one in maps])
    average: npt.NDArray[np.float32] = np.clip(stacked.mean(axis=0), 0.0, 1.0)
    return average


def _in_frame(one: npt.NDArray[np.float32], size: tuple[int, int]) -> npt.NDArray[np.float32]:
    resized = Image.fromarray(one).resize(size[::-1], Image.Resampling.BILINEAR)
    return np.asarray(resized, dtype=np.float32)
