"""How a canary's answers compare with those that users got about the same films. Pure.

Only counts and sums are kept, never a film nor one film's answer, so that it takes the same memory
after any number of films.
"""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from neumo import Prediction
from neumo.verification.sequential_shares import Judged, Likeness, judged, of_all
from neumo_serving.gateway.gateway_settings import ShadowRules


@dataclass(frozen=True, slots=True)
class Refused:
    """What a model of the release held to be no chest radiograph."""


@dataclass(frozen=True, slots=True)
class Failed:
    """No answer; ``kind`` is the name of the SDK's error."""

    kind: str


Stable: TypeAlias = Prediction | Refused
"""What a user was told about a film."""
Outcome: TypeAlias = Stable | Failed
"""What came of asking the canary about it."""

TESTS = ("failures", "refusals", "flips", "change", "slow")
"""Each is judged with its part of alpha, so that the whole errs no more often than alpha."""

_FINEST_S = 0.001
_STEP = 1.05
_STEPS = 260
"""From a millisecond to five minutes, each 5 % above the one before."""


class Times:
    """How often a film took how long, to 5 %; of a fixed size."""

    def __init__(self) -> None:
        self._counts = [0] * _STEPS
        self._count = 0

    def add(self, seconds: float) -> None:
        """One more."""
        steps = math.log(max(seconds, _FINEST_S) / _FINEST_S) / math.log(_STEP)
        self._counts[min(math.ceil(steps), _STEPS - 1)] += 1
        self._count += 1

    def quantile(self, share: float) -> float | None:
        """The seconds that ``share`` of the films took at most, rounded up; None without a film."""
        below, wanted = 0, share * self._count
        for step, count in enumerate(self._counts):
            below += count
            if count and below >= wanted:
                return float(f"{_FINEST_S * _STEP**step:.3g}")
        return None


@dataclass(slots=True)
class Comparison:
    """A canary's ``canary_release`` against ``stable_release``, film by film.

    ``canary_release`` None: the canary has never answered.
    """

    rules: ShadowRules
    stable_release: int | None
    canary_release: int | None
    films: int = 0
    failures: Counter[str] = field(default_factory=Counter)
    stable_refusals: int = 0
    canary_refusals: int = 0
    only_stable_refused: int = 0
    only_canary_refused: int = 0
    pairs: int = 0
    to_pneumonia: int = 0
    to_normal: int = 0
    change: float = 0.0
    absolute_change: float = 0.0
    largest_change: float = 0.0
    slower: int = 0
    stable_times: Times = field(default_factory=Times)
    canary_times: Times = field(default_factory=Times)
    _proof: Judged | None = None

    def add(self, stable: Stable, canary: Outcome) -> str:
        """One film more; returns what came of it: same, flip, refusal or failure."""
        told = self._counted(stable, canary)
        # What was once beyond doubt stays so, though later films may look better.
        if self._proof is None:
            proofs = (one for one in self.tests() if one.state is Likeness.DIFFERENT)
            self._proof = next(proofs, None)
        return told

    def tests(self) -> tuple[Judged, ...]:
        """What is judged, in the order of ``TESTS``."""
        rules, answered = self.rules, self.films - self.failures.total()
        refusals = self.only_stable_refused + self.only_canary_refused
        counted = (
            (self.films, float(self.failures.total()), rules.max_failures),
            (answered, float(refusals), rules.max_refusals),
            (self.pairs, float(self.to_pneumonia + self.to_normal), rules.max_flips),
            (self.pairs, self.absolute_change, rules.max_change),
            (self.pairs, float(self.slower), rules.max_slow),
        )
        alpha = rules.alpha / len(TESTS)
        return tuple(judged(name, *one, alpha) for name, one in zip(TESTS, counted, strict=True))

    @property
    def state(self) -> Likeness:
        """What all the tests say together; DIFFERENT is for good."""
        return Likeness.DIFFERENT if self._proof else of_all(self.tests())

    @property
    def reason(self) -> str:
        """Why, in one line."""
        if self._proof:
            return self._proof.reason
        parts = self.tests()
        if (state := of_all(parts)) is Likeness.UNDECIDED:
            parts = tuple(part for part in parts if part.state is state)
        return "; ".join(part.reason for part in parts)

    def document(self) -> dict[str, Any]:
        """It as JSON takes it."""
        mean = None if not self.pairs else self.change / self.pairs
        absolute = None if not self.pairs else self.absolute_change / self.pairs
        return {
            "stable_release": self.stable_release,
            "canary_release": self.canary_release,
            "state": self.state.value,
            "reason": self.reason,
            "films": self.films,
            "failures": {"count": self.failures.total(), "types": dict(self.failures)},
            "refusals": {
                "stable": self.stable_refusals,
                "canary": self.canary_refusals,
                "only_stable": self.only_stable_refused,
                "only_canary": self.only_canary_refused,
            },
            "pairs": self.pairs,
            "flips": {
                "count": self.to_pneumonia + self.to_normal,
                "to_pneumonia": self.to_pneumonia,
                "to_normal": self.to_normal,
            },
            "change": {
                "mean": mean,
                "mean_absolute": absolute,
                "largest": self.largest_change if self.pairs else None,
            },
            "latency": {"stable": _told(self.stable_times), "canary": _told(self.canary_times)},
            "tests": [_test(one) for one in self.tests()],
        }

    def _counted(self, stable: Stable, canary: Outcome) -> str:
        self.films += 1
        if isinstance(canary, Failed):
            self.failures[canary.kind] += 1
            return "failure"
        stable_refused, canary_refused = isinstance(stable, Refused), isinstance(canary, Refused)
        self.stable_refusals += stable_refused
        self.canary_refusals += canary_refused
        self.only_stable_refused += stable_refused and not canary_refused
        self.only_canary_refused += canary_refused and not stable_refused
        if isinstance(stable, Refused) or isinstance(canary, Refused):
            return "same" if stable_refused and canary_refused else "refusal"
        return self._paired(stable, canary)

    def _paired(self, stable: Prediction, canary: Prediction) -> str:
        self.pairs += 1
        change = canary.probability - stable.probability
        self.change += change
        self.absolute_change += min(abs(change), 1.0)
        self.largest_change = max(self.largest_change, abs(change))
        self.stable_times.add(stable.seconds)
        self.canary_times.add(canary.seconds)
        self.slower += canary.seconds > self.rules.slow_factor * stable.seconds
        if stable.label == canary.label:
            return "same"
        is_pneumonia = canary.label == "PNEUMONIA"
        self.to_pneumonia += is_pneumonia
        self.to_normal += not is_pneumonia
        return "flip"


def _told(times: Times) -> dict[str, float | None]:
    return {"p50": times.quantile(0.5), "p99": times.quantile(0.99)}


def _test(one: Judged) -> dict[str, Any]:
    return {
        "name": one.name,
        "n": one.n,
        "total": one.total,
        "low": one.low,
        "high": one.high,
        "limit": one.limit,
        "state": one.state.value,
        "reason": one.reason,
    }
