"""How good a release is: metrics, intervals, curves and thresholds, and the report on a folder.

Scores are probabilities of PNEUMONIA, float64 [n]; labels are 1 for PNEUMONIA, float32 [n].
"""

from neumo_training.evaluation.curves import roc
from neumo_training.evaluation.intervals import differences, with_intervals
from neumo_training.evaluation.scoring import area, metrics
from neumo_training.evaluation.thresholds import at_sensitivity, best_balanced

__all__ = [
    "area",
    "at_sensitivity",
    "best_balanced",
    "differences",
    "metrics",
    "roc",
    "with_intervals",
]
