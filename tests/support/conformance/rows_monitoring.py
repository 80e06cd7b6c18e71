"""What Prometheus reads."""

from __future__ import annotations

import re

from support.conformance.rows import RestRow

PATH = "/monitoring/prometheus/metrics"
EXPORTER = "util/prometheus_exporter.cc"
METRICS = "servables/tensorflow/util.cc"
COUNT = r'^:tensorflow:serving:request_count\{model_name="[^"]+",status="[A-Z_]+"\} \d+$'
LATENCY = (
    r'^:tensorflow:serving:request_latency_bucket\{model_name="[^"]+",API="[^"]+",'
    r'entrypoint="[A-Z]+",le="[^"]+"\} \d+$'
)

ROWS = [
    RestRow(
        "requests are counted by model and status",
        PATH,
        METRICS,
        raw=re.compile(COUNT, re.MULTILINE),
    ),
    RestRow(
        "the time of requests is a histogram by model, API and entry point",
        PATH,
        METRICS,
        raw=re.compile(LATENCY, re.MULTILINE),
    ),
    RestRow(
        "each metric's type is told",
        PATH,
        EXPORTER,
        raw="# TYPE :tensorflow:serving:request_latency histogram",
    ),
    RestRow(
        "the page's content type is plain text",
        PATH,
        "model_servers/http_server.cc",
        answer_headers={"Content-Type": "text/plain"},
    ),
]
