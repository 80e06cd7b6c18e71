"""Whether the shape and size of the file, which no disease changes, changes the answer."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from neumo_training.evaluation.cohort import Cohort
from neumo_training.evaluation.in_process_models import Answers
from neumo_training.evaluation.performance import subset

_THIRDS = ("low", "middle", "high")
_UNKNOWN = -1


def subgroups(answers: Answers, cohort: Cohort) -> list[dict[str, Any]]:
    """The ensemble by thirds of the aspect ratio and of the size; empty where all are alike."""
    known = cohort.sizes_px.min(axis=1) > 0
    width, height = cohort.sizes_px[known].T.astype(np.float64)
    groups = []
    for name, values in (("aspect_ratio", width / height), ("megapixels", width * height / 1e6)):
        third = np.full(len(known), _UNKNOWN)
        third[known] = _thirds(values)
        ranks = np.unique(third[known])
        if len(ranks) < 2:
            continue
        groups += [
            {
                "by": name,
                "third": _THIRDS[rank],
                "from": float(values[third[known] == rank].min()),
                "to": float(values[third[known] == rank].max()),
                **subset(answers, cohort, third == rank),
            }
            for rank in ranks
        ]
    return groups


def _thirds(values: npt.NDArray[np.float64]) -> npt.NDArray[np.int_]:
    """0, 1 or 2 for each value; equal values are together."""
    if not len(values):
        return np.zeros(0, np.int_)
    # Left: of values that equal a quantile all go to the lower third.
    return np.searchsorted(np.quantile(values, [1 / 3, 2 / 3]), values, side="left")
