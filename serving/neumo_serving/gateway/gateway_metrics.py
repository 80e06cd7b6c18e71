"""What the gateway counts and times, and Prometheus' page of it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from neumo import Prediction
from neumo_serving.gateway.problems import Problem
from neumo_serving.monitoring import prometheus_text
from neumo_serving.monitoring.metrics import Counter, Gauge, Histogram

_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
_TENTHS = tuple(n / 10 for n in range(1, 10))


@dataclass(frozen=True, slots=True)
class Measures:
    """Of one gateway; no label holds what a client sent."""

    requests: Counter = field(
        default_factory=lambda: Counter("neumo_web_requests_total", ("route", "method", "status"))
    )
    seconds: Histogram = field(
        default_factory=lambda: Histogram("neumo_web_request_seconds", ("route",), _SECONDS)
    )
    predictions: Counter = field(
        default_factory=lambda: Counter("neumo_web_predictions_total", ("release", "label"))
    )
    disagreements: Counter = field(
        default_factory=lambda: Counter("neumo_web_disagreements_total", ("release",))
    )
    probabilities: Histogram = field(
        default_factory=lambda: Histogram("neumo_web_probability", ("release",), _TENTHS)
    )
    film_seconds: Histogram = field(
        default_factory=lambda: Histogram("neumo_web_film_seconds", ("release",), _SECONDS)
    )
    problems: Counter = field(
        default_factory=lambda: Counter("neumo_web_problems_total", ("type",))
    )
    films: Gauge = field(default_factory=lambda: Gauge("neumo_web_films_at_once"))
    held: Gauge = field(default_factory=lambda: Gauge("neumo_web_held_bytes"))

    def found(self, outcomes: Iterable[Prediction | Problem]) -> None:
        """Count what came of some films."""
        for outcome in outcomes:
            if isinstance(outcome, Problem):
                self.refused(outcome)
            else:
                self._predicted(outcome)

    def refused(self, problem: Problem) -> None:
        """Count a problem."""
        self.problems.add((problem.type,))

    def page(self, films: int, held_bytes: int) -> bytes:
        """The page, with how much is under way now."""
        self.films.set(films)
        self.held.set(held_bytes)
        return prometheus_text.page(getattr(self, name) for name in self.__slots__)

    def _predicted(self, prediction: Prediction) -> None:
        release = str(prediction.release)
        self.predictions.add((release, prediction.label))
        self.probabilities.add((release,), prediction.probability)
        self.film_seconds.add((release,), prediction.seconds)
        if not prediction.unanimous:
            self.disagreements.add((release,))
