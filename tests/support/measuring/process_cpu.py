"""The CPU that another process has used: what a machine full of others changes least."""

from __future__ import annotations

import os
from pathlib import Path

_USER, _SYSTEM = 11, 12
"""The fields ``utime`` and ``stime`` behind the name (``man 5 proc``)."""


def cpu_s(pid: int) -> float:
    """Seconds of CPU of the process so far, of all its threads together."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[_USER]) + int(fields[_SYSTEM])) / os.sysconf("SC_CLK_TCK")
