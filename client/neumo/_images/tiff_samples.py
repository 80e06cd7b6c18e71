"""TIFF of samples that Pillow has no layout for: plain or deflated, by strip or tile.

64 and 16-bit floats, 64-bit integers, deep colours in separate planes, 12 bits in words of 16.
Source: TIFF 6.0, sections 7, 14 and 15; Adobe's technical note 3 (floating point predictor).
"""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageOps, TiffImagePlugin

from neumo._images import file_checks, grey_depth
from neumo._images.file_checks import CountedBytes
from neumo.cautions import BITS, FIRST_FRAME, RESCALED, Caution
from neumo.errors import ImageError

_KINDS = {1: "u", 2: "i", 3: "f"}
_PLAIN, _DEFLATED = 1, (8, 32946)
_PHOTOMETRICS = {0: 1, 1: 1, 2: 3}
"""White is zero, black is zero, RGB: with so many samples."""
_HORIZONTAL, _FLOATING = 2, 3
_SEPARATE = 2
_ORIENTATION = 0x0112

Values = npt.NDArray[Any]


@dataclass(frozen=True, slots=True)
class _Layout:
    """What the directory says of the first picture; ``bits`` are those of the words."""

    width: int
    height: int
    samples: int
    bits: int
    kind: str
    photometric: int
    compression: int
    predictor: int
    is_by_plane: bool
    tile: tuple[int, int]
    offsets: tuple[int, ...]
    sizes: tuple[int, ...]
    orientation: int
    has_more: bool

    @property
    def dtype(self) -> np.dtype[Any]:
        """Of a sample, in the machine's order."""
        return np.dtype(f"{self.kind}{self.bits // 8}")


def decode(data: bytes) -> tuple[Image.Image, tuple[Caution, ...]] | None:
    """The 8-bit image, by ``grey_depth``'s rule; None for what is not laid out as above.

    Raises ``ImageError`` for pixels that are no numbers, ``ValueError`` where the file is cut off.
    """
    order = ">" if data[:2] == b"MM" else "<"
    header = directory(data)
    layout = _layout(header)
    if layout is None:
        return None
    file_checks.check_size(layout.width, layout.height)
    values = _values(layout, data, order)
    levels, cautions = _levels(values)
    if layout.bits != max(header.get(258, (1,))):
        cautions = (*cautions, BITS)
    image = Image.fromarray(levels[:, :, 0] if layout.samples == 1 else levels).convert("L")
    if layout.photometric == 0:
        image = ImageOps.invert(image)
    image.getexif()[_ORIENTATION] = layout.orientation
    upright = ImageOps.exif_transpose(image)
    return upright, (*cautions, FIRST_FRAME) if layout.has_more else cautions


def is_wider_than_said(image: Image.Image) -> bool:
    """Whether a TIFF says 12 bits and keeps them in words of 16, by the size of its strips."""
    tags = getattr(image, "tag_v2", {})
    if tags.get(258) != (12,) or tags.get(259, _PLAIN) != _PLAIN:
        return False
    layout = _layout(tags)
    return layout is not None and layout.bits == 16


def directory(data: bytes) -> Any:  # noqa: ANN401 - Pillow's
    """The first directory of a TIFF, by Pillow; raises ``FAULTS`` where it is damaged."""
    # 43 marks BigTIFF, whose header is twice as long.
    header = TiffImagePlugin.ImageFileDirectory_v2(data[: 16 if 43 in data[2:4] else 8])
    file = CountedBytes(data)
    file.seek(header.next)
    header.load(file)
    return header


def _layout(header: Any) -> _Layout | None:  # noqa: ANN401 - Pillow's
    bits, formats = set(header.get(258, (1,))), set(header.get(339, (1,)))
    samples, photometric = header.get(277, 1), header.get(262, 1)
    width, height = header.get(256, 0), header.get(257, 0)
    is_tiled = 324 in header
    offsets, sizes = (header.get(tag, ()) for tag in ((324, 325) if is_tiled else (273, 279)))
    tile = (header.get(323, 0), header.get(322, 0))
    if not is_tiled:
        tile = (min(header.get(278, height), height), width)
    compression = header.get(259, _PLAIN)
    word = max(bits)
    if word == 12 and compression == _PLAIN and sum(sizes) == width * height * samples * 2:
        word = 16
    is_known = (
        len(bits) == len(formats) == 1
        and word in {16, 32, 64}
        and max(formats) in _KINDS
        and _PHOTOMETRICS.get(photometric) == samples
        and compression in {_PLAIN, *_DEFLATED}
        and header.get(266, 1) == 1
        and min(*tile, width, height) > 0
        and len(offsets) == len(sizes)
    )
    if not is_known or (word == 16 and _KINDS[max(formats)] == "i"):
        return None
    return _Layout(
        width=width,
        height=height,
        samples=samples,
        bits=word,
        kind=_KINDS[max(formats)],
        photometric=photometric,
        compression=compression,
        predictor=header.get(317, 1),
        is_by_plane=header.get(284, 1) == _SEPARATE,
        tile=tile,
        offsets=tuple(offsets),
        sizes=tuple(sizes),
        orientation=header.get(274, 1),
        has_more=bool(header.next),
    )


def _values(layout: _Layout, data: bytes, order: str) -> Values:
    """[height, width, samples] of all strips or tiles."""
    found = np.zeros((layout.height, layout.width, layout.samples), layout.dtype)
    high, wide = layout.tile
    down, across = -(-layout.height // high), -(-layout.width // wide)
    planes = layout.samples if layout.is_by_plane else 1
    if len(layout.offsets) != down * across * planes:
        raise ValueError("another number of strips")
    for number, (offset, size) in enumerate(zip(layout.offsets, layout.sizes, strict=True)):
        plane, place = divmod(number, down * across)
        top, left = place // across * high, place % across * wide
        piece = data[offset : offset + size]
        # Strips end with the picture, tiles go on beyond it.
        rows = high if across > 1 or layout.width != wide else min(high, layout.height - top)
        values = _piece(piece, rows, wide, layout, order)
        target = found[top : top + high, left : left + wide]
        part = values[: target.shape[0], : target.shape[1]]
        if layout.is_by_plane:
            target[:, :, plane] = part[:, :, 0]
        else:
            target[:] = part
    return found


def _piece(piece: bytes, rows: int, wide: int, layout: _Layout, order: str) -> Values:
    """[rows, wide, samples of a piece], its predictor undone."""
    samples = 1 if layout.is_by_plane else layout.samples
    word = layout.bits // 8
    length = rows * wide * samples * word
    if layout.compression != _PLAIN:
        piece = zlib.decompressobj().decompress(piece, length)
    if len(piece) < length:
        raise ValueError("cut off")
    if layout.predictor == _FLOATING:
        # Bytes of a row, differenced, lie by significance: the highest of all samples first.
        flat = np.frombuffer(piece[:length], np.uint8).reshape(rows, wide * samples * word)
        summed = _summed(flat.reshape(rows, -1, samples)).reshape(rows, word, wide * samples)
        lined = np.ascontiguousarray(np.moveaxis(summed, 1, 2))
        return lined.view(f">f{word}").reshape(rows, wide, samples).astype(layout.dtype)
    values = np.frombuffer(piece[:length], f"{order}{layout.kind}{word}")
    values = values.reshape(rows, wide, samples).astype(layout.dtype)
    if layout.predictor == _HORIZONTAL:
        return _summed(values.view(f"u{word}")).view(layout.dtype)
    return values


def _summed(values: Values) -> Values:
    """The running sums of each row, in the same dtype: differences undone."""
    found: Values = np.cumsum(values, axis=1, dtype=values.dtype)
    return found


def _levels(values: Values) -> tuple[npt.NDArray[np.uint8], tuple[Caution, ...]]:
    low, high = float(values.min()), float(values.max())
    if not np.isfinite([low, high]).all():
        raise ImageError("some of its pixels are not numbers (NaN, or infinite): export it again")
    is_float = values.dtype.kind == "f"
    if is_float and low >= 0.0 and high <= 1.0:
        return grey_depth.from_unit(values), ()
    if not is_float and low >= 0.0 and high < 2**16:
        return grey_depth.from_uint16(values.astype(np.uint16)), ()
    return grey_depth.stretch(values, low, high), (RESCALED,)


FAULTS = (
    *(OSError, SyntaxError, ValueError, TypeError, KeyError, IndexError),
    *(OverflowError, struct.error, zlib.error),
)
"""What a damaged directory or strip raises."""
