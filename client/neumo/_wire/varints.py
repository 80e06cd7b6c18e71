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
