"""What the document's keys are called in English, and how its numbers are written."""

from __future__ import annotations

from typing import Any

METRICS = {
    "auc": "AUC",
    "average_precision": "average precision",
    "accuracy": "accuracy",
    "sensitivity": "sensitivity",
    "specificity": "specificity",
    "balanced_accuracy": "balanced accuracy",
    "brier": "Brier score",
    "ece": "expected calibration error",
}
THRESHOLDS = {
    "shipped": "shipped",
    "best_balanced": "best balanced accuracy, fitted on these films",
    "at_sensitivity": "wanted sensitivity, fitted on these films",
    "equal_errors": "equal errors in both classes, fitted on these films",
    "best_worst_run": "best worst run, fitted on these films",
}
SHORTCUTS = {
    "whole": "whole film",
    "lungs_only": "lungs only",
    "lungs_removed": "lungs removed",
    "lungs_box_only": "box around the lungs only",
    "lungs_box_removed": "box around the lungs removed",
    "borders_only": "borders only",
}
KINDS = {
    "bacteria": "bacterial pneumonia",
    "virus": "viral pneumonia",
    "unknown": "pneumonia of unknown type",
}
TRIED = {
    "members": "Members and ensemble, out of fold on the films that were learned from; each at its "
    "own best balanced threshold",
    "limit": "The same with lungs drawn by people: a limit, no release has them",
    "lungs": "The model lungs, on films of patients that it was not trained on",
    "search": "The search behind pneumonia_tuned: the best trial with another choice, in which "
    "other choices differ too; a fold's cross-entropy ranks trials",
    "training": "Ways to train: Dice of lungs on those films, and the time of a step",
}
TRIED_METRICS = {
    **METRICS,
    "dice": "Dice",
    "loss": "cross-entropy",
    "relative_time": "time, relative",
    "worst_run": "worst run of normal films",
}
GEOMETRY = {"aspect_ratio": "aspect ratio", "megapixels": "megapixels"}
NOT_MEASURED = "not measured"


def number(value: float | None, *, absent: str = NOT_MEASURED) -> str:
    """Three decimals; ``absent`` where there is no value."""
    return absent if value is None else f"{value:.3f}"


def interval(
    estimate: dict[str, Any] | None, *, absent: str = NOT_MEASURED, to: str = "to", sign: str = ""
) -> str:
    """A value with its interval, such as ``0.990 (0.985 to 0.995)``; ``sign`` "+" to show it."""
    if estimate is None:
        return absent
    value, low, high = (f"{estimate[key]:{sign}.3f}" for key in ("value", "low", "high"))
    return f"{value} ({low} {to} {high})"


def signed(difference: dict[str, Any]) -> str:
    """A difference with its interval."""
    return interval(difference, sign="+")


def percent(share: float) -> str:
    """Such as ``95 %``."""
    return f"{100 * share:g} %"


def small(value: float, *, sign: str = "") -> str:
    """Four decimals, for what is often below a thousandth; ``sign`` "+" to show it."""
    return f"{value:{sign}.4f}"


def counts(by_name: dict[str, int]) -> str:
    """``{"NORMAL": 5}`` as ``5 NORMAL``; "none" where there is nothing."""
    return ", ".join(f"{count} {name}" for name, count in by_name.items()) or "none"
