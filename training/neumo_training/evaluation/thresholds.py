"""Thresholds, and what they give on the films they were fitted on."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from sklearn.metrics import roc_curve

from neumo_training.evaluation.scoring import Labels, Scores


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


def _operating(point: int, false: Scores, true: Scores, cut: Scores) -> Operating:
    # Amid the gap: on a film's own score another processor's rounding would decide.
    lower = cut[point + 1] if point + 1 < len(cut) else 0.0
    # As the servable holds it.
    threshold = float(np.float32((cut[point] + lower) / 2.0))
    return Operating(threshold, float(true[point]), float(1.0 - false[point]))
