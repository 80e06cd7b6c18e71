"""Image files that Pillow decodes, from a list of formats, within limits."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from neumo._images import file_checks, grey_depth
from neumo._images.file_checks import CountedBytes, warnings_ignored
from neumo.cautions import FIRST_FRAME, RESCALED, Caution
from neumo.errors import ImageError

FORMATS = ("JPEG", "PNG", "TIFF", "BMP", "GIF", "WEBP")

_BAND_PX = 256
_TIFF_PHOTOMETRIC = 262
_TIFF_WHITE_IS_ZERO = 0

Decoded = tuple[Image.Image, tuple[Caution, ...]]


def decode(data: bytes) -> Decoded:
    """The upright 8-bit image in the file whose content is ``data``, and what to know about it.

    Raises ``ImageError`` where there is none, it is damaged or cut off, or its size is out of
    bounds (told from the header, before anything is decoded).
    """
    with _faults_told(), Image.open(CountedBytes(data), formats=FORMATS) as image:
        file_checks.check_size(*image.size)
        frames = int(getattr(image, "n_frames", 1))
        upright, cautions = _convert(image)
        return upright, (*cautions, FIRST_FRAME) if frames > 1 else cautions


def convert(image: Image.Image) -> Decoded:
    """``image`` upright and in 8 bits, and what to know about it; ``image`` itself is kept.

    Raises ``ImageError`` as ``decode`` does.
    """
    with _faults_told():
        file_checks.check_size(*image.size)
        return _convert(image)


@contextmanager
def _faults_told() -> Iterator[None]:
    """Pillow's exceptions as ``ImageError``; its warnings dropped."""
    try:
        with warnings_ignored():
            yield
    except ImageError:
        raise
    except Image.DecompressionBombError:
        raise file_checks.too_large() from None
    except UnidentifiedImageError:
        raise ImageError(
            "not an image, or one damaged at its start: "
            "give a radiograph as DICOM, JPEG, PNG, WebP, TIFF, BMP or GIF"
        ) from None
    except Exception as error:  # decoders raise anything on damaged bytes
        raise ImageError("damaged or cut off: copy or export it again") from error


def _convert(image: Image.Image) -> Decoded:
    image.load()
    negative = _white_is_zero(image)
    grey, cautions = _eight_bits(ImageOps.exif_transpose(image))
    return (ImageOps.invert(grey) if negative else grey), cautions


def _eight_bits(image: Image.Image) -> Decoded:
    if image.mode == "F" or image.mode.startswith("I"):
        return _from_deep(image)
    if image.has_transparency_data or image.mode in {"La", "RGBa"}:
        return _on_black(image), ()
    if image.mode == "LAB":
        raise ImageError("LAB colours are not read: save it as greyscale")
    return image, ()


def _from_deep(image: Image.Image) -> Decoded:
    """More than 8 bits: 16 by their depth, floats in [0, 1] as they are, others stretched."""
    values = np.asarray(image)
    low, high = float(values.min()), float(values.max())
    if not np.isfinite([low, high]).all():
        raise ImageError("some of its pixels are not numbers: export it again")
    if image.mode == "F" and low >= 0.0 and high <= 1.0:
        return Image.fromarray(grey_depth.from_unit(values)), ()
    if image.mode != "F" and low >= 0.0 and high <= 65535.0:
        return Image.fromarray(grey_depth.from_uint16(values.astype(np.uint16))), ()
    return Image.fromarray(grey_depth.stretch(values, low, high)), (RESCALED,)


def _on_black(image: Image.Image) -> Image.Image:
    """What is transparent turns black, as air is on a film; by bands, to spare memory."""
    grey = Image.new("L", image.size)
    for top in range(0, image.height, _BAND_PX):
        box = (0, top, image.width, min(top + _BAND_PX, image.height))
        rgba = image.crop(box).convert("RGBA")
        black = Image.new("RGBA", rgba.size, (0, 0, 0, 255))
        grey.paste(Image.alpha_composite(black, rgba).convert("RGB").convert("L"), box[:2])
    return grey


def _white_is_zero(image: Image.Image) -> bool:
    """Whether a TIFF counts from white to black, which Pillow undoes up to 8 bits only."""
    deep = image.mode == "F" or image.mode.startswith("I")
    photometric = getattr(image, "tag_v2", {}).get(_TIFF_PHOTOMETRIC)
    return deep and photometric == _TIFF_WHITE_IS_ZERO
