"""The document in a few lines for a terminal."""

from __future__ import annotations

from typing import Any

from neumo_training.reports.key_names import METRICS, counts, interval, number, percent, signed

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
    lines += ["", *_together(document)]
    if document["against"] is not None:
        number = document["against"]["release"]
        lines += ["", f"less release {number}, paired:"] + [
            f"{METRICS[name]:{_WIDTH}}{signed(values):>{_WIDTH}}"
            for name, values in document["against"]["difference"].items()
        ]
    return "\n".join([*lines, "", document["notice"], ""])


def _together(document: dict[str, Any]) -> list[str]:
    """Where the release fails together, in a line each."""
    runs, line, least = (
        document["runs"], document["calibration"], document["corruptions"]["least_of_a_class"],
    )  # fmt: skip
    lines = [
        f"worst run of {runs['films_in_a_run'][label]} films in a row, {label}: "
        + (worst_run(of) if of is not None else "no series is as long")
        for label, of in runs["classes"].items()
    ]
    if (look := document["look"]) is not None:
        lines.append(
            f"AUC at the same look {number(look['auc_at_the_same_look'])}; of the look alone "
            f"{number(look['auc_of_the_look'])}"
        )
    return [
        *lines,
        f"calibration: slope {number(line['slope'])}, intercept {number(line['intercept'])}; "
        f"ECE in the worst quarter of runs {number(runs['ece_in_worst_quarter'])}",
        f"least {least['metric']} under a corruption up to severity {least['up_to_severity']}: "
        f"{number(least['value'])} ({least['corruption'].replace('_', ' ')} "
        f"{least['severity']})",
    ]


def worst_run(of: dict[str, Any]) -> str:
    """Such as ``0.320 right (films 301 to 325 of 567, series NORMAL2-IM); tenth percentile …``."""
    worst = of["worst"]
    return (
        f"{number(worst['share'])} right (films {worst['first']} to {worst['last']} of "
        f"{worst['of']}, series {worst['series']}); tenth percentile {number(of['tenth'])}"
    )


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
    if beaten_by := document["baselines"]["as_good_as_the_release"]:
        lines.append(
            f"A trivial baseline does as well on these films ({', '.join(beaten_by)}): they do not "
            "show that the release reads disease."
        )
    return lines
