"""Whether a share, or a mean of values in [0, 1], is below a limit, asked after every film. Pure.

A confidence sequence: but for ``alpha`` the truth lies within all its intervals at once, however
often they are looked at and whenever that ends, so that no number of films is fixed beforehand.
Of ``n`` values whose sum is ``total``, ``p`` is believed while ::

    B(total + 1/2, n - total + 1/2) / B(1/2, 1/2) / (p**total * (1 - p)**(n - total)) < 1 / alpha

the left being a martingale of mean 1 where each value is 0 or 1 with mean ``p``, and at most that
where values lie between, since it is convex in each. Sources: Ville's inequality; Robbins, Annals
of Mathematical Statistics 41 (1970), the method of mixtures; Howard, Ramdas, McAuliffe and Sekhon,
Annals of Statistics 49 (2021), for bounded values and the beta-binomial mixture.
Sums are all it looks at: those of several observers may be added.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import Enum

_HALF = 0.5
"""Of the mixture (Jeffreys' prior): it is narrow where shares are small."""
_HALVINGS = 60


class Likeness(Enum):
    """What the films so far say."""

    UNDECIDED = "undecided"
    SAME = "same"
    DIFFERENT = "different"


@dataclass(frozen=True, slots=True)
class Judged:
    """One share, in [``low``, ``high``] but for alpha, and what that means for its ``limit``."""

    name: str
    n: int
    total: float
    low: float
    high: float
    limit: float

    @property
    def state(self) -> Likeness:
        """SAME where all that is believed is within the limit, DIFFERENT where nothing is."""
        if self.low > self.limit:
            return Likeness.DIFFERENT
        return Likeness.SAME if self.high <= self.limit else Likeness.UNDECIDED

    @property
    def reason(self) -> str:
        """One line, in English."""
        mean = self.total / self.n if self.n else 0.0
        where = {
            Likeness.DIFFERENT: "above",
            Likeness.SAME: "within",
            Likeness.UNDECIDED: "not yet told from",
        }[self.state]
        told = f"{mean:.4g} of {self.n} films, {self.low:.4g} to {self.high:.4g}"
        return f"{self.name}: {told}, {where} the limit {self.limit:g}"


def judged(name: str, n: int, total: float, limit: float, alpha: float) -> Judged:
    """What ``n`` values in [0, 1] whose sum is ``total`` say of their mean.

    Raises ``ValueError`` where ``total`` is not in [0, n], or ``alpha`` not between 0 and 1.
    """
    low, high = interval(n, total, alpha)
    return Judged(name, n, total, low, high, limit)


def of_all(parts: tuple[Judged, ...]) -> Likeness:
    """DIFFERENT where one share is, SAME where all are; with none, UNDECIDED."""
    states = {part.state for part in parts}
    if Likeness.DIFFERENT in states:
        return Likeness.DIFFERENT
    return Likeness.SAME if states == {Likeness.SAME} else Likeness.UNDECIDED


def interval(n: int, total: float, alpha: float) -> tuple[float, float]:
    """The means that are believed after ``n`` values whose sum is ``total``."""
    if not 0.0 < alpha < 1.0:
        raise ValueError(f"alpha {alpha} is not between 0 and 1")
    # A sum of many fractions may be off by its rounding.
    if not -1e-9 <= total <= n + 1e-9:
        raise ValueError(f"a sum of {total} of {n} values in [0, 1] cannot be")
    total = min(max(total, 0.0), float(n))
    if n == 0:
        return 0.0, 1.0
    most = _log_mixture(n, total) + math.log(alpha)
    mean = total / n
    low = 0.0 if total == 0.0 else _edge(n, total, most, 0.0, mean)
    high = 1.0 if total == n else _edge(n, total, most, 1.0, mean)
    return low, high


def _edge(n: int, total: float, most: float, outside: float, inside: float) -> float:
    """Where belief ends, between ``outside``, which is not believed, and ``inside``, which is."""
    for _ in range(_HALVINGS):
        middle = (outside + inside) / 2
        if _log_likelihood(n, total, middle) > most:
            inside = middle
        else:
            outside = middle
    # The outer one: an interval is never given narrower than it is.
    return outside


def _log_mixture(n: int, total: float) -> float:
    return _log_beta(total + _HALF, n - total + _HALF) - _log_beta(_HALF, _HALF)


def _log_beta(a: float, b: float) -> float:
    return math.lgamma(a) + math.lgamma(b) - math.lgamma(a + b)


def _log_likelihood(n: int, total: float, mean: float) -> float:
    told = 0.0
    if total > 0.0:
        told += total * math.log(mean) if mean > 0.0 else -math.inf
    if total < n:
        told += (n - total) * math.log1p(-mean) if mean < 1.0 else -math.inf
    return told
