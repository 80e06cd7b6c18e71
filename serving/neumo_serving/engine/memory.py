"""Memory of a server: no more than it needs, and given back to the system."""

from __future__ import annotations

import ctypes
import gc
import os

HEAPS = 4 * (os.cpu_count() or 1)
"""For all threads together. With one each waits for the others: three models that were loaded side
by side took 2.6 times as long, and twice the CPU."""

_M_ARENA_MAX = -8
"""glibc's number for it (``malloc.h``)."""


def prepare() -> None:
    """Set Python's collector and malloc up for a server, before it has threads."""
    # TensorFlow's modules are a million objects: walking them in each full collection stops
    # every request for 0.2 s. What comes later is still collected: a connection that sent no
    # HTTP leaves a cycle that may hold what it sent.
    gc.freeze()
    gc.set_threshold(20_000, 20, 50)
    _share_heaps()


def _share_heaps() -> None:
    """Let all threads take memory from ``HEAPS`` heaps.

    Of its own accord glibc's malloc gives nearly every thread one, and each keeps what the largest
    request on its thread took.
    """
    try:
        set_option = ctypes.CDLL(None).mallopt
    except AttributeError:  # not on every system
        return
    set_option(_M_ARENA_MAX, HEAPS)


def give_back() -> None:
    """Collect what nothing refers to any more, and return the pages that malloc keeps."""
    # First Python's own: malloc can only give back what nobody holds.
    gc.collect()
    try:
        trim = ctypes.CDLL(None).malloc_trim
    except AttributeError:  # only glibc has it
        return
    trim(0)
