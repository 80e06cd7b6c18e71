"""What is checked of a film: of its file before and while it is decoded, and of its picture."""

from __future__ import annotations

import io
import logging
import sys
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import numpy.typing as npt

from neumo._images import chest_patterns
from neumo.cautions import (
    CUT,
    FLAT,
    FRAMED,
    NEGATIVE,
    SATURATED,
    SMALL,
    TURNED,
    Caution,
)
from neumo.errors import ImageError

MIN_SIDE_PX = 64
"""Below it a film would be enlarged more than fourfold: an icon, without a lung's detail."""

MAX_PIXELS = 64_000_000
"""A 35 x 43 cm film digitised at 50 micrometres has 60 megapixels; detectors have up to 25."""

MAX_FILE_BYTES = 512 * 1024 * 1024
"""No film is larger: 64 megapixels of 16-bit colour, uncompressed, are 384 MB."""

MAX_READS = 200_000
"""Of one file: a DICOM header has hundreds of elements, a PNG of 128 MB some 64,000 pieces."""
MAX_FRAGMENTS = 100_000
"""Of the pixels of one DICOM file: a film is one, or a few."""

PREAMBLE_BYTES = 128
MAGIC = b"DICM"
_FIRST_GROUPS = (b"\x02\x00", b"\x08\x00")
"""What a DICOM without preamble starts with, little endian: group 0002 or 0008."""


SMALL_SIDE_PX = 200
"""Below it the models see an enlarged picture. The public training films have 224."""

# Measured by tests/benchmarks/quality.py on 5,232 films of children and 416 of adults.
LEAST_SPREAD = 60
"""Levels between the percentiles 2 and 98; of the films' 5,232 the least has 79."""
MOST_WHITE = 0.06
MOST_BLACK = 0.4
"""Shares of a film at the ends of the scale: collimators leave up to a third black."""
_WHITE, _BLACK = 253, 2
_HALF = 128
"""Of the scale: a film that leaves its upper or its lower half empty is too dark or too bright."""
LEAST_FINE = 0.19
"""Detail of one pixel over detail of four: a picture enlarged from 64 to 128 pixels has less."""
_LEAST_COARSE = 1.0
_EDGE_PX = 3
MOST_EDGE_NOISE = 1.5
_FRAME_LEVEL = 10
"""An edge above it that is as even as this was drawn, not exposed."""
NEGATIVE_BELOW = -0.2
"""The correlation with the mean film; of the films the least has .24."""
UPRIGHT_BELOW = -0.3
TURNED_BELOW = -0.5
_CHEST_LEAST = 0.5
LEAST_ACROSS = 0.05
"""Of a picture's deviation, what its columns and its rows have at least; a slope's have none."""
LEAST_COARSE_SHARE = 0.5
"""Of a picture's deviation, what 16 x 16 pixels keep; noise keeps a sixteenth."""
CUT_ABOVE = 0.3


def check_size(width_px: int, height_px: int) -> None:
    """Raise ``ImageError`` where an image of this size is not read; called before decoding."""
    if min(width_px, height_px) < MIN_SIDE_PX:
        raise ImageError(
            f"{width_px} x {height_px} pixels, too small for a film: "
            f"give one of at least {MIN_SIDE_PX} x {MIN_SIDE_PX}"
        )
    if width_px * height_px > MAX_PIXELS:
        raise too_large()


def too_large() -> ImageError:
    """The error about an image of more than ``MAX_PIXELS``."""
    return ImageError(
        f"more than {MAX_PIXELS // 1_000_000} megapixels: save it smaller, 3000 x 3000 is plenty"
    )


def recognises(data: bytes) -> bool:
    """Whether ``data`` starts as a DICOM file does, with its preamble or without."""
    if data[PREAMBLE_BYTES : PREAMBLE_BYTES + len(MAGIC)] == MAGIC:
        return True
    return data[:2] in _FIRST_GROUPS and data[3:4] == b"\0"


class CountedBytes(io.BytesIO):
    """The content of a file; after ``MAX_READS`` reads it raises ``ImageError``."""

    # Counted here, since each of a million tiny pieces costs a decoder the same call.
    _reads = 0

    def read(self, size: int | None = -1, /) -> bytes:
        """The next bytes."""
        self._reads += 1
        if self._reads > MAX_READS:
            raise too_many()
        return super().read(size)


def too_many() -> ImageError:
    """The error about a file that is not worth the work of reading it."""
    return ImageError("made of more pieces than any film: export it again")


class _Decoding(threading.local):
    """How deep this thread is in decoders that shall be quiet."""

    depth = 0


_decoding = _Decoding()


@contextmanager
def quiet() -> Iterator[None]:
    """No decoder's remark is shown, raised or logged in it; nothing of the process is changed.

    ``warnings.catch_warnings`` would silence every other thread, too, and undo what they set.
    """
    _decoding.depth += 1
    try:
        yield
    finally:
        _decoding.depth -= 1


class _QuietWarnings:
    """The module ``warnings`` as a decoder sees it: mute in a thread that is in ``quiet``."""

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - whatever the module has
        return getattr(warnings, name)

    def warn(self, message: Any, category: Any = None, stacklevel: int = 1, **more: Any) -> None:  # noqa: ANN401
        if not _decoding.depth:
            # One frame more, so that the line told is the same as without this one.
            warnings.warn(message, category, stacklevel + 1, **more)


_quiet_warnings = _QuietWarnings()


def _is_heard(_: logging.LogRecord) -> bool:
    return not _decoding.depth


def silence(package: str) -> None:
    """Let the decoders of ``package`` keep quiet in ``quiet``, and only there.

    Their own name ``warnings`` and their own loggers are touched, nothing of the application's.
    """
    for name, module in tuple(sys.modules.items()):
        is_inside = name == package or name.startswith(f"{package}.")
        if is_inside and vars(module).get("warnings") is warnings:
            vars(module)["warnings"] = _quiet_warnings
    for name in tuple(logging.Logger.manager.loggerDict):
        # Children, too: a logger's filters do not see what only passes through it.
        if name == package or name.startswith(f"{package}."):
            logging.getLogger(name).addFilter(_is_heard)


def picture_cautions(
    pixels: npt.NDArray[np.uint8], width_px: int, height_px: int
) -> tuple[Caution, ...]:
    """What speaks against judging a picture, uint8 [256, 256, 1], of an original of that size.

    Each threshold is exceeded by at most one in a thousand of the public films.
    """
    grey = pixels[:, :, 0].astype(np.float32)
    shares = np.cumsum(np.bincount(pixels.ravel(), minlength=256)) / pixels.size
    low, high = int(np.searchsorted(shares, 0.02)), int(np.searchsorted(shares, 0.98))
    if high - low < LEAST_SPREAD or high < _HALF or low >= _HALF:
        # Of so little contrast nothing else can be told.
        return (FLAT,)
    coarse = _binned(grey, 4)
    is_small = min(width_px, height_px) < SMALL_SIDE_PX or _is_enlarged(grey, coarse)
    is_saturated = 1.0 - shares[_WHITE - 1] > MOST_WHITE or shares[_BLACK] > MOST_BLACK
    found = {SMALL: is_small, SATURATED: is_saturated, FRAMED: _is_framed(grey)}
    told = tuple(caution for caution, applies in found.items() if applies)
    return (*told, *_pose(coarse, float(grey.std())))


def _is_enlarged(grey: npt.NDArray[np.float32], coarse: npt.NDArray[np.float32]) -> bool:
    """Whether detail of a pixel is missing beside detail of four."""
    detail = _detail(coarse)
    return detail > _LEAST_COARSE and _detail(grey) < LEAST_FINE * detail


def _detail(grey: npt.NDArray[np.float32]) -> float:
    """The mean absolute Laplacian."""
    across = grey[1:-1, :-2] + grey[1:-1, 2:]
    across += grey[:-2, 1:-1]
    across += grey[2:, 1:-1]
    across -= 4 * grey[1:-1, 1:-1]
    return float(np.abs(across, out=across).mean())


def _binned(grey: npt.NDArray[np.float32], size: int) -> npt.NDArray[np.float32]:
    """Means of ``size`` x ``size`` pixels."""
    high, wide = grey.shape
    # One axis after the other: numpy is four times as slow over two at once.
    rows = grey.reshape(high // size, size, wide).sum(1)
    sums: npt.NDArray[np.float32] = rows.reshape(len(rows), wide // size, size).sum(2)
    return sums / np.float32(size * size)


def _is_framed(grey: npt.NDArray[np.float32]) -> bool:
    """Whether a side has an even band that is not black, and then the film begins."""
    return any(_has_band(side) for side in (grey, grey[::-1], grey.T, grey.T[::-1]))


def _has_band(lines: npt.NDArray[np.float32]) -> bool:
    edge = lines[:_EDGE_PX]
    level = float(edge.mean())
    if level <= _FRAME_LEVEL or edge.std() >= MOST_EDGE_NOISE:
        return False
    inner = lines[_EDGE_PX : len(lines) // 2]
    # The first line that is not the band's: of a film it is uneven, of a drawn slope it is not.
    outside = np.abs(inner - level).max(axis=1) > 4 * MOST_EDGE_NOISE
    first = int(outside.argmax())
    return bool(outside[first]) and float(inner[first : first + 2].std()) > 2 * MOST_EDGE_NOISE


def _pose(coarse: npt.NDArray[np.float32], deviation: float) -> tuple[Caution, ...]:
    """How the chest lies in a picture of that deviation; at most one: each spoils the others."""
    small = _binned(coarse, len(coarse) // chest_patterns.SIDE)
    if small.std() < LEAST_COARSE_SHARE * deviation or _is_even_along_an_axis(small):
        # Noise, a fine pattern or a slope: nothing that could stand upright.
        return ()
    small = small - small.mean()
    small = small / float(np.sqrt((small * small).sum()))
    alike, lying, upset = (_alike(small, turns) for turns in ((0,), (1, 3), (2,)))
    if lying > max(alike - TURNED_BELOW, _CHEST_LEAST, -alike):
        return (TURNED,)
    if alike < NEGATIVE_BELOW:
        return (NEGATIVE,)
    if upset > alike and float((small * chest_patterns.UPRIGHT).sum()) < UPRIGHT_BELOW:
        return (TURNED,)
    sides = (small, small[:, ::-1])
    missing = max(float((side * chest_patterns.CUT_LEFT).sum()) for side in sides)
    return (CUT,) if missing > CUT_ABOVE else ()


def _is_even_along_an_axis(small: npt.NDArray[np.float32]) -> bool:
    least = LEAST_ACROSS * float(small.std())
    return any(float(small.std(axis=axis).mean()) < least for axis in (0, 1))


def _alike(small: npt.NDArray[np.float32], quarters: tuple[int, ...]) -> float:
    """The best correlation with the mean film after turns by right angles."""
    mean = chest_patterns.MEAN / np.sqrt((chest_patterns.MEAN**2).sum())
    return max(float((np.rot90(small, turn) * mean).sum()) for turn in quarters)
