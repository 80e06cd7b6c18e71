"""A release's metrics as text for people."""

from __future__ import annotations

from collections.abc import Mapping

from neumo.release import Manifest

_COLUMNS = ("auc", "accuracy", "sensitivity", "specificity", "brier", "ece")


def text(manifest: Manifest) -> str:
    """The hold-out's metrics with their 95 % intervals, models first, then trivial baselines."""
    held = manifest.metrics["holdout"]
    films = ", ".join(f"{count} {label}" for label, count in sorted(held["films"].items()))
    lines = [
        f"release {manifest.release}, threshold {manifest.threshold:.3f}, "
        f"locked hold-out ({films}), 95 % intervals by patient:",
        f"{'':20}" + "".join(f"{name:>21}" for name in _COLUMNS),
    ]
    for name, found in held["models"].items():
        lines.append(f"{name:20}" + "".join(f"{_interval(found[c]):>21}" for c in _COLUMNS))
    lines += [f"{n:20}{_interval(auc):>21}" for n, auc in held["baselines_auc"].items()]
    return "\n".join(lines)


def _interval(estimate: Mapping[str, float]) -> str:
    value, low, high = (f"{estimate[k]:.3f}" for k in ("value", "low", "high"))
    return f"{value} ({low}-{high})".replace("0.", ".")
