"""Image files that Pillow decodes, from a list of formats, within limits."""

from __future__ import annotations

from typing import Any

import numpy as np
from PIL import (  # noqa: F401 - the plugins, so that silence meets them all
    BmpImagePlugin,
    GifImagePlugin,
    Image,
    ImageOps,
    JpegImagePlugin,
    PngImagePlugin,
    TiffImagePlugin,
    UnidentifiedImageError,
    WebPImagePlugin,
)

from neumo._images import file_checks, grey_depth
from neumo._images.file_checks import CountedBytes, quiet
from neumo.cautions import FIRST_FRAME, RESCALED, TRANSPARENCY, Caution
from neumo.errors import ImageError

FORMATS = ("JPEG", "PNG", "TIFF", "BMP", "GIF", "WEBP")
"""The usual ones; ``neumo._images.other_kinds`` knows more."""

_BAND_PX = 256
_TIFF_BITS = 258
_TIFF_PHOTOMETRIC = 262
_TIFF_COMPRESSION = 259
_TIFF_PLANES, _TIFF_SEPARATE = 284, 2
_TIFF_SAMPLE_FORMAT = 339
_TIFF_WHITE_IS_ZERO = 0
_OPAQUE = 255
_MOST_BETWEEN = 0.05
"""The share of a cut-out film that is half transparent at most: its soft edge."""
_COLOURS = {"RGB", "RGBA", "LA", "CMYK"}

Decoded = tuple[Image.Image, tuple[Caution, ...]]

file_checks.silence("PIL")


def decode(data: bytes) -> Decoded:
    """The upright 8-bit image in the file whose content is ``data``, and what to know about it.

    Raises ``ImageError`` where there is none, it is damaged or cut off, of a kind that is not
    read, or its size is out of bounds (told from the header, before anything is decoded).
    """
    try:
        with quiet(), Image.open(CountedBytes(data), formats=FORMATS) as image:
            return opened(image, data)
    except ImageError:
        raise
    except Image.DecompressionBombError:
        raise file_checks.too_large() from None
    except Exception as error:  # decoders raise anything on damaged bytes
        # Only here, so that the usual films wait for nothing more.
        from neumo._images import other_kinds  # noqa: PLC0415

        with quiet():
            found = other_kinds.decode(data, opened)
        if found is None:
            raise _fault(error) from error
        return found


def opened(image: Image.Image, data: bytes) -> Decoded:
    """As ``decode``, of an image that Pillow opened from ``data``; raises what Pillow does."""
    file_checks.check_size(*image.size)
    frames = int(getattr(image, "n_frames", 1))
    if _is_unusual_tiff(image):
        # Only here, so that the usual films wait for nothing more.
        from neumo._images import tiff_samples  # noqa: PLC0415

        if found := tiff_samples.decode(data):
            return found
    if _is_deep_colour(image):
        from neumo._images import deep_channels  # noqa: PLC0415 - few films are of that kind

        deep, cautions = deep_channels.decode(image, data)
        upright = ImageOps.exif_transpose(deep)
    else:
        upright, cautions = _convert(image)
    return upright, (*cautions, FIRST_FRAME) if frames > 1 else cautions


def convert(image: Image.Image) -> Decoded:
    """``image`` upright and in 8 bits, and what to know about it; ``image`` itself is kept.

    Raises ``ImageError`` as ``decode`` does.
    """
    if _is_deep_colour(image):
        raise ImageError(
            "Pillow would cut its 16-bit colours to 8 bits: give the file's path or bytes"
        )
    try:
        with quiet():
            file_checks.check_size(*image.size)
            return _convert(image)
    except ImageError:
        raise
    except Image.DecompressionBombError:
        raise file_checks.too_large() from None
    except Exception as error:
        raise _fault(error) from error


def _fault(error: Exception) -> ImageError:
    if isinstance(error, UnidentifiedImageError):
        return ImageError(
            "not an image, or one damaged at its start: "
            "give a radiograph as DICOM, JPEG, PNG, WebP, TIFF, BMP or GIF"
        )
    return ImageError("damaged or cut off: copy or export it again")


def _convert(image: Image.Image) -> Decoded:
    image.load()
    negative, unsigned = _white_is_zero(image), _is_unsigned(image)
    is_signed = _is_signed_byte(image)
    upright = ImageOps.exif_transpose(image)
    if is_signed:
        # Pillow keeps the bytes: -128 to 127 as 128 to 255 and 0 to 127.
        return upright.point([(level + 128) % 256 for level in range(256)]), (RESCALED,)
    if upright.mode == "F" or upright.mode.startswith("I"):
        grey, cautions = _from_deep(upright, unsigned=unsigned)
        return (ImageOps.invert(grey) if negative else grey), cautions
    return _eight_bits(upright)


def _is_unusual_tiff(image: Image.Image) -> bool:
    """Whether Pillow opens a TIFF and would not read it right: planes of 16 bits, wrong bits."""
    if image.format != "TIFF":
        return False
    from neumo._images import other_kinds, tiff_samples  # noqa: PLC0415

    tags = getattr(image, "tag_v2", {})
    other_kinds.check_tiff(tags.get(_TIFF_COMPRESSION, 1))
    is_by_plane = tags.get(_TIFF_PLANES) == _TIFF_SEPARATE
    is_deep = max(tags.get(_TIFF_BITS, (1,))) > 8
    return (is_by_plane and is_deep) or tiff_samples.is_wider_than_said(image)


def _is_deep_colour(image: Image.Image) -> bool:
    """Whether Pillow is about to reduce more than 8 bits a channel to 8."""
    # Only files not yet decoded have tiles, and each names the layout of its samples.
    tiles = getattr(image, "tile", None)
    if not tiles or image.mode not in _COLOURS or image.format not in {"PNG", "TIFF"}:
        return False
    layout = tiles[0][3]
    layout = layout[0] if isinstance(layout, tuple) and layout else layout
    bits = getattr(image, "tag_v2", {}).get(_TIFF_BITS, ())
    return ";16" in str(layout) or max(bits, default=8) > 8


def _eight_bits(image: Image.Image) -> Decoded:
    if image.mode in {"La", "RGBa"}:
        image = image.convert(image.mode[:-1] + "A")
    if image.mode == "P" and image.has_transparency_data:
        image = image.convert("RGBA")
    if image.has_transparency_data:
        if image.mode in {"LA", "RGBA"} and _is_not_meant(image):
            # Much of it would be darker than the film, or black: an alpha that nobody meant.
            return image.convert(image.mode.removesuffix("A")), (TRANSPARENCY,)
        return _on_black(image), ()
    if image.mode == "LAB":
        raise ImageError("LAB colours are not read: save it as greyscale")
    return image, ()


def _from_deep(image: Image.Image, *, unsigned: bool) -> Decoded:
    """More than 8 bits: 16 by their depth, floats in [0, 1] as they are, others stretched."""
    values = np.asarray(image)
    low, high = float(values.min()), float(values.max())
    if not np.isfinite([low, high]).all():
        raise ImageError("some of its pixels are not numbers (NaN, or infinite): export it again")
    if image.mode == "F" and low >= 0.0 and high <= 1.0:
        return Image.fromarray(grey_depth.from_unit(values)), ()
    if image.mode == "I" and low < 0.0 and unsigned:
        values = values.view(np.uint32)
        low, high = float(values.min()), float(values.max())
    if image.mode != "F" and low >= 0.0 and high <= 65535.0:
        levels = grey_depth.from_uint16(values.astype(np.uint16))
        hidden = image.info.get("transparency")
        if isinstance(hidden, int):
            levels[values == hidden] = 0
        return Image.fromarray(levels), ()
    return Image.fromarray(grey_depth.stretch(values, low, high)), (RESCALED,)


def _is_not_meant(image: Image.Image) -> bool:
    """Whether a picture's alpha is opaque nowhere, or lets half through in more than edges."""
    counts = image.getchannel("A").histogram()
    between = sum(counts[1:_OPAQUE])
    if counts[_OPAQUE] and between <= _MOST_BETWEEN * image.width * image.height:
        return False
    # Of one colour, the alpha alone is the picture.
    return any(low != high for low, high in _extrema(image.convert(image.mode.removesuffix("A"))))


def _extrema(image: Image.Image) -> tuple[tuple[float, float], ...]:
    """The least and the most of each channel."""
    found: Any = image.getextrema()
    return found if isinstance(found[0], tuple) else (found,)


def _on_black(image: Image.Image) -> Image.Image:
    """What is transparent turns black, as air is on a film; by bands, to spare memory."""
    grey = Image.new("L", image.size)
    for top in range(0, image.height, _BAND_PX):
        box = (0, top, image.width, min(top + _BAND_PX, image.height))
        rgba = image.crop(box).convert("RGBA")
        black = Image.new("RGBA", rgba.size, (0, 0, 0, 255))
        grey.paste(Image.alpha_composite(black, rgba).convert("RGB").convert("L"), box[:2])
    return grey


def _is_unsigned(image: Image.Image) -> bool:
    """Whether a TIFF's 32 bits are unsigned, which Pillow keeps as signed."""
    tags = getattr(image, "tag_v2", {})
    return image.mode == "I" and bool(tags) and tags.get(_TIFF_SAMPLE_FORMAT, (1,))[0] == 1


def _is_signed_byte(image: Image.Image) -> bool:
    """Whether a TIFF's 8 bits are signed, which Pillow keeps as unsigned."""
    tags = getattr(image, "tag_v2", {})
    return image.mode == "L" and bool(tags) and tags.get(_TIFF_SAMPLE_FORMAT, (1,))[0] == 2


def _white_is_zero(image: Image.Image) -> bool:
    """Whether a TIFF counts from white to black, which Pillow undoes up to 8 bits only."""
    photometric = getattr(image, "tag_v2", {}).get(_TIFF_PHOTOMETRIC)
    return photometric == _TIFF_WHITE_IS_ZERO
