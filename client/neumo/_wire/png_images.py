"""8-bit images as PNG, as cheaply as can be: stored, not compressed, and not filtered.

Of 256 x 256 pixels it takes 0.05 ms, where the least compression takes 3 ms to save a fifth of the
bytes, and the same pixels as JSON numbers are six times as long. BMP would be as quick, but grey
levels travel there by way of a palette, which TensorFlow's decoder does not read.
"""

from __future__ import annotations

import struct
import zlib

import numpy as np
import numpy.typing as npt

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_COLOUR_TYPES = {1: 0, 3: 2}
"""PNG's number of grey and of RGB, by how many values a pixel has."""


def encode(pixels: npt.NDArray[np.uint8]) -> bytes:
    """The file of ``pixels``, uint8 [height, width, 1] (grey) or [height, width, 3] (RGB)."""
    height, width, depth = pixels.shape
    rows = np.zeros((height, 1 + width * depth), np.uint8)  # each row begins with its filter: none
    rows[:, 1:] = pixels.reshape(height, -1)
    header = struct.pack(">IIBBBBB", width, height, 8, _COLOUR_TYPES[depth], 0, 0, 0)
    stored = zlib.compress(rows.tobytes(), 0)
    return _SIGNATURE + _chunk(b"IHDR", header) + _chunk(b"IDAT", stored) + _chunk(b"IEND", b"")


def _chunk(kind: bytes, data: bytes) -> bytes:
    check = struct.pack(">I", zlib.crc32(data, zlib.crc32(kind)))
    return struct.pack(">I", len(data)) + kind + data + check
