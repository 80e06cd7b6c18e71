"""What the gateway counts and times, and Prometheus' page of it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, Metric, generate_latest
from prometheus_client.registry import Collector

from neumo import Prediction
from neumo_serving.gateway.problems import Problem
from neumo_serving.gateway.shadow_comparison import Comparison

_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
_TENTHS = tuple(n / 10 for n in range(1, 10))


@dataclass(frozen=True, slots=True)
class _WithoutTimes(Collector):
    """``registry`` without the time at which each of its series was made, which nobody asks for.

    The library can leave them out by itself, but only of the whole process.
    """

    registry: CollectorRegistry

    def collect(self) -> Iterator[Metric]:
        """The metrics."""
        for metric in self.registry.collect():
            metric.samples = [one for one in metric.samples if not one.name.endswith("_created")]
            yield metric


class Measures:
    """Of one gateway; no label holds what a client sent.

    Each has a registry of its own: the library's is the process's, and would count two together.
    """

    def __init__(self) -> None:
        # The names are in dashboards and alerts (k8s/components/monitoring): they never change.
        self._registry = registry = CollectorRegistry()
        self.requests = Counter(
            "neumo_web_requests_total",
            "Requests that were answered.",
            ("route", "method", "status"),
            registry=registry,
        )
        self.seconds = Histogram(
            "neumo_web_request_seconds",
            "From a request's head to its answer's end.",
            ("route",),
            registry=registry,
            buckets=_SECONDS,
        )
        self.predictions = Counter(
            "neumo_web_predictions_total",
            "Films that were answered with a prediction.",
            ("release", "label"),
            registry=registry,
        )
        self.disagreements = Counter(
            "neumo_web_disagreements_total",
            "Predictions whose members were not of one mind.",
            ("release",),
            registry=registry,
        )
        self.probabilities = Histogram(
            "neumo_web_probability",
            "Probabilities of pneumonia.",
            ("release",),
            registry=registry,
            buckets=_TENTHS,
        )
        self.film_seconds = Histogram(
            "neumo_web_film_seconds",
            "What the SDK took for a film.",
            ("release",),
            registry=registry,
            buckets=_SECONDS,
        )
        self.problems = Counter(
            "neumo_web_problems_total",
            "Films and requests that ended in a problem.",
            ("type",),
            registry=registry,
        )
        self.refusals = Counter(
            "neumo_web_refusals_total",
            "Films that the release which was ready held to be no chest radiographs.",
            ("release",),
            registry=registry,
        )
        self.wrong_tokens = Counter(
            "neumo_web_wrong_tokens_total", "Requests with a wrong token.", registry=registry
        )
        self._shadowed = Counter(
            "neumo_web_shadow_films_total",
            "Films of the shadow: same, flip, refusal, failure or dropped.",
            ("outcome",),
            registry=registry,
        )
        self._shadow_state = Gauge(
            "neumo_web_shadow_state",
            "1 for what the shadow says of a canary: undecided, same or different.",
            ("stable", "canary", "state"),
            registry=registry,
        )
        self._films = Gauge(
            "neumo_web_films_at_once", "Films that are asked about now.", registry=registry
        )
        self._held = Gauge(
            "neumo_web_held_bytes", "Uploads that are in memory now.", registry=registry
        )

    def found(self, outcomes: Iterable[Prediction | Problem]) -> None:
        """Count what came of some films."""
        for outcome in outcomes:
            if isinstance(outcome, Problem):
                self.refused(outcome)
            else:
                self._predicted(outcome)

    def refused(self, problem: Problem) -> None:
        """Count a problem."""
        self.problems.labels(problem.type).inc()

    def answered(self, route: str, method: str, status: int, seconds: float) -> None:
        """Count a request, and time it."""
        self.requests.labels(route, method, str(status)).inc()
        self.seconds.labels(route).observe(seconds)

    def no_chests(self, films: int, release: int | None) -> None:
        """Count films that were held to be no chest radiographs while ``release`` was ready."""
        if films:
            self.refusals.labels(_release(release)).inc(films)

    def shadowed(self, outcome: str) -> None:
        """Count a film of the shadow."""
        self._shadowed.labels(outcome).inc()

    def page(self, films: int, held_bytes: int, comparisons: tuple[Comparison, ...] = ()) -> bytes:
        """The page, with how much is under way now, and what the shadow says now."""
        self._shadow_state.clear()
        for one in comparisons:
            releases = (_release(one.stable_release), _release(one.canary_release))
            self._shadow_state.labels(*releases, one.state.value).set(1)
        self._films.set(films)
        self._held.set(held_bytes)
        return generate_latest(_WithoutTimes(self._registry))

    def _predicted(self, prediction: Prediction) -> None:
        release = str(prediction.release)
        self.predictions.labels(release, prediction.label).inc()
        self.probabilities.labels(release).observe(prediction.probability)
        self.film_seconds.labels(release).observe(prediction.seconds)
        if not prediction.unanimous:
            self.disagreements.labels(release).inc()


def _release(release: int | None) -> str:
    return "" if release is None else str(release)
