"""How good a release is: metrics, intervals, curves and thresholds, and the report on a folder.

Scores are probabilities of PNEUMONIA, float64 [n]; labels are 1 for PNEUMONIA, float32 [n].
"""

from neumo_training.evaluation.curves import roc
from neumo_training.evaluation.estimates import DRAWS, Estimate
from neumo_training.evaluation.intervals import (
    auc_with_interval,
    difference,
    differences,
    with_intervals,
)
from neumo_training.evaluation.operating import (
    SENSITIVITY_GOAL,
    Operating,
    at_sensitivity,
    best_balanced,
)
from neumo_training.evaluation.scoring import Labels, Scores, area, metrics

__all__ = [
    "DRAWS",
    "SENSITIVITY_GOAL",
    "Estimate",
    "Labels",
    "Operating",
    "Scores",
    "area",
    "at_sensitivity",
    "auc_with_interval",
    "best_balanced",
    "difference",
    "differences",
    "metrics",
    "roc",
    "with_intervals",
]
