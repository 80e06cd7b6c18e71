"""Curves of one model's scores as plain lists: what the plots show and the JSON holds."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.metrics import precision_recall_curve, roc_curve

from neumo_training.evaluation.estimates import estimate
from neumo_training.evaluation.resampling import Resamples, resample
from neumo_training.evaluation.scoring import Drawn, Labels, Scores, Weights, cumulated, in_bins

_POINTS = 101
_RELIABILITY_BINS = 10
_HISTOGRAM_BINS = 20


def roc(scores: Scores, labels: Labels, shown: float = 1.0) -> dict[str, list[float]]:
    """The ROC curve's corners: ``fpr``, ``tpr`` and the ``threshold`` that a score must exceed.

    The point of the threshold ``shown`` is among them, corner or not.

    scikit-learn's thresholds call a score equal to them positive; ours are the next value below,
    so that "strictly above" gives the same point.
    """
    every = roc_curve(labels, scores, drop_intermediate=False)
    cut = every[2]
    kept = np.isin(cut, roc_curve(labels, scores)[2])
    # The point in use need be no corner of the curve.
    kept[np.flatnonzero(cut > shown)[-1]] = True
    false, true, cut = (values[kept] for values in every)
    below = np.nextafter(np.minimum(cut, 1.0).astype(np.float32), np.float32(-1.0))
    # scikit-learn's first is infinity, which JSON lacks: above 1 there is nothing either.
    below[0] = 1.0
    return {
        "fpr": [float(v) for v in false],
        "tpr": [float(v) for v in true],
        "threshold": [float(max(v, 0.0)) for v in below],
    }


def roc_band(
    scores: Scores, labels: Labels, patients: npt.NDArray[np.str_]
) -> dict[str, list[float]]:
    """Sensitivity at 101 false positive rates, with its interval at each."""
    grid = np.linspace(0.0, 1.0, _POINTS)

    def sensitivities(weights: Weights) -> Weights:
        false, true = cumulated(scores, labels, weights)
        rates = (np.pad(c / c[:, -1:], ((0, 0), (1, 0))) for c in (false, true))
        return np.stack([np.interp(grid, f, t) for f, t in zip(*rates, strict=True)])

    resamples = resample(patients, labels)
    drawn = np.concatenate([sensitivities(weights) for weights in resamples.pieces()])
    value = sensitivities(np.ones((1, len(labels))))[0]
    band = [estimate(v, d) for v, d in zip(value, drawn.T, strict=True)]
    return {
        "fpr": grid.tolist(),
        "tpr": [e.value for e in band],
        "low": [e.low for e in band],
        "high": [e.high for e in band],
    }


def precision_recall(scores: Scores, labels: Labels) -> dict[str, list[float]]:
    """Precision at 101 recalls: the best that any threshold with that recall or more gives."""
    precision, recall, _ = precision_recall_curve(labels, scores)
    grid = np.linspace(0.0, 1.0, _POINTS)
    # A hair less: a recall of .3 may be .29999… in binary.
    best = [float(precision[recall >= r - 1e-12].max()) for r in grid]
    return {"recall": grid.tolist(), "precision": best}


def reliability(
    scores: Scores, labels: Labels, patients: npt.NDArray[np.str_]
) -> list[dict[str, Any]]:
    """Ten bins of equal width: the mean probability, and the share of PNEUMONIA with interval."""
    bins = in_bins(scores, _RELIABILITY_BINS)
    resamples = resample(patients, labels)
    bars = []
    for bin_index in np.flatnonzero(bins.sum(axis=0)):
        inside = bins[:, bin_index] > 0
        share = estimate(float(labels[inside].mean()), _shares(inside, labels, resamples))
        bars.append(
            {
                "films": int(inside.sum()),
                "mean_probability": float(scores[inside].mean()),
                "share_pneumonia": asdict(share),
            }
        )
    return bars


def histogram(scores: Scores, labels: Labels) -> dict[str, Any]:
    """How many films of each class have which probability, in 20 bins of equal width."""
    bins = in_bins(scores, _HISTOGRAM_BINS)
    return {
        "edges": np.linspace(0.0, 1.0, _HISTOGRAM_BINS + 1).tolist(),
        "normal": bins[labels == 0].sum(axis=0).astype(int).tolist(),
        "pneumonia": bins[labels == 1].sum(axis=0).astype(int).tolist(),
    }


def confusion(scores: Scores, labels: Labels, threshold: float) -> dict[str, int]:
    """How many films were called what at ``threshold``."""
    called, sick = scores > threshold, labels > 0
    return {
        "true_positive": int((called & sick).sum()),
        "false_negative": int((~called & sick).sum()),
        "false_positive": int((called & ~sick).sum()),
        "true_negative": int((~called & ~sick).sum()),
    }


def _shares(inside: npt.NDArray[np.bool_], labels: Labels, resamples: Resamples) -> Drawn:
    """The share of PNEUMONIA of every draw in which the bin has a film."""
    pieces = []
    for weights in resamples.pieces():
        drawn = weights[:, inside]
        total = drawn.sum(axis=1)
        pieces.append((drawn @ labels[inside])[total > 0] / total[total > 0])
    return np.concatenate(pieces)
