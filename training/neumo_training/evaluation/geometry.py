"""Whether the shape and size of the file, which no disease changes, changes the answer."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from neumo_training.evaluation.answers import Answers
from neumo_training.evaluation.cohort import Cohort
from neumo_training.evaluation.performance import subset

_THIRDS = ("low", "middle", "high")


def subgroups(answers: Answers, cohort: Cohort) -> list[dict[str, Any]]:
    """The ensemble by thirds of the aspect ratio and of the size; empty where all are alike."""
    width, height = cohort.sizes_px.T.astype(np.float64)
    found = []
    for name, values in (("aspect_ratio", width / height), ("megapixels", width * height / 1e6)):
        third = _thirds(values)
        found += [
            {
                "by": name,
                "third": _THIRDS[number],
                "from": float(values[third == number].min()),
                "to": float(values[third == number].max()),
                **subset(answers, cohort, third == number),
            }
            for number in np.unique(third)
            if len(np.unique(third)) > 1
        ]
    return found


def _thirds(values: npt.NDArray[np.float64]) -> npt.NDArray[np.int_]:
    """0, 1 or 2 for each value; equal values are together."""
    return np.searchsorted(np.quantile(values, [1 / 3, 2 / 3]), values, side="left")
