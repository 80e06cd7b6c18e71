"""What is checked of a file before and while a decoder reads it: its kind, size, pieces, words."""

from __future__ import annotations

import io
import logging
import sys
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

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
