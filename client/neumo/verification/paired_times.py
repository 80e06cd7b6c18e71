"""Whether one of two releases is slower, by the times of both asked in turns. Pure.

The median is judged by the rounds' own ratios, so that what else runs on the machine falls out;
its interval is that of the sign test, which assumes nothing of the times' distribution.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

LEAST_ROUNDS = 20
LEAST_FOR_TAIL = 100
DOUBT = 0.001
"""How often, at most, an interval misses the truth: of one look, and there are a few."""


def median_interval(ratios: Sequence[float]) -> tuple[float, float]:
    """Within which the median of what gave ``ratios`` lies, but for ``DOUBT``."""
    ranked, count = sorted(ratios), len(ratios)
    below = _rank(count, 0.5, DOUBT / 2)
    return (ranked[below], ranked[count - 1 - below]) if below >= 0 else (0.0, math.inf)


def p99(times: Sequence[float]) -> float:
    """The 99th percentile, by the nearest rank."""
    return sorted(times)[math.ceil(0.99 * len(times)) - 1]


def is_slower(
    times: Sequence[float], against: Sequence[float], max_ratio: float, *, judge_tail: bool = True
) -> bool | None:
    """Whether ``times`` are more than ``max_ratio`` times those ``against``; None: not yet known.

    Round by round, seconds. Slower is what is so beyond doubt, in its median, or in its 99th
    percentile by 100 rounds: that its lowest likely value is above ``max_ratio`` times the other's
    largest. Not slower is what lies below in both.
    """
    if len(times) < LEAST_ROUNDS:
        return None
    low, high = median_interval(ratios(times, against))
    if low > max_ratio:
        return True
    if judge_tail and len(times) >= LEAST_FOR_TAIL:
        lowest = sorted(times)[_rank(len(times), 0.99, DOUBT)]
        if lowest > max_ratio * max(against):
            return True
    tail_is_well = not judge_tail or p99(times) <= max_ratio * p99(against)
    return False if high <= max_ratio and tail_is_well else None


def ratios(times: Sequence[float], against: Sequence[float]) -> list[float]:
    """Each round's ratio."""
    return [float(one) for one in np.asarray(times) / np.asarray(against)]


def _rank(count: int, share: float, doubt: float) -> int:
    """The largest rank, from 0, whose value lies above the quantile ``share`` by ``doubt`` at most.

    -1 where even the smallest may.
    """
    # P(the value of rank k is above the quantile) = P(at most k of count lie below it).
    total, rank = 0.0, -1
    for k in range(count):
        total += math.comb(count, k) * share**k * (1.0 - share) ** (count - k)
        if total > doubt:
            break
        rank = k
    return rank
