"""The metrics that TensorFlow Serving exports of its models, and what counts for each.

Sources: ``servables/tensorflow/util.cc``, ``saved_model_warmup_util.cc``,
``core/request_logger.cc`` and ``batching/batching_session.cc`` of TensorFlow Serving;
``cc/saved_model/loader.cc`` and ``core/framework/metrics.cc`` of TensorFlow.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from neumo_serving.monitoring.metrics import Counter, Histogram, exponential
from neumo_serving.request_faults import Fault

_LATENCY_MICROS = exponential(10, 1.8, 33)
_EXAMPLES = exponential(1, 2, 15)

LOAD_ATTEMPTS = Counter("/tensorflow/cc/saved_model/load_attempt_count", ("model_path", "status"))
# A sum, not a histogram: upstream's has no buckets.
LOAD_LATENCY = Counter("/tensorflow/cc/saved_model/load_latency", ("model_path",))
GRAPH_RUN_TIME = Counter("/tensorflow/core/graph_run_time_usecs")
GRAPH_RUNS = Counter("/tensorflow/core/graph_runs")
QUEUEING = Histogram(
    "/tensorflow/serving/batching_session/queuing_latency",
    ("thread_pool_name",),
    exponential(100, 1.2, 52),
)
BATCHES = Counter("/tensorflow/serving/batching_session/wrapped_run_count")
WARMUP_LATENCY = Histogram(
    "/tensorflow/serving/model_warmup_latency", ("model_path", "status"), _LATENCY_MICROS
)
REQUESTS = Counter("/tensorflow/serving/request_count", ("model_name", "status"))
EXAMPLES_TOTAL = Counter("/tensorflow/serving/request_example_count_total", ("model",))
EXAMPLES = Histogram("/tensorflow/serving/request_example_counts", ("model",), _EXAMPLES)
REQUEST_LATENCY = Histogram(
    "/tensorflow/serving/request_latency", ("model_name", "API", "entrypoint"), _LATENCY_MICROS
)
# Stays at nothing, as upstream's does without a logging configuration: the page lists it.
REQUEST_LOGS = Counter("/tensorflow/serving/request_log_count", ("model_name", "status_code"))
RUNTIME_LATENCY = Histogram(
    "/tensorflow/serving/runtime_latency", ("model_name", "API", "runtime"), _LATENCY_MICROS
)

METRICS: tuple[Counter | Histogram, ...] = (
    LOAD_ATTEMPTS,
    LOAD_LATENCY,
    GRAPH_RUN_TIME,
    GRAPH_RUNS,
    QUEUEING,
    BATCHES,
    WARMUP_LATENCY,
    REQUESTS,
    EXAMPLES_TOTAL,
    EXAMPLES,
    REQUEST_LATENCY,
    REQUEST_LOGS,
    RUNTIME_LATENCY,
)
"""By their names, as upstream's page lists them."""

GRPC, REST = "GRPC", "REST"
_RUNTIME = "TF1"
"""The runtime's name upstream, where TensorFlow Serving runs a session."""


@contextmanager
def request(model: str, api: str, entrypoint: str) -> Iterator[None]:
    """A request is answered inside: counted by its status, and timed where it succeeds."""
    started = time.perf_counter()
    try:
        yield
    except Fault as fault:
        REQUESTS.add((model, fault.code))
        raise
    except Exception:
        REQUESTS.add((model, "INTERNAL"))
        raise
    # Only what succeeds is timed, as upstream: refusals are quick and would hide slow answers.
    REQUESTS.add((model, "OK"))
    REQUEST_LATENCY.add((model, api, entrypoint), _micros_since(started))


@contextmanager
def run(model: str, api: str) -> Iterator[None]:
    """TensorFlow runs a signature of ``model`` inside."""
    started = time.perf_counter()
    yield
    # No finally: a run that failed is no run of the graph.
    micros = _micros_since(started)
    RUNTIME_LATENCY.add((model, api, _RUNTIME), micros)
    GRAPH_RUNS.add(())
    GRAPH_RUN_TIME.add((), int(micros))


def examples(model: str, count: int) -> None:
    """A request brought ``count`` examples to classify or to regress."""
    EXAMPLES.add((model,), count)
    EXAMPLES_TOTAL.add((model,), count)


def batch(pool: str, waited_s: Sequence[float]) -> None:
    """A batch was run, of requests that were in the queue of ``pool`` so long."""
    BATCHES.add(())
    for seconds in waited_s:
        QUEUEING.add((pool,), seconds * 1e6)


@contextmanager
def load(path: str) -> Iterator[None]:
    """The version at ``path`` is loaded inside."""
    started = time.perf_counter()
    try:
        yield
    except Fault:
        LOAD_ATTEMPTS.add((path, "fail"))
        raise
    LOAD_ATTEMPTS.add((path, "success"))
    LOAD_LATENCY.add((path,), int(_micros_since(started)))


@contextmanager
def warmup(path: str) -> Iterator[None]:
    """The warm-up requests of the version at ``path`` are answered inside."""
    started = time.perf_counter()
    try:
        yield
    except Fault as fault:
        WARMUP_LATENCY.add((path, fault.code), _micros_since(started))
        raise
    WARMUP_LATENCY.add((path, "OK"), _micros_since(started))


def _micros_since(started: float) -> float:
    return (time.perf_counter() - started) * 1e6
