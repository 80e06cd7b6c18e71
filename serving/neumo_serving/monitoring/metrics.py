"""Counters and histograms with labels: thread-safe, a few microseconds each time.

By hand, as prometheus_client can have neither upstream's names and buckets nor a bound.
"""

from __future__ import annotations

import math
import threading
from bisect import bisect_right
from collections.abc import Iterator, Sequence

MAX_CELLS = 1000
"""Of one metric: labels hold what clients send, and memory is not theirs to fill."""

Labels = tuple[str, ...]


class Counter:
    """A number for each combination of ``labels``' values that only grows."""

    kind = "counter"

    def __init__(self, name: str, labels: Labels = ()) -> None:
        self.name = name
        self.labels = labels
        self._cells: dict[Labels, int] = {}
        self._lock = threading.Lock()

    def add(self, values: Labels, amount: int = 1) -> None:
        """Count ``amount`` more for the labels' ``values``."""
        with self._lock:
            # Full: what is known goes on counting, what is new is not counted.
            if values in self._cells or len(self._cells) < MAX_CELLS:
                self._cells[values] = self._cells.get(values, 0) + amount

    def cells(self) -> dict[Labels, int]:
        """The numbers by the labels' values."""
        with self._lock:
            return dict(self._cells)


class Histogram:
    """How often a value fell between which limits, for each combination of ``labels``' values."""

    kind = "histogram"

    def __init__(self, name: str, labels: Labels, limits: Sequence[float]) -> None:
        self.name = name
        self.labels = labels
        self.limits = (*limits, math.inf)
        self._cells: dict[Labels, tuple[list[int], list[float]]] = {}
        self._lock = threading.Lock()

    def add(self, values: Labels, observed: float) -> None:
        """Count ``observed`` for the labels' ``values``."""
        # A value on a limit falls into the bucket above, as in TensorFlow's histograms.
        bucket = bisect_right(self.limits, observed, hi=len(self.limits) - 1)
        with self._lock:
            cell = self._cells.get(values)
            if cell is None:
                if len(self._cells) >= MAX_CELLS:
                    return
                cell = self._cells[values] = ([0] * len(self.limits), [0.0])
            cell[0][bucket] += 1
            cell[1][0] += observed

    def cells(self) -> dict[Labels, tuple[list[int], float]]:
        """By the labels' values: how many in each bucket, and the sum."""
        with self._lock:
            return {labels: (list(cell[0]), cell[1][0]) for labels, cell in self._cells.items()}


def exponential(scale: float, growth: float, count: int) -> tuple[float, ...]:
    """TensorFlow's ``Buckets::Exponential``."""

    def limits() -> Iterator[float]:
        limit = scale
        for _ in range(count):
            yield limit
            limit *= growth

    return tuple(limits())
