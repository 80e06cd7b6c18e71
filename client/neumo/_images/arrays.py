"""Arrays to images."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from neumo._images import file_checks, grey_depth
from neumo.errors import ImageError


def decode(array: npt.NDArray[Any]) -> Image.Image:
    """The 8-bit greyscale or RGB image in ``array``: [h, w], [h, w, 1] or [h, w, 3].

    The dtype says the scale: uint8; uint16 by ``grey_depth.from_uint16``; floats only in [0, 1].
    Raises ``ImageError`` for anything else, because guessing would change the prediction.
    """
    if array.ndim == 3 and array.shape[2] == 1:
        array = array[:, :, 0]
    if array.ndim != 2 and not (array.ndim == 3 and array.shape[2] == 3):
        raise ImageError(
            f"an array of shape {list(array.shape)} is not one film: "
            "give [h, w], [h, w, 1] or [h, w, 3]"
        )
    file_checks.check_size(array.shape[1], array.shape[0])
    return Image.fromarray(np.ascontiguousarray(_levels(array)))


def decode_foreign(source: object) -> Image.Image:
    """As ``decode``, of an object that numpy makes an array of."""
    try:
        array = np.asarray(source)
    except Exception as error:  # noqa: BLE001 - a tensor on another device, for one
        reason = str(error).split("\n")[0]
        raise ImageError(
            f"numpy makes no array of a {type(source).__name__} ({reason}): give a numpy array"
        ) from None
    return decode(array)


def _levels(array: npt.NDArray[Any]) -> npt.NDArray[np.uint8]:
    if array.dtype == np.uint8:
        return array
    # Of any byte order: arrays read from files keep the file's.
    if array.dtype.kind == "u" and array.dtype.itemsize == 2:
        return grey_depth.from_uint16(array)
    if array.dtype.kind != "f":
        raise ImageError(
            f"an array of {array.dtype} has no certain scale: "
            "give uint8, uint16, or floats in [0, 1]"
        )
    if not np.isfinite(array).all():
        raise ImageError(
            "some of its pixels are not numbers (NaN, or infinite), which have no certain scale"
        )
    if not (array.min() >= 0.0 and array.max() <= 1.0):
        raise ImageError("floats outside [0, 1] have no certain scale: divide by the white level")
    return grey_depth.from_unit(array)
