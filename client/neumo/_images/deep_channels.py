"""PNG and TIFF of 16 bits a channel, in colour or with alpha, which Pillow would cut to 8.

Pillow unpacks the first byte of each sample; told that the bytes stand the other way round, it
unpacks the second one. Two passes of its own decoders so give all 16 bits.
"""

from __future__ import annotations

import sys
from typing import Any, cast

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageFile

from neumo._images import grey_depth
from neumo._images.file_checks import CountedBytes
from neumo.cautions import TRANSPARENCY, Caution
from neumo.errors import ImageError

_BAND_PX = 256
_PLANES, _SEPARATE = 284, 2
_EXTRA, _PREMULTIPLIED = 338, 1
_GREY_ALPHA = "LA;16B"

Channels = npt.NDArray[np.uint16]


def decode(image: Image.Image, data: bytes) -> tuple[Image.Image, tuple[Caution, ...]]:
    """8-bit grey of ``image``, which Pillow opened from ``data`` and did not yet decode.

    All colour channels together are reduced by ``grey_depth``'s rule, then taken to luma; what is
    transparent turns black. Raises ``ImageError`` for layouts that cannot be read in full depth,
    and what Pillow does.
    """
    tags = getattr(image, "tag_v2", {})
    if tags.get(_PLANES) == _SEPARATE:
        raise ImageError(
            "a TIFF of 16-bit colours in separate planes is not read in full depth: "
            "save it as 16-bit greyscale"
        )
    high, low = _halves(image, data)
    size, name = image.size, _layout(image)
    if name == _GREY_ALPHA:
        # Decoded once, as four bytes: grey's two and alpha's two.
        colours, alpha = [(0, 1)], (2, 3)
    else:
        count = 4 if image.mode == "CMYK" else 3
        colours, alpha = [(k, k) for k in range(count)], (3, 3)
    has_alpha = name.startswith(("RGBA", "RGBa", "LA"))
    bits = grey_depth.bits_in_use(max(_most(high, low, pair) for pair in colours))
    opaque = _opaque(_most(high, low, alpha), bits) if has_alpha else None
    # Premultiplied colours lie on black already.
    is_composed = tags.get(_EXTRA, (0,))[0] == _PREMULTIPLIED
    hidden = image.info.get("transparency")
    grey = Image.new("L", size)
    for top in range(0, size[1], _BAND_PX):
        box = (0, top, size[0], min(top + _BAND_PX, size[1]))
        values = [_samples(high, low, pair, box) for pair in colours]
        levels = np.stack([(one >> (bits - 8)).astype(np.uint8) for one in values], axis=2)
        if isinstance(hidden, tuple) and len(hidden) == len(values):
            key = [one == wanted for one, wanted in zip(values, hidden, strict=True)]
            levels[np.logical_and.reduce(key)] = 0
        band = _luma(levels, image.mode)
        if opaque and not is_composed:
            share = np.minimum(_samples(high, low, alpha, box) / opaque, 1.0)
            band = np.rint(band * share).astype(np.uint8)
        grey.paste(Image.fromarray(band), box[:2])
    is_nowhere_opaque = has_alpha and not opaque and not is_composed
    _keep_orientation(image, grey)
    return grey, (TRANSPARENCY,) if is_nowhere_opaque else ()


def _halves(image: Image.Image, data: bytes) -> tuple[Image.Image, Image.Image]:
    """Images of the samples' upper and of their lower bytes; the same one for grey with alpha."""
    name = _layout(image)
    if name == _GREY_ALPHA:
        whole = _unpacked(image, data, "RGBA")
        return whole, whole
    stem = name.partition(";")[0].replace("RGBa", "RGBA")
    if stem not in {"RGB", "RGBX", "RGBA", "CMYK"}:
        raise ImageError(f"16-bit {image.mode} is not read in full depth: save it as greyscale")
    is_little = name[-1] == "L" or (name[-1] == "N" and sys.byteorder == "little")
    order = "LB" if is_little else "BL"
    high, low = (_unpacked(image, data, f"{stem};16{letter}") for letter in order)
    return high, low


def _layout(image: Image.Image) -> str:
    layout: Any = cast(ImageFile.ImageFile, image).tile[0][3]
    return str(layout[0] if isinstance(layout, tuple) else layout)


def _unpacked(image: Image.Image, data: bytes, name: str) -> Image.Image:
    """The file decoded anew, its samples unpacked as ``name`` says."""
    again = Image.open(CountedBytes(data), formats=(str(image.format),))
    tiles: list[Any] = []
    for tile in again.tile:
        codec, box, offset, layout = tile
        changed = (name, *layout[1:]) if isinstance(layout, tuple) else name
        again_tile = (codec, box, offset, changed)
        # Pillow 11 made a class of what was a tuple.
        tiles.append(again_tile if type(tile) is tuple else type(tile)(*again_tile))
    again.tile = tiles
    again.load()
    return again


def _samples(
    high: Image.Image, low: Image.Image, pair: tuple[int, int], box: tuple[int, int, int, int]
) -> Channels:
    """uint16 [rows, columns] of a channel within ``box``."""
    upper = np.asarray(high.crop(box).getchannel(pair[0]), dtype=np.uint16)
    lower = np.asarray(low.crop(box).getchannel(pair[1]), dtype=np.uint16)
    # Added, since the bits of the two halves never meet.
    return np.add(upper * 256, lower, dtype=np.uint16)


def _most(high: Image.Image, low: Image.Image, pair: tuple[int, int]) -> int:
    """The largest sample of a channel."""
    width, height = high.size
    return max(
        int(_samples(high, low, pair, (0, top, width, min(top + _BAND_PX, height))).max())
        for top in range(0, height, _BAND_PX)
    )


def _opaque(most: int, bits: int) -> int | None:
    """The alpha that is opaque: full scale, or that of the colours' own bits; None: nowhere."""
    for scale in (2**16 - 1, 2**bits - 1):
        # From 257 times 255 on, widened alphas count as full scale.
        if scale - 256 <= most <= scale or (scale < 2**16 - 1 and most == scale):
            return most
    return None


def _luma(levels: npt.NDArray[np.uint8], mode: str) -> npt.NDArray[np.uint8]:
    if levels.shape[2] == 1:
        return levels[:, :, 0]
    picture = Image.fromarray(levels, "CMYK") if mode == "CMYK" else Image.fromarray(levels)
    return np.asarray(picture.convert("RGB").convert("L"))


def _keep_orientation(image: Image.Image, grey: Image.Image) -> None:
    """Let ``grey`` say how it lies, as the file does."""
    orientation = image.getexif().get(0x0112)
    if orientation:
        grey.getexif()[0x0112] = orientation
