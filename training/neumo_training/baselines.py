"""What a model must beat to be worth anything: scores from almost no information.

Each is fitted on the training films and judged beside the models; a high figure warns of a
shortcut in the data set.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
from sklearn.linear_model import LogisticRegression, RidgeClassifier
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

from neumo_training.films import Films

Features = npt.NDArray[np.float64]
BORDER_PX = 16
THUMBNAIL_PX = 32


def mean_brightness(films: Films) -> Features:
    """The film's mean and standard deviation, [n, 2]."""
    pixels = films.pixels.reshape(len(films.pixels), -1)
    return np.stack([pixels.mean(axis=1), pixels.std(axis=1)], axis=1)


def border_brightness(films: Films) -> Features:
    """The means of the four 16-pixel borders, [n, 4]."""
    p, b = films.pixels, BORDER_PX
    sides = (p[:, :b], p[:, -b:], p[:, :, :b], p[:, :, -b:])
    return np.stack([side.mean(axis=(1, 2, 3)) for side in sides], axis=1)


def thumbnail(films: Films) -> Features:
    """The film at 32 x 32, [n, 1024]."""
    n, block = len(films.pixels), films.pixels.shape[1] // THUMBNAIL_PX
    shape = (n, THUMBNAIL_PX, block, THUMBNAIL_PX, block)
    means: Features = films.pixels.reshape(shape).mean(axis=(2, 4)).reshape(n, -1)
    return means


def scores(train: Films, test: Films) -> dict[str, npt.NDArray[np.float64]]:
    """Each baseline's score for ``test``, higher for PNEUMONIA; "constant" scores all the same."""
    fitted: dict[str, tuple[Callable[[Films], Features], Pipeline]] = {
        "brightness": (mean_brightness, make_pipeline(StandardScaler(), LogisticRegression())),
        "borders": (border_brightness, make_pipeline(StandardScaler(), LogisticRegression())),
        "ridge on 32 x 32": (
            thumbnail,
            make_pipeline(StandardScaler(), RidgeClassifier(alpha=1000.0)),
        ),
    }
    result = {"constant": np.zeros(len(test.table))}
    for name, (features, model) in fitted.items():
        model.fit(features(train), train.labels)
        result[name] = model.decision_function(features(test))
    return result
