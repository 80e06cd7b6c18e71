"""Memory given back to the system."""

from __future__ import annotations

import ctypes
import gc
import threading
from pathlib import Path

LOOK_S = 5.0
GROWTH_BYTES = 64 * 1024 * 1024
"""What the process may grow by before it is looked for what can go."""

_STATM = Path("/proc/self/statm")
_PAGE_BYTES = 4096


def give_back() -> None:
    """Collect what nothing refers to any more, and return the pages that malloc keeps."""
    gc.collect()
    try:
        trim = ctypes.CDLL(None).malloc_trim
    except AttributeError:  # only glibc has it
        return
    trim(0)


def keep_low(stopping: threading.Event) -> None:
    """Give back whenever the process has grown, on a thread that ends with ``stopping``.

    Refused requests leave cycles behind that Python's collector, which rests while requests are
    answered, would not look at for hours, and holes in malloc's heaps.
    """
    if _STATM.exists():
        threading.Thread(target=_keep_low, args=(stopping,), name="memory", daemon=True).start()


def _keep_low(stopping: threading.Event) -> None:
    lowest = _resident_bytes()
    while not stopping.wait(LOOK_S):
        if _resident_bytes() > lowest + GROWTH_BYTES:
            give_back()
            lowest = _resident_bytes()
        else:
            lowest = min(lowest, _resident_bytes())


def _resident_bytes() -> int:
    return int(_STATM.read_text(encoding="ascii").split()[1]) * _PAGE_BYTES
