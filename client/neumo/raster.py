"""Image files that Pillow decodes, from a list of formats, within a limit of pixels."""

from __future__ import annotations

import io

from PIL import Image, ImageOps

from neumo.errors import ImageError


def decode(data: bytes) -> Image.Image:
    """The image in the file whose content is ``data``, decoded whole.

    Raises ``ImageError`` where it is none, is damaged, too small or too large.
    """
    try:
        with Image.open(io.BytesIO(data), formats=("JPEG", "PNG")) as image:
            image.load()
            return image
    except Exception as error:  # noqa: BLE001 - decoders raise anything on damaged bytes
        raise ImageError("not an image: give a radiograph as JPEG or PNG") from error


def upright(image: Image.Image) -> Image.Image:
    """``image`` turned as its EXIF orientation says."""
    return ImageOps.exif_transpose(image)
