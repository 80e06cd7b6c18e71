"""Prometheus' page (prometheus_exporter.cc, http_server.cc, servables/tensorflow/util.cc)."""

from __future__ import annotations

import numpy as np
import pytest
import requests
from prometheus_client.parser import text_string_to_metric_families

from neumo._wire import grpc_messages
from neumo.testing import EmbeddedServer
from neumo_serving.config import flags, monitoring_config
from neumo_serving.monitoring import prometheus_text
from neumo_serving.monitoring.metrics import MAX_CELLS, Counter, Histogram, exponential
from support.patience import patience
from support.toy_model import MODEL, connected, save_toy

X = np.array([[1.0, 2.0]], np.float32)
PAGE = "/monitoring/prometheus/metrics"


@pytest.fixture(scope="module")
def warmed(tmp_path_factory):
    """A store with a version that warms up."""
    folder = tmp_path_factory.mktemp("store") / MODEL
    folder.mkdir()
    save_toy(folder, 2, warmup=grpc_messages.warmup_record(MODEL, "serving_default", {"x": X}))
    return folder


@pytest.fixture(scope="module")
def monitored(warmed, tmp_path_factory):
    """A server with the page."""
    path = tmp_path_factory.mktemp("config") / "monitoring.config"
    path.write_text("prometheus_config { enable: true }")
    model = [f"--model_name={MODEL}", f"--model_base_path={warmed}"]
    with EmbeddedServer([*model, f"--monitoring_config_file={path}"]) as server:
        found = connected(server)
        yield found
        found.channel.close()


def samples(running):
    """The page's numbers, by name and labels; this parser renames counters to ``_total``."""
    answer = requests.get(running.rest + PAGE, timeout=patience(60))
    assert answer.headers["content-type"] == "text/plain"
    return {
        (one.name.removesuffix("_total"), *sorted(one.labels.items())): one.value
        for family in text_string_to_metric_families(answer.text)
        for one in family.samples
    }


def grown(before, after):
    """What is more than before, histograms' buckets and sums left out."""
    return {
        key: value - before.get(key, 0)
        for key, value in after.items()
        if value != before.get(key, 0) and not key[0].endswith(("_bucket", "_sum"))
    }


def counted(status):
    """The key of a request of that status."""
    return (":tensorflow:serving:request_count", ("model_name", MODEL), ("status", status))


def latency(api, entrypoint):
    """The key of the number of requests that were timed."""
    labels = (("API", api), ("entrypoint", entrypoint), ("model_name", MODEL))
    return (":tensorflow:serving:request_latency_count", *labels)


RUNTIME = (
    ":tensorflow:serving:runtime_latency_count",
    ("API", "Predict"),
    ("model_name", MODEL),
    ("runtime", "TF1"),
)
RUNS = (":tensorflow:core:graph_runs",)
RUN_TIME = (":tensorflow:core:graph_run_time_usecs",)


def test_a_request_over_grpc_is_counted_and_timed(monitored):
    """By model, status, method and port."""
    before = samples(monitored)
    monitored.predict({"x": X})
    found = grown(before, samples(monitored))
    assert found.pop(RUN_TIME) > 0
    assert found == {counted("OK"): 1, latency("Predict", "GRPC"): 1, RUNTIME: 1, RUNS: 1}


def test_a_request_over_rest_is_counted_and_timed(monitored):
    """Upstream writes its method in lower case there."""
    before = samples(monitored)
    url = f"{monitored.rest}/v1/models/{MODEL}:predict"
    assert requests.post(url, json={"instances": [[1.0, 2.0]]}, timeout=patience(60)).ok
    found = grown(before, samples(monitored))
    assert found.pop(RUN_TIME) > 0
    assert found == {counted("OK"): 1, latency("predict", "REST"): 1, RUNTIME: 1, RUNS: 1}


def test_a_request_that_fails_is_counted_and_not_timed(monitored):
    """By the name of its code."""
    before = samples(monitored)
    url = f"{monitored.rest}/v1/models/{MODEL}:predict"
    assert not requests.post(url, b"{}", timeout=patience(60)).ok
    assert grown(before, samples(monitored)) == {counted("INVALID_ARGUMENT"): 1}


def test_latencies_are_in_upstreams_buckets(monitored):
    """Of microseconds, each 1.8 times the one before."""
    monitored.predict({"x": X})
    name = ":tensorflow:serving:request_latency_bucket"
    limits = {dict(labels).get("le") for found, *labels in samples(monitored) if found == name}
    assert {"10", "18", "32.4", "+Inf"} < limits
    assert len(limits) == 34


def test_loads_and_warm_ups_are_told(monitored, warmed):
    """By the version's folder, as TensorFlow does."""
    found = samples(monitored)
    path = ("model_path", str(warmed / "2"))
    assert found[":tensorflow:cc:saved_model:load_attempt_count", path, ("status", "success")] == 1
    assert found[":tensorflow:cc:saved_model:load_latency", path] > 0
    assert found[":tensorflow:serving:model_warmup_latency_count", path, ("status", "OK")] == 1


def test_the_page_knows_no_query(monitored):
    """Upstream compares the whole path (http_server.cc)."""
    answer = requests.get(f"{monitored.rest}{PAGE}?a=b", timeout=patience(60))
    assert answer.status_code == 400
    assert answer.text == f"Unexpected path: {PAGE}?a=b. Should be {PAGE}"


def test_there_is_no_page_by_default(running):
    """Nor any hint of one."""
    assert requests.get(running.rest + PAGE, timeout=patience(60)).status_code == 404


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("", None),
        ('prometheus_config { path: "/m" }', None),
        ("prometheus_config { enable: true }", PAGE),
        ('prometheus_config { enable: true path: "/m" }', "/m"),
    ],
)
def test_the_page_is_where_the_file_says(tmp_path, text, path):
    """If it is to be at all."""
    (tmp_path / "m").write_text(text)
    options = flags.parse([f"--monitoring_config_file={tmp_path / 'm'}"])
    assert monitoring_config.page_path(options) == path


def test_any_label_can_be_read_back():
    """Backslash, quote and line feed are escaped."""
    odd = 'a\\b"c\nd}{,='
    counter = Counter("/x/y-z", ("who",))
    counter.add((odd,), 7)
    (family,) = text_string_to_metric_families(prometheus_text.page([counter]).decode())
    (sample,) = family.samples
    assert (family.name, sample.labels, sample.value) == (":x:y:z", {"who": odd}, 7)


def test_a_histogram_counts_up_to_each_limit():
    """Cumulatively, as Prometheus wants it."""
    histogram = Histogram("/h", ("m",), exponential(1, 2, 3))
    for observed in (0.5, 1.5, 3.0, 100.0):
        histogram.add(("a",), observed)
    assert prometheus_text.page([histogram]).decode().splitlines() == [
        "# TYPE :h histogram",
        ':h_bucket{m="a",le="1"} 1',
        ':h_bucket{m="a",le="2"} 2',
        ':h_bucket{m="a",le="4"} 3',
        ':h_bucket{m="a",le="+Inf"} 4',
        ':h_sum{m="a"} 105.0',
        ':h_count{m="a"} 4',
    ]


def test_names_that_clients_make_up_do_not_fill_memory():
    """The first thousand are told, and go on growing."""
    counter, histogram = Counter("/c", ("m",)), Histogram("/h", ("m",), (1.0,))
    for number in range(MAX_CELLS + 10):
        counter.add((str(number),))
        histogram.add((str(number),), 1.0)
    counter.add(("0",))
    assert counter.cells()["0",] == 2
    assert len(counter.cells()) == len(histogram.cells()) == MAX_CELLS
