"""Arrays as JSON text, fast where it matters: an image is 65,536 numbers."""

from __future__ import annotations

import base64
import json
from typing import Any

import numpy as np
import numpy.typing as npt

_WIDTH = 3
_NUMERALS = np.frombuffer("".join(f"{n:{_WIDTH}d}" for n in range(256)).encode(), np.uint8).reshape(
    256, _WIDTH
)
"""Every uint8 at one width: JSON allows the blanks, and one width makes it array arithmetic."""


def to_json(array: npt.NDArray[np.generic]) -> bytes:
    """``array`` as nested JSON lists; bytes and text as ``{"b64": "…"}``, NaN and Infinity bare."""
    if array.dtype == np.uint8 and array.size:
        return _of_uint8(array)
    if array.dtype.kind in "OU":
        return json.dumps(_boxed(array.tolist())).encode()
    return json.dumps(array.tolist(), separators=(",", ":")).encode()


def _of_uint8(array: npt.NDArray[np.generic]) -> bytes:
    """One row of ``text`` per number, then per row, and so on out to the whole array."""
    text: npt.NDArray[np.uint8] = _NUMERALS[array]
    for _ in range(array.ndim):
        text = _listed(text)
    return text.tobytes()


def _listed(text: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    """[…, n, width] pieces of JSON to […, n * (width + 1) + 1]: the lists of n pieces each."""
    *lead, count, width = text.shape
    out = np.empty((*lead, count * (width + 1) + 1), np.uint8)
    out[..., 0] = ord("[")
    pieces = out[..., 1:].reshape(*lead, count, width + 1)
    pieces[..., :width] = text
    pieces[..., width] = ord(",")
    out[..., 1:] = pieces.reshape(*lead, count * (width + 1))
    out[..., -1] = ord("]")
    return out


def _boxed(value: Any) -> Any:  # noqa: ANN401 - nested lists of any depth
    if isinstance(value, list):
        return [_boxed(one) for one in value]
    data = value.encode() if isinstance(value, str) else value
    return {"b64": base64.b64encode(data).decode("ascii")}
