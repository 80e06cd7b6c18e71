"""``RocCurve`` by its first address; it is ``neumo.release.RocCurve`` now."""

from __future__ import annotations

import warnings
from typing import Any

_MOVED = "RocCurve"


def __getattr__(name: str) -> Any:  # noqa: ANN401 - a module's attributes are of any type
    if name != _MOVED:
        raise AttributeError(f"module 'neumo.notebook' has no attribute {name!r}")
    from neumo.release import RocCurve  # noqa: PLC0415 - only where it is asked for

    warnings.warn(
        "neumo.notebook.RocCurve is neumo.release.RocCurve now; this name goes with 0.3",
        DeprecationWarning,
        stacklevel=2,
    )
    return RocCurve
