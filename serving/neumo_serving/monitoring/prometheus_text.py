"""Prometheus' text format.

Source: ``util/prometheus_exporter.cc``, whose names, labels and order this follows to the byte: it
is by hand for that, as the gateway's page (``prometheus_client``) is not.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator

from neumo_serving.monitoring.metrics import Counter, Histogram, Labels

DEFAULT_PATH = "/monitoring/prometheus/metrics"
CONTENT_TYPE = b"text/plain"


def page(metrics: Iterable[Counter | Histogram]) -> bytes:
    """The page with ``metrics``."""
    return "".join(f"{line}\n" for metric in metrics for line in _lines(metric)).encode()


def _lines(metric: Counter | Histogram) -> Iterator[str]:
    name = _metric_name(metric.name)
    yield f"# TYPE {name} {metric.kind}"
    if not isinstance(metric, Histogram):
        for values, value in metric.cells().items():
            yield f"{name}{{{_labels(metric.labels, values)}}} {value}"
        return
    for values, (buckets, total) in metric.cells().items():
        labels = _labels(metric.labels, values)
        # Prometheus' buckets hold all below their limit, TensorFlow's what is between two.
        reached = 0
        for limit, count in zip(metric.limits, buckets, strict=True):
            reached += count
            yield f'{name}_bucket{{{labels},le="{_limit(limit)}"}} {reached}'
        yield f"{name}_sum{{{labels}}} {total!r}"
        yield f"{name}_count{{{labels}}} {reached}"


def _metric_name(name: str) -> str:
    # So the slashes become colons: :tensorflow:serving:request_count.
    return re.sub(r"[^a-zA-Z0-9_]", ":", name)


def _labels(names: Labels, values: Labels) -> str:
    return ",".join(
        f'{name}="{_escaped(value)}"' for name, value in zip(names, values, strict=True)
    )


def _escaped(value: str) -> str:
    # Upstream forgets the line feed, which Prometheus cannot read raw.
    return value.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")


def _limit(limit: float) -> str:
    # Six digits, as C++ writes a double.
    return "+Inf" if math.isinf(limit) else f"{limit:g}"
