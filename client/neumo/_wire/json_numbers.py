"""Arrays as JSON text, fast where it matters: an image is 65,536 numbers."""

from __future__ import annotations

import base64
import json
from typing import Any

import numpy as np
import numpy.typing as npt

_NUMERALS = np.frombuffer("".join(f"{n:3d}," for n in range(256)).encode(), "V4")
_SINGLES = np.frombuffer("".join(f"[{n:3d}]," for n in range(256)).encode(), "V6")
"""Every uint8, and every list of one, at one width with its comma: JSON allows the blanks, and one
width makes it array arithmetic."""


def to_json(array: npt.NDArray[np.generic]) -> bytes:
    """``array`` as nested JSON lists; bytes and text as ``{"b64": "…"}``, NaN and Infinity bare."""
    if array.dtype == np.uint8 and array.size:
        return _of_uint8(array.astype(np.uint8, copy=False))
    if array.dtype.kind in "OU":
        if array.ndim == 1 and all(isinstance(one, bytes) for one in array):
            return b"[" + b",".join(map(_boxed_bytes, array)) + b"]"
        return json.dumps(_boxed(array.tolist())).encode()
    return json.dumps(array.tolist(), separators=(",", ":")).encode()


def _of_uint8(array: npt.NDArray[np.uint8]) -> bytes:
    """One piece of ``text`` per number, then per list, and so on out to the whole array."""
    shape = array.shape
    if shape[-1:] == (1,):
        shape = shape[:-1]
        pieces = _SINGLES.take(array.reshape(shape))
    else:
        pieces = _NUMERALS.take(array)
    text = np.frombuffer(pieces.tobytes(), np.uint8).reshape(*shape, -1)
    for _ in shape:
        text = _listed(text)
    return text[:-1].tobytes()


def _listed(text: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    """[…, n, width] pieces with their commas to […, n * width + 2]: lists of n, with theirs."""
    *lead, count, width = text.shape
    out = np.empty((*lead, count * width + 2), np.uint8)
    out[..., 0] = ord("[")
    out[..., 1:-1] = text.reshape(*lead, count * width)
    out[..., -2:] = (ord("]"), ord(","))
    return out


def _boxed_bytes(data: bytes) -> bytes:
    """What ``_boxed`` comes to, without looking through the text for what JSON must escape."""
    return b'{"b64":"' + base64.b64encode(data) + b'"}'


def _boxed(value: Any) -> Any:  # noqa: ANN401 - nested lists of any depth
    if isinstance(value, list):
        return [_boxed(one) for one in value]
    data = value.encode() if isinstance(value, str) else value
    return {"b64": base64.b64encode(data).decode("ascii")}
