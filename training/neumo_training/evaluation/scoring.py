"""The protocol's metrics, of all films at once or of many resamples of them at once.

A resample is a row of weights: how often each film was drawn.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Scores = npt.NDArray[np.float64]
Labels = npt.NDArray[np.float32]
Weights = npt.NDArray[np.float64]
"""float64 [draws, n]."""
Drawn = npt.NDArray[np.float64]
"""One value for each draw, float64 [draws]."""

CALIBRATION_BINS = 15
"""Of equal width, for the expected calibration error (Guo et al. 2017)."""


def metrics(scores: Scores, labels: Labels, threshold: float) -> dict[str, float]:
    """Every metric of the protocol; PNEUMONIA is a score strictly above ``threshold``."""
    return _only(weighted_metrics(scores, labels, threshold, _each_once(labels)))


def area(scores: Scores, labels: Labels) -> float:
    """The area under the ROC curve; ``scores`` need be no probabilities."""
    return _only(weighted_ranking(scores, labels, _each_once(labels)))["auc"]


def calibration_error(scores: Scores, labels: Labels) -> float:
    """The expected calibration error alone, which films of one class have, too."""
    gaps = in_bins(scores, CALIBRATION_BINS) * (scores - labels)[:, None]
    return float(np.abs(gaps.sum(axis=0)).sum() / len(scores))


def weighted_metrics(
    scores: Scores, labels: Labels, threshold: float, weights: Weights
) -> dict[str, Drawn]:
    """``metrics`` of every resample in ``weights``, [draws] each."""
    sick = labels > 0
    right = (scores > threshold) == sick
    gaps = in_bins(scores, CALIBRATION_BINS) * (scores - labels)[:, None]
    square = (scores - labels) ** 2
    columns = (np.ones_like(scores), sick, ~sick, right & sick, right & ~sick, square)
    # One product of matrices: of booleans, or column by column, it takes several times as long.
    sums = weights @ np.column_stack([*columns, gaps]).astype(np.float64)
    films, all_sick, all_normal, true_positive, true_negative, squares = sums[:, : len(columns)].T
    sensitivity, specificity = true_positive / all_sick, true_negative / all_normal
    return {
        **weighted_ranking(scores, labels, weights),
        "accuracy": (true_positive + true_negative) / films,
        "sensitivity": sensitivity,
        "specificity": specificity,
        "balanced_accuracy": (sensitivity + specificity) / 2.0,
        "brier": squares / films,
        "ece": np.abs(sums[:, len(columns) :]).sum(axis=1) / films,
    }


def weighted_ranking(scores: Scores, labels: Labels, weights: Weights) -> dict[str, Drawn]:
    """``auc`` and ``average_precision`` of every resample; scores need be no probabilities."""
    false, true = cumulated(scores, labels, weights)
    all_false, all_true = false[:, -1], true[:, -1]
    before_false = np.pad(false[:, :-1], ((0, 0), (1, 0)))
    gained = np.diff(true, axis=1, prepend=0.0)
    # A normal film above costs a sick one its whole point, one that ties with it half.
    lost = (gained * (before_false + false) / 2.0).sum(axis=1)
    called = true + false
    precision = np.divide(true, called, out=np.zeros_like(true), where=called > 0.0)
    return {
        "auc": 1.0 - lost / (all_true * all_false),
        "average_precision": (gained * precision).sum(axis=1) / all_true,
    }


def cumulated(scores: Scores, labels: Labels, weights: Weights) -> tuple[Weights, Weights]:
    """Normal and sick films at or above each distinct score, highest first: two [draws, scores]."""
    order = np.argsort(-scores, kind="stable")
    ends = np.append(np.flatnonzero(np.diff(scores[order])), len(scores) - 1)
    sick = labels[order] > 0
    ordered = weights[:, order]
    true = np.cumsum(ordered * sick, axis=1)[:, ends]
    false = np.cumsum(ordered * ~sick, axis=1)[:, ends]
    return false, true


def in_bins(scores: Scores, count: int) -> npt.NDArray[np.float64]:
    """Which of ``count`` bins of equal width each score falls into, 0 or 1, [n, count]."""
    # A score of 1 belongs to the last bin, which it would fall out of.
    bins = np.minimum((scores * count).astype(int), count - 1)
    inside: npt.NDArray[np.float64] = np.eye(count)[bins]
    return inside


def _each_once(labels: Labels) -> Weights:
    return np.ones((1, len(labels)))


def _only(drawn: dict[str, Drawn]) -> dict[str, float]:
    return {name: float(values[0]) for name, values in drawn.items()}
