"""What acting on the answers would be worth (Vickers and Elkin 2006): a decision curve.

Net benefit at a threshold probability t: true positives less false ones weighed by t / (1 - t), in
shares of the films. Beside it stand treating everyone, and no one (0).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from neumo_training.evaluation.scoring import Labels, Scores

AT = tuple(round(0.05 * step, 2) for step in range(1, 20))
"""Threshold probabilities: how sure one must be of pneumonia to act."""


def net_benefit(scores: Scores, labels: Labels) -> list[dict[str, Any]]:
    """At each of ``AT``: ``of_the_release``, and of calling everyone sick, ``of_all``."""
    return [
        {
            "at": at,
            "of_the_release": _benefit(scores > at, labels, at),
            "of_all": _benefit(np.ones(len(labels), bool), labels, at),
        }
        for at in AT
    ]


def _benefit(called: np.typing.NDArray[np.bool_], labels: Labels, at: float) -> float:
    sick = labels > 0
    return float(((called & sick).mean()) - (called & ~sick).mean() * at / (1.0 - at))
