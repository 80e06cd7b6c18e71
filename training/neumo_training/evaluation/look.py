"""What a film looks like apart from what is on it: six numbers of the lungs' crop.

A device and its processing show in them, a finding hardly should; a classifier that knows nothing
else says how far a set tells its classes by their look.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import tensorflow as tf
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GroupKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from neumo_training.evaluation.scoring import Labels, Scores, area
from neumo_training.networks import batches

NUMBERS = ("mean", "spread", "skewness", "darkest", "brightest", "fine_contrast")
FINE_PX = 5
"""Side of the mean that fine contrast is taken against, in pixels of a crop of 128."""
FOLDS = 5
STRATA = 10
PROPENSITY_MIN = 0.02
"""A film whose class its look says with more certainty than .98 counts as one of .98."""


def numbers(crops: npt.NDArray[np.float16]) -> npt.NDArray[np.float64]:
    """The six numbers of ``crops`` [n, 128, 128, 1] in 0..1, float64 [n, 6], as ``NUMBERS``.

    Mean, standard deviation and skewness of grey, its first and ninety-ninth percentile, and the
    standard deviation of what a mean over 5 x 5 pixels takes away, in shares of the whole one.
    """
    return np.concatenate([_of(batch) for (batch,) in batches.of(crops)])


def propensity(
    looks: npt.NDArray[np.float64], labels: Labels, patients: npt.NDArray[np.str_]
) -> Scores:
    """How sure the look alone is of PNEUMONIA, float64 [n]: cross-validated by patient.

    Raises ``ValueError`` with fewer patients than ``FOLDS``.
    """
    scores = np.zeros(len(labels))
    for train, test in GroupKFold(FOLDS).split(looks, labels, patients):
        model = make_pipeline(StandardScaler(), LogisticRegression(class_weight="balanced"))
        scores[test] = model.fit(looks[train], labels[train] > 0).predict_proba(looks[test])[:, 1]
    return scores


def inverse_propensity(
    propensities: Scores, labels: Labels, least: float, most: float
) -> npt.NDArray[np.float64]:
    """How many times as often to draw each film, so that look says less of its class, [n].

    The inverse of what its look says of its own class (Rosenbaum and Rubin 1983), of mean 1 in
    each class, then within ``least`` and ``most``.
    """
    own = np.where(labels > 0, propensities, 1.0 - propensities)
    inverse = 1.0 / np.maximum(own, PROPENSITY_MIN)
    means = np.array([inverse[labels == label].mean() for label in (0, 1)])
    often = inverse / means[(labels > 0).astype(int)]
    return np.asarray(np.clip(often, least, most), np.float64)


def matched_auc(scores: Scores, labels: Labels, propensities: Scores) -> float | None:
    """The AUC of ``scores`` among films of the same look: tenths of ``propensities``.

    Each tenth's AUC weighs as many pairs of a normal and a pneumonia film as it has. None where no
    tenth has both.
    """
    edges = np.quantile(propensities, np.linspace(0.0, 1.0, STRATA + 1)[1:-1])
    stratum = np.searchsorted(edges, propensities, side="right")
    won = pairs = 0.0
    for known in range(STRATA):
        inside = stratum == known
        sick = int((labels[inside] > 0).sum())
        count = sick * (int(inside.sum()) - sick)
        if count:
            won += count * area(scores[inside], labels[inside])
            pairs += count
    return won / pairs if pairs else None


def _of(crops: npt.NDArray[np.float32]) -> npt.NDArray[np.float64]:
    soft = tf.nn.avg_pool2d(crops, FINE_PX, 1, "SAME").numpy()
    grey = crops.reshape(len(crops), -1).astype(np.float64)
    fine = (crops - soft).reshape(len(crops), -1).std(axis=1)
    mean, spread = grey.mean(axis=1), np.maximum(grey.std(axis=1), 1e-6)
    skewness = (((grey - mean[:, None]) / spread[:, None]) ** 3).mean(axis=1)
    darkest, brightest = np.quantile(grey, (0.01, 0.99), axis=1)
    return np.stack([mean, spread, skewness, darkest, brightest, fine / spread], axis=1)
