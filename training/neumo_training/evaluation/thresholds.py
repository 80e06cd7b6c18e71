"""Thresholds, and what they give on the films they were fitted on."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from sklearn.metrics import roc_curve

from neumo_training.evaluation import runs
from neumo_training.evaluation.scoring import Labels, Scores

_WORST_RUN_POINTS = 200
"""So many of the thresholds are tried: each asks for every run."""


@dataclass(frozen=True, slots=True)
class Operating:
    """A threshold and what it gives on the films it was fitted on."""

    threshold: float
    sensitivity: float
    specificity: float


def best_balanced(scores: Scores, labels: Labels) -> Operating:
    """The threshold of the best balanced accuracy (Youden 1950), in the middle of its gap."""
    false, true, cut = roc_curve(labels, scores, drop_intermediate=False)
    return _operating(int(np.argmax(true - false)), false, true, cut)


def at_sensitivity(scores: Scores, labels: Labels, goal: float) -> Operating:
    """The highest threshold whose sensitivity is at least ``goal``."""
    false, true, cut = roc_curve(labels, scores, drop_intermediate=False)
    return _operating(int(np.argmax(true >= goal)), false, true, cut)


def equal_errors(scores: Scores, labels: Labels) -> Operating:
    """The threshold at which as large a share of either class is called the other.

    Conformal prediction by class (Angelopoulos and Bates 2021) with one answer for each film.
    """
    false, true, cut = roc_curve(labels, scores, drop_intermediate=False)
    return _operating(int(np.argmin(np.abs(false - (1.0 - true)))), false, true, cut)


def best_worst_run(scores: Scores, labels: Labels, table: pd.DataFrame) -> Operating | None:
    """The threshold whose worst run, of either class, is the best; None without a run of both.

    Where several thresholds have it, the one of the best balanced accuracy.
    """
    false, true, cut = roc_curve(labels, scores, drop_intermediate=False)
    sick = labels > 0
    points = np.unique(np.linspace(0, len(cut) - 1, _WORST_RUN_POINTS).astype(int))
    found = []
    for point in points:
        right = (scores >= cut[point]) == sick
        worst = [runs.worst(right, table, label) for label in runs.RUN_FILMS]
        shares = [run.share for run in worst if run is not None]
        if len(shares) < len(worst):
            return None
        found.append((min(shares), true[point] - false[point], int(point)))
    return _operating(max(found)[2], false, true, cut)


def _operating(point: int, false: Scores, true: Scores, cut: Scores) -> Operating:
    # Amid the gap: on a film's own score another processor's rounding would decide.
    lower = cut[point + 1] if point + 1 < len(cut) else 0.0
    # As the servable holds it.
    threshold = float(np.float32((cut[point] + lower) / 2.0))
    return Operating(threshold, float(true[point]), float(1.0 - false[point]))
