"""Any radiograph to the models' input: one uint8 [256, 256, 1] image."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import BinaryIO, TypeAlias

import numpy as np
import numpy.typing as npt
from PIL import Image

from neumo import contract, raster, sources
from neumo.ensemble import Caution

Pixels: TypeAlias = npt.NDArray[np.uint8]
Source: TypeAlias = (
    "str | os.PathLike[str] | bytes | bytearray | memoryview | BinaryIO "
    "| Image.Image | npt.NDArray[np.generic]"
)
"""What ``read`` takes; its docstring says how each is understood."""


@dataclass(frozen=True, slots=True, eq=False)
class Film:
    """A radiograph as the models see it.

    ``pixels`` is uint8 [256, 256, 1]; ``width_px`` and ``height_px`` are the original's, upright.
    ``cautions`` say what a reader of a prediction about it should know. No identifier is kept.
    """

    pixels: Pixels
    cautions: tuple[Caution, ...]
    width_px: int
    height_px: int


def read(source: Source) -> Film:
    """The film in ``source``: a path, the bytes of a file, a binary file, an image or an array.

    Raises ``ImageError`` where no film can be read from it.
    """
    image = raster.upright(
        source if isinstance(source, Image.Image) else raster.decode(sources.content(source))
    )
    return Film(to_pixels(image), (), image.width, image.height)


def to_pixels(image: Image.Image) -> Pixels:
    """The contract's input of an 8-bit ``image``: uint8 [256, 256, 1].

    Pillow's luma and bicubic filter, no aspect kept, as the original notebook fed its models.
    Training resizes with this very function.
    """
    size = (contract.IMAGE_SIZE_PX, contract.IMAGE_SIZE_PX)
    grey = image.convert(contract.IMAGE_MODE)
    small = grey.resize(size, Image.Resampling[contract.IMAGE_RESAMPLE])
    return np.array(small, dtype=np.uint8)[:, :, None]
