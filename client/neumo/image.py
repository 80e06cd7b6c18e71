"""Any radiograph to the models' input: one uint8 [256, 256, 1] image."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import BinaryIO, TypeAlias

import numpy as np
import numpy.typing as npt
from PIL import Image

from neumo import contract
from neumo._images import arrays, dicom, file_content, image_size, raster
from neumo._images.file_content import MAX_FILE_BYTES
from neumo._images.film_folders import SUFFIXES as FILM_SUFFIXES
from neumo._images.film_readers import FilmReaders
from neumo.cautions import Caution

__all__ = [
    "FILM_SUFFIXES",
    "MAX_FILE_BYTES",
    "Film",
    "FilmReaders",
    "Source",
    "decode",
    "pixel_count",
    "read",
    "to_pixels",
]


@dataclass(frozen=True, slots=True, eq=False)
class Film:
    """A radiograph as the models see it, without anything that tells whose it is.

    ``pixels`` is uint8 [256, 256, 1], read-only; ``width_px`` and ``height_px`` are those of the
    original, upright. ``cautions`` are what a reader of a prediction about it should know.
    """

    pixels: npt.NDArray[np.uint8]
    cautions: tuple[Caution, ...]
    width_px: int
    height_px: int


Source: TypeAlias = (
    str
    | os.PathLike[str]
    | bytes
    | bytearray
    | memoryview
    | BinaryIO
    | Image.Image
    | npt.NDArray[np.generic]
    | Film
)
"""What ``read`` takes; its docstring says how each is understood."""


def read(source: Source) -> Film:
    """The film in ``source``.

    ``source`` is a path, the bytes of a file, a binary file (read to its end, left open), a
    Pillow image, a film that was read before, or an array: [h, w], [h, w, 1] or [h, w, 3] (RGB)
    of uint8, of uint16, or of floats in [0, 1]. Files may be JPEG, PNG, WebP, TIFF, BMP, GIF or,
    with the ``dicom`` extra, DICOM. The first frame is read. EXIF orientation is applied; what is
    transparent turns black, as air is on a film. More than 8 bits are reduced as
    ``neumo._images.grey_depth`` says.

    Raises ``ImageError`` where no film can be read, or its sides are outside
    ``neumo._images.size_limits``.
    """
    if isinstance(source, Film):
        return source
    image, cautions = decode(source)
    pixels = to_pixels(image)
    pixels.flags.writeable = False
    return Film(pixels, cautions, image.width, image.height)


def to_pixels(image: Image.Image) -> npt.NDArray[np.uint8]:
    """The contract's input of an 8-bit ``image``: uint8 [256, 256, 1].

    Pillow's luma and bicubic filter, no aspect kept, as the original notebook fed its models.
    Training resizes with this very function.
    """
    size = (contract.IMAGE_SIZE_PX, contract.IMAGE_SIZE_PX)
    # Pillow would copy an image that is as it should be already.
    if image.mode != contract.IMAGE_MODE:
        image = image.convert(contract.IMAGE_MODE)
    if image.size != size:
        image = image.resize(size, Image.Resampling[contract.IMAGE_RESAMPLE])
    return np.array(image, dtype=np.uint8)[:, :, None]


def decode(source: Source) -> tuple[Image.Image, tuple[Caution, ...]]:
    """An upright 8-bit image of the original's size, and what to know about it.

    ``source`` is anything that ``read`` takes but a ``Film``; raises as ``read`` does.
    """
    if isinstance(source, np.ndarray):
        return arrays.decode(source), ()
    if isinstance(source, Image.Image):
        return raster.convert(source)
    data = file_content.content(source)
    return dicom.decode(data) if dicom.recognises(data) else raster.decode(data)


def pixel_count(data: bytes) -> int:
    """The pixels that the file with this content says to have; 0 where that cannot be told.

    Nothing is decoded. A DICOM file that is packed as a whole counts as the largest.
    """
    return image_size.pixels(data)
