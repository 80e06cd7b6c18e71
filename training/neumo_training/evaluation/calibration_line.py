"""Whether probabilities mean what they say: Cox's line (1958) of the classes over the logits.

A slope below 1 tells probabilities that are too sure, above 1 too unsure; an intercept above 0
tells that pneumonia is more common than they say.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from sklearn.linear_model import LogisticRegression

from neumo_training.evaluation.scoring import Labels, Scores

_CLIPPED = 1e-6
"""A probability of 0 or 1 has no logit."""


@dataclass(frozen=True, slots=True)
class CalibrationLine:
    """``slope`` with ``intercept`` free, and the ``intercept`` that goes with it."""

    slope: float
    intercept: float


def calibration_line(scores: Scores, labels: Labels) -> CalibrationLine:
    """Fit the line to probabilities ``scores``; every film weighs the same."""
    inside = np.clip(scores, _CLIPPED, 1.0 - _CLIPPED)
    logits = np.log(inside / (1.0 - inside))[:, None]
    # As good as no penalty: a set that is told apart without an error still gets a finite slope.
    fit = LogisticRegression(C=1e6).fit(logits, labels > 0)
    return CalibrationLine(float(fit.coef_[0, 0]), float(fit.intercept_[0]))
