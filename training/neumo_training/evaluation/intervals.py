"""Metrics with patient-cluster bootstrap intervals: 2,000 draws of whole patients, paired."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from neumo_training.evaluation.estimates import Estimate, estimate, estimates
from neumo_training.evaluation.resampling import Resamples, resample
from neumo_training.evaluation.scoring import (
    Drawn,
    Labels,
    Scores,
    Weights,
    area,
    metrics,
    weighted_metrics,
    weighted_ranking,
)

Patients = npt.NDArray[np.str_]


def with_intervals(
    scores: Scores, labels: Labels, patients: Patients, threshold: float
) -> dict[str, Estimate]:
    """Every metric with the 2.5 and 97.5 % quantiles of 2,000 draws of whole patients."""
    drawn = drawn_metrics(scores, labels, threshold, resample(patients, labels))
    return estimates(metrics(scores, labels, threshold), drawn)


def drawn_metrics(
    scores: Scores, labels: Labels, threshold: float, resamples: Resamples
) -> dict[str, Drawn]:
    """Every metric of every resample."""
    return resamples.measured(lambda w: weighted_metrics(scores, labels, threshold, w))


def auc_with_interval(scores: Scores, labels: Labels, patients: Patients) -> Estimate:
    """AUC alone, for scores that are no probabilities."""

    def auc(weights: Weights) -> dict[str, Drawn]:
        return {"auc": weighted_ranking(scores, labels, weights)["auc"]}

    return estimate(area(scores, labels), resample(patients, labels).measured(auc)["auc"])


def mean_with_interval(values: Scores, labels: Labels, patients: Patients) -> Estimate:
    """The mean of one value for each film."""
    drawn = resample(patients, labels).measured(
        lambda weights: {"mean": weights @ values / weights.sum(axis=1)}
    )
    return estimate(float(values.mean()), drawn["mean"])


def differences(
    ours: tuple[Scores, float], theirs: tuple[Scores, float], labels: Labels, patients: Patients
) -> dict[str, Estimate]:
    """Every metric of ``ours`` (scores and their threshold) less that of ``theirs``.

    By a paired bootstrap of whole patients.
    """
    # The same draws for both: a difference is surer than two intervals that overlap.
    resamples = resample(patients, labels)
    values = [metrics(scores, labels, threshold) for scores, threshold in (ours, theirs)]
    drawn = [drawn_metrics(scores, labels, cut, resamples) for scores, cut in (ours, theirs)]
    return estimates(
        {name: value - values[1][name] for name, value in values[0].items()},
        {name: found - drawn[1][name] for name, found in drawn[0].items()},
    )
