"""How far a long command is: lines with the time since it began, or one line that is renewed."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TextIO

from neumo.commands.progress_bar import CLEAR

_LINE_EVERY_SECONDS = 30.0
_FIRST_ESTIMATE_SECONDS = 2.0


def clock(seconds: float) -> str:
    """Minutes and seconds, such as ``12:05``."""
    whole = round(seconds)
    return f"{whole // 60}:{whole % 60:02d}"


def timed_lines() -> Callable[[str], None]:
    """What prints lines, each with the minutes and seconds since now."""
    began = time.monotonic()

    def say(line: str) -> None:
        # Flushed: a run of hours is watched through a file or a pipe.
        print(f"{clock(time.monotonic() - began):>6}  {line}", flush=True)  # noqa: T201

    return say


class StageProgress:
    """Counts films done out of ``total`` and says so on ``stream``.

    A terminal gets one line that is renewed, anything else a line every half minute.
    """

    def __init__(self, total: int, stream: TextIO) -> None:
        self._total = total
        self._stream = stream
        self._live = stream.isatty()
        self._began = time.monotonic()
        self._said = self._began
        self._done = 0
        self._stage = ""

    def stage(self, name: str) -> None:
        """What the next films are for."""
        self._stage = name
        self._say()

    def tick(self, films: int = 1) -> None:
        """``films`` more are done."""
        self._done = min(self._done + films, self._total)
        if self._live or time.monotonic() - self._said >= _LINE_EVERY_SECONDS:
            self._say()

    def say(self, line: str) -> None:
        """A line that stays."""
        self._stream.write(f"{CLEAR if self._live else ''}{line}\n")

    def close(self) -> None:
        """Take the line away."""
        if self._live:
            self._stream.write(CLEAR)
            self._stream.flush()

    def _say(self) -> None:
        self._said = time.monotonic()
        share = 100 * self._done // max(self._total, 1)
        start, end = (CLEAR, "") if self._live else ("", "\n")
        self._stream.write(f"{start}{share:3d} %  {self._stage}{self._left()}{end}")
        self._stream.flush()

    def _left(self) -> str:
        seconds = time.monotonic() - self._began
        # Before that the estimate is of a first batch, which traces the graph.
        if not self._done or seconds < _FIRST_ESTIMATE_SECONDS:
            return ""
        return f", about {clock(seconds * (self._total - self._done) / self._done)} left"
