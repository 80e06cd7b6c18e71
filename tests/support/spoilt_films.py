"""Films made worse, each in the way that one caution is about."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
from PIL import Image

Picture: TypeAlias = npt.NDArray[np.uint8]
SIDE_PX = 256


def _resized(picture: Picture, width: int, height: int) -> Picture:
    return np.asarray(Image.fromarray(np.ascontiguousarray(picture)).resize((width, height)))


def framed(picture: Picture, level: int, width: int) -> Picture:
    """In a frame of that level, ``width`` pixels wide."""
    frame = np.full_like(picture, level)
    inner = len(picture) - 2 * width
    frame[width : width + inner, width : width + inner] = _resized(picture, inner, inner)
    return frame


def cut(picture: Picture, share: float, *, left: bool) -> Picture:
    """Without that share of its width, at its full size again."""
    gone = int(share * len(picture))
    kept = picture[:, gone:] if left else picture[:, : len(picture) - gone]
    return _resized(kept, SIDE_PX, SIDE_PX)


def enlarged(picture: Picture, side: int) -> Picture:
    """A thumbnail of that side, enlarged to 1000 pixels, as the models see it."""
    return _resized(_resized(_resized(picture, side, side), 1000, 1000), SIDE_PX, SIDE_PX)


def stretched(picture: Picture, factor: float) -> Picture:
    """Contrast times ``factor`` about its middle."""
    return np.clip((picture - 128.0) * factor + 128.0, 0, 255).astype(np.uint8)


SPOILT: dict[str, tuple[str, Callable[[Picture], Picture]]] = {
    **{
        f"in a frame of level {level}, {width} px": (
            "framed",
            partial(framed, level=level, width=width),
        )
        for level in (30, 128, 240)
        for width in (4, 20)
    },
    "negative": ("negative", lambda picture: 255 - picture),
    "on its head": ("turned", lambda picture: np.rot90(picture, 2)),
    "upside down, mirrored": ("turned", lambda picture: picture[::-1]),
    "on its left side": ("turned", np.rot90),
    "on its right side": ("turned", lambda picture: np.rot90(picture, 3)),
    "left third missing": ("cut", partial(cut, share=0.33, left=True)),
    "right 40 % missing": ("cut", partial(cut, share=0.4, left=False)),
    "enlarged from 64 px": ("small", partial(enlarged, side=64)),
    "enlarged from 96 px": ("small", partial(enlarged, side=96)),
    "a fifth of its contrast": ("flat", partial(stretched, factor=0.2)),
    "three times its contrast": ("saturated", partial(stretched, factor=3.0)),
}
"""What was done to a film, the code of the caution that is due, and how."""
