"""A progress bar on a terminal."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TextIO, TypeVar

_T = TypeVar("_T")
_WIDTH = 30
CLEAR = "\r\x1b[K"
"""Back to the line's start, and the line erased."""


def bar(items: Iterable[_T], total: int, stream: TextIO) -> Iterator[_T]:
    """``items``, with a bar on ``stream`` of how many of ``total`` have come; erased at the end."""
    try:
        for done, item in enumerate(items, start=1):
            stream.write(CLEAR)
            yield item
            filled = _WIDTH * done // total
            stream.write(f"{CLEAR}[{'#' * filled}{'.' * (_WIDTH - filled)}] {done}/{total}")
            stream.flush()
    finally:
        stream.write(CLEAR)
        stream.flush()
