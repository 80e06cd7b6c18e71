"""What a model must beat to be worth anything: scores from almost no information.

Each is fitted on the training films and judged beside the models; a high figure warns of a
shortcut in the data set.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import numpy as np
import numpy.typing as npt
from sklearn.linear_model import LogisticRegression, RidgeClassifier
from sklearn.model_selection import StratifiedGroupKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

Features = npt.NDArray[np.float64]
Pixels = npt.NDArray[np.uint8]
Sizes = npt.NDArray[np.int_]
"""Width and height in pixels, int [n, 2]; 0 where unknown."""

BORDER_PX = 16
"""Of 256: lungs lie on at most 2 % of so narrow a border (on 5 % of 32 pixels), mean of a class."""
THUMBNAIL_PX = 32
FOLDS = 5
LEAST_KNOWN = 0.5
RIDGE = "ridge on 32 x 32"


class Pictures(Protocol):
    """Films to fit on or to score: uint8 [n, 256, 256, 1], and 1 for PNEUMONIA."""

    @property
    def pixels(self) -> Pixels:
        """The films, uint8 [n, 256, 256, 1]."""

    @property
    def labels(self) -> npt.NDArray[np.float32]:
        """1 for PNEUMONIA, float32 [n]."""


def mean_brightness(pixels: Pixels) -> Features:
    """The film's mean and standard deviation, [n, 2]."""
    flat = pixels.reshape(len(pixels), -1)
    return np.stack([flat.mean(axis=1), flat.std(axis=1)], axis=1)


def border_brightness(pixels: Pixels) -> Features:
    """The means of the four 16-pixel borders, [n, 4]."""
    p, b = pixels, BORDER_PX
    sides = (p[:, :b], p[:, -b:], p[:, :, :b], p[:, :, -b:])
    return np.stack([side.mean(axis=(1, 2, 3)) for side in sides], axis=1)


def thumbnail(pixels: Pixels) -> Features:
    """The film at 32 x 32, [n, 1024]."""
    n, block = len(pixels), pixels.shape[1] // THUMBNAIL_PX
    shape = (n, THUMBNAIL_PX, block, THUMBNAIL_PX, block)
    means: Features = pixels.reshape(shape).mean(axis=(2, 4)).reshape(n, -1)
    return means


def aspect_ratio(sizes: Features) -> Features:
    """Width over height, [n, 1]."""
    return sizes[:, :1] / sizes[:, 1:]


def size(sizes: Features) -> Features:
    """Width and height in pixels, [n, 2]."""
    return sizes


def scores(
    train: Pictures,
    test: Pictures,
    train_sizes: Sizes | None = None,
    test_sizes: Sizes | None = None,
) -> dict[str, npt.NDArray[np.float64]]:
    """Each baseline's score for ``test``, higher for PNEUMONIA; "constant" scores all the same.

    Those of the files' shape and size only where the sizes are given, differ, and are known for
    half of the films of each class or more; NaN for a film whose size is not.
    """
    fitted_on = _features(train, train_sizes)
    scored = _features(test, test_sizes)
    return {"constant": np.zeros(len(test.labels))} | {
        name: _scores(name, fitted_on[name], train.labels, features)
        for name, features in scored.items()
        if name in fitted_on
    }


def cross_validated(
    films: Pictures, patients: npt.NDArray[np.str_], sizes: Sizes | None = None
) -> dict[str, npt.NDArray[np.float64]]:
    """As ``scores``, each film scored by a fit on other patients, in five folds."""
    # By patient: a thumbnail would be recognised by its neighbour.
    folds = StratifiedGroupKFold(FOLDS, shuffle=True, random_state=0)
    features = _features(films, sizes)
    scored = {name: np.zeros(len(films.labels)) for name in ("constant", *features)}
    for fitted, held in folds.split(films.pixels, films.labels, patients):
        for name, values in features.items():
            scored[name][held] = _scores(name, values[fitted], films.labels[fitted], values[held])
    return scored


def _features(films: Pictures, sizes: Sizes | None) -> dict[str, Features]:
    features = {name: of(films.pixels) for name, of in _OF_PIXELS.items()}
    if sizes is None:
        return features
    known = sizes.min(axis=1) > 0
    share = min(known[films.labels == label].mean() for label in (0, 1))
    if share >= LEAST_KNOWN and len(np.unique(sizes[known], axis=0)) > 1:
        # Not 0: a film of unknown size would be a very small one.
        told = np.where(known[:, None], sizes, np.nan)
        features |= {name: of(told) for name, of in _OF_SIZES.items()}
    return features


def _scores(
    name: str, fitted_on: Features, labels: npt.NDArray[np.float32], features: Features
) -> npt.NDArray[np.float64]:
    """A fit's scores; rows with NaN are neither fitted on nor scored."""
    fits, told = (~np.isnan(rows.sum(axis=1)) for rows in (fitted_on, features))
    # 1,024 features of a few thousand films: with less penalty it learns films by heart.
    model = RidgeClassifier(alpha=1000.0) if name == RIDGE else LogisticRegression()
    fit = make_pipeline(StandardScaler(), model).fit(fitted_on[fits], labels[fits])
    scores = np.full(len(features), np.nan)
    scores[told] = fit.decision_function(features[told])
    return scores


_OF_PIXELS: dict[str, Callable[[Pixels], Features]] = {
    "brightness": mean_brightness,
    "borders": border_brightness,
    RIDGE: thumbnail,
}
_OF_SIZES: dict[str, Callable[[Features], Features]] = {"aspect ratio": aspect_ratio, "size": size}
