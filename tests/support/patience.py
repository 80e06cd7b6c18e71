"""How long tests wait on this machine: the limits in them are those of an ordinary one.

``patience(60)`` is a minute there, and five where everything takes five times as long: a test may
be slow, it may not fail for it. ``NEUMO_TEST_PATIENCE=5`` says so where nothing shall be measured.
"""

from __future__ import annotations

import functools
import os
import time

VARIABLE = "NEUMO_TEST_PATIENCE"
ORDINARY_S = 0.05
"""What ``_work`` takes on the two shared cores that the limits were chosen on."""
LOOKS = 3
MOST = 20.0


def patience(seconds: float) -> float:
    """``seconds`` of an ordinary machine on this one; never fewer."""
    return seconds * factor()


@functools.cache
def factor() -> float:
    """How many times longer things take here, at least 1; measured once a process."""
    if told := os.environ.get(VARIABLE):
        return max(1.0, float(told))
    # The best of a few looks tells the machine; what else runs on it is told by its load.
    slow = min(_work() for _ in range(LOOKS)) / ORDINARY_S
    return min(MOST, max(1.0, slow) * max(1.0, _load()))


def _work() -> float:
    """The seconds that a fixed piece of work takes."""
    began = time.perf_counter()
    total = 0
    for number in range(1_000_000):
        total += number * number % 7
    return time.perf_counter() - began


def _load() -> float:
    """How many processes want each core; 0 where the system does not tell."""
    if not hasattr(os, "getloadavg"):
        return 0.0
    return os.getloadavg()[0] / (os.cpu_count() or 1)
