"""A number with its interval."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

DRAWS = 2000
LEVEL = 0.95
_QUANTILES = ((1.0 - LEVEL) / 2.0, (1.0 + LEVEL) / 2.0)


@dataclass(frozen=True, slots=True)
class Estimate:
    """A metric and its 95 % interval."""

    value: float
    low: float
    high: float


def estimate(value: float, drawn: npt.NDArray[np.float64]) -> Estimate:
    """``value`` with the 2.5 and 97.5 % quantiles of what the resamples gave, [draws]."""
    low, high = np.quantile(drawn, _QUANTILES)
    return Estimate(float(value), float(low), float(high))


def estimates(
    values: dict[str, float], drawn: dict[str, npt.NDArray[np.float64]]
) -> dict[str, Estimate]:
    """``estimate`` of each name."""
    return {name: estimate(value, drawn[name]) for name, value in values.items()}
