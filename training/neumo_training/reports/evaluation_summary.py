"""The document in a few lines for a terminal."""

from __future__ import annotations

from typing import Any

from neumo_training.reports.key_names import METRICS, counts, interval, percent, signed

_COLUMNS = ("auc", "accuracy", "sensitivity", "specificity", "brier", "ece")
_WIDTH = 27


def text(document: dict[str, Any]) -> str:
    """The main figures, ended by a new line."""
    release, about = document["release"], document["set"]
    intervals = document["intervals"]
    lines = [
        f"release {release['number']}, threshold {release['threshold']:.3f}, part "
        f"{about['part']}: {counts(about['films'])}; left out: {counts(about['excluded'])}",
        f"{percent(intervals['level'])} intervals from {intervals['draws']} draws by patient",
        *cautions(document),
        "",
        f"{'':{_WIDTH}}" + "".join(f"{METRICS[name]:>{_WIDTH}}" for name in _COLUMNS),
        *(
            f"{name:{_WIDTH}}" + "".join(f"{interval(values[c]):>{_WIDTH}}" for c in _COLUMNS)
            for name, values in document["models"].items()
        ),
        *(
            f"{name:{_WIDTH}}{interval(auc):>{_WIDTH}}"
            for name, auc in document["baselines"]["auc"].items()
        ),
    ]
    if document["against"] is not None:
        number = document["against"]["release"]
        lines += ["", f"less release {number}, paired:"] + [
            f"{METRICS[name]:{_WIDTH}}{signed(values):>{_WIDTH}}"
            for name, values in document["against"]["difference"].items()
        ]
    return "\n".join([*lines, "", document["notice"], ""])


def cautions(document: dict[str, Any]) -> list[str]:
    """What a reader must know before any figure."""
    about, lines = document["set"], []
    if about["holds_training_films"]:
        lines.append(
            "These are the films that the release was trained on: the figures say nothing about "
            "new films. --part holdout judges those that it never saw."
        )
    if about["holdout_readings"] is not None and about["holdout_readings"] > 1:
        lines.append(
            f"The locked hold-out was read {about['holdout_readings']} times for this release: "
            "figures that were looked at before a choice was made are too good."
        )
    return lines
