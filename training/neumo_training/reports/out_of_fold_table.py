"""What training found out about a release, as text for people."""

from __future__ import annotations

from typing import Any

from neumo.release import Manifest

_COLUMNS = ("auc", "accuracy", "sensitivity", "specificity", "brier", "ece")


def text(manifest: Manifest) -> str:
    """The out-of-fold metrics of the ensemble, with 95 % intervals, and of its members."""
    metrics: dict[str, Any] = manifest.metrics["out_of_fold"]
    intervals = metrics["ensemble_intervals"]
    members = [name for name in sorted(manifest.models) if name in metrics]
    lines = [
        f"release {manifest.release}, threshold {manifest.threshold:.3f}; out of fold, "
        "95 % intervals by patient:",
        f"{'':20}" + "".join(f"{name:>18}" for name in _COLUMNS),
        f"{'ensemble':20}" + "".join(f"{_interval(intervals[name]):>18}" for name in _COLUMNS),
    ]
    lines += [
        f"{member:20}" + "".join(f"{metrics[member][c]:>18.3f}" for c in _COLUMNS)
        for member in members
    ]
    return "\n".join(lines)


def _interval(estimate: dict[str, float]) -> str:
    value, low, high = (f"{estimate[k]:.3f}" for k in ("value", "low", "high"))
    return f"{value} ({low}-{high})".replace("0.", ".")
