"""Memory given back to the system."""

from __future__ import annotations

import ctypes
import gc


def give_back() -> None:
    """Collect what nothing refers to any more, and return the pages that malloc keeps."""
    gc.collect()
    try:
        trim = ctypes.CDLL(None).malloc_trim
    except AttributeError:  # only glibc has it
        return
    trim(0)
