"""Protobuf's packed variable-length integers as an array, all at once.

Source: protobuf.dev, "Encoding": seven bits a byte, the lowest first, the eighth on in all but the
last.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

_MORE = 0x80
_MOST_BYTES = 10
"""Of a number of 64 bits."""


def decode(packed: bytes) -> npt.NDArray[np.uint64]:
    """The numbers in ``packed``, uint64 [N]; ``ValueError`` where one has no end."""
    raw = np.frombuffer(packed, np.uint8)
    is_last = raw < _MORE
    if is_last.all():
        return raw.astype(np.uint64)
    ends = np.flatnonzero(is_last) + 1
    starts = np.concatenate([[0], ends[:-1]])
    if not is_last[-1] or (ends - starts).max() > _MOST_BYTES:
        raise ValueError("a number without an end")
    place = np.arange(len(raw)) - np.repeat(starts, ends - starts)
    bits = (raw & (_MORE - 1)).astype(np.uint64) << (7 * place).astype(np.uint64)
    return np.bitwise_or.reduceat(bits, starts)


def split(packed: bytes, count: int) -> list[bytes]:
    """``count`` strings: their lengths, then their bytes, as TensorFlow packs a string tensor.

    Source: ``EncodeStringList`` in ``tensorflow/core/platform/tensor_coding.cc``. Raises
    ``ValueError`` where the lengths are not those of the bytes.
    """
    lengths, at = [], 0
    for _ in range(count):
        end = next((n for n in range(at, len(packed)) if packed[n] < _MORE), None)
        if end is None:
            raise ValueError("strings without their lengths")
        lengths.append(int(decode(packed[at : end + 1])[0]))
        at = end + 1
    if at + sum(lengths) != len(packed):
        raise ValueError(f"{len(packed) - at} bytes for strings of {sum(lengths)}")
    strings = []
    for length in lengths:
        strings.append(packed[at : at + length])
        at += length
    return strings
