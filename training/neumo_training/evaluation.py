"""How good the scores are: metrics with patient-cluster bootstrap intervals, ROC, threshold.

Scores are probabilities of PNEUMONIA, float64 [n]; labels are 1 for PNEUMONIA, float32 [n].
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from sklearn.metrics import average_precision_score, roc_auc_score, roc_curve

Scores = npt.NDArray[np.float64]
Labels = npt.NDArray[np.float32]

DRAWS = 2000
CALIBRATION_BINS = 15
SENSITIVITY_GOAL = 0.97


@dataclass(frozen=True, slots=True)
class Estimate:
    """A metric and its 95 % interval."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Operating:
    """A threshold and what it gives on the films it was fitted on."""

    threshold: float
    sensitivity: float
    specificity: float


def metrics(scores: Scores, labels: Labels, threshold: float) -> dict[str, float]:
    """Every metric of the protocol; PNEUMONIA is a score strictly above ``threshold``."""
    called, sick = scores > threshold, labels > 0
    sensitivity = float(called[sick].mean())
    specificity = float((~called[~sick]).mean())
    return {
        "auc": float(roc_auc_score(labels, scores)),
        "average_precision": float(average_precision_score(labels, scores)),
        "accuracy": float((called == sick).mean()),
        "sensitivity": sensitivity,
        "specificity": specificity,
        "balanced_accuracy": (sensitivity + specificity) / 2.0,
        "brier": float(np.mean((scores - labels) ** 2)),
        "ece": calibration_error(scores, labels),
    }


def calibration_error(scores: Scores, labels: Labels) -> float:
    """Expected calibration error over 15 bins of equal width (Guo et al. 2017)."""
    bins = np.minimum((scores * CALIBRATION_BINS).astype(int), CALIBRATION_BINS - 1)
    count = np.bincount(bins, minlength=CALIBRATION_BINS)
    gap = np.bincount(bins, scores - labels, minlength=CALIBRATION_BINS)
    return float(np.abs(gap).sum() / count.sum())


def with_intervals(
    scores: Scores, labels: Labels, patients: npt.NDArray[np.str_], threshold: float
) -> dict[str, Estimate]:
    """Every metric with the 2.5 and 97.5 % quantiles of 2,000 draws of whole patients."""
    return _estimates(lambda rows: metrics(scores[rows], labels[rows], threshold), patients, labels)


def auc_with_interval(scores: Scores, labels: Labels, patients: npt.NDArray[np.str_]) -> Estimate:
    """AUC alone, for scores that are no probabilities."""
    return _estimates(
        lambda rows: {"auc": float(roc_auc_score(labels[rows], scores[rows]))}, patients, labels
    )["auc"]


def difference(
    ours: Scores, theirs: Scores, labels: Labels, patients: npt.NDArray[np.str_]
) -> Estimate:
    """AUC of ``ours`` less that of ``theirs``, by a paired bootstrap of whole patients."""

    def auc(rows: npt.NDArray[np.int_]) -> dict[str, float]:
        first = roc_auc_score(labels[rows], ours[rows])
        return {"auc": float(first - roc_auc_score(labels[rows], theirs[rows]))}

    return _estimates(auc, patients, labels)["auc"]


def roc(scores: Scores, labels: Labels) -> dict[str, list[float]]:
    """The ROC curve's corners: ``fpr``, ``tpr`` and the ``threshold`` that a score must exceed.

    scikit-learn's thresholds call a score equal to them positive; ours are the next value below,
    so that "strictly above" gives the same point.
    """
    false, true, cut = roc_curve(labels, scores)
    below = np.nextafter(np.minimum(cut, 1.0).astype(np.float32), np.float32(-1.0))
    below[0] = 1.0
    return {
        "fpr": [float(v) for v in false],
        "tpr": [float(v) for v in true],
        "threshold": [float(max(v, 0.0)) for v in below],
    }


def best_balanced(scores: Scores, labels: Labels) -> Operating:
    """The threshold of the best balanced accuracy (Youden 1950), in the middle of its gap."""
    false, true, cut = roc_curve(labels, scores, drop_intermediate=False)
    return _operating(int(np.argmax(true - false)), false, true, cut)


def at_sensitivity(scores: Scores, labels: Labels, goal: float = SENSITIVITY_GOAL) -> Operating:
    """The highest threshold whose sensitivity is at least ``goal``."""
    false, true, cut = roc_curve(labels, scores, drop_intermediate=False)
    return _operating(int(np.argmax(true >= goal)), false, true, cut)


def _operating(point: int, false: Scores, true: Scores, cut: Scores) -> Operating:
    lower = cut[point + 1] if point + 1 < len(cut) else 0.0
    threshold = float(np.float32((cut[point] + lower) / 2.0))
    return Operating(threshold, float(true[point]), float(1.0 - false[point]))


def _estimates(
    measure: Callable[[npt.NDArray[np.int_]], dict[str, float]],
    patients: npt.NDArray[np.str_],
    labels: Labels,
) -> dict[str, Estimate]:
    value = measure(np.arange(len(labels)))
    draws = [measure(rows) for rows in _draws(patients, labels)]
    quantile = {name: np.quantile([draw[name] for draw in draws], [0.025, 0.975]) for name in value}
    return {
        name: Estimate(value[name], float(quantile[name][0]), float(quantile[name][1]))
        for name in value
    }


def _draws(patients: npt.NDArray[np.str_], labels: Labels) -> list[npt.NDArray[np.int_]]:
    """Rows of ``DRAWS`` resamples of patients, each class's patients drawn on their own."""
    random = np.random.RandomState(0)
    films = [
        [
            np.flatnonzero((patients == p) & (labels == label))
            for p in np.unique(patients[labels == label])
        ]
        for label in (0, 1)
    ]
    return [
        np.concatenate(
            [group[i] for group in films for i in random.randint(0, len(group), len(group))]
        )
        for _ in range(DRAWS)
    ]


def area(scores: Scores, labels: Labels) -> float:
    """The area under the ROC curve."""
    return float(roc_auc_score(labels, scores))
