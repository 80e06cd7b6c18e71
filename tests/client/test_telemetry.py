"""What an application sees in OpenTelemetry, and what it must never see there or in a log."""

from __future__ import annotations

import asyncio
import logging
import subprocess
import sys

import grpc
import numpy as np
import pytest
from PIL import Image

import neumo
from neumo._wire.calls import Predict
from neumo.testing import FakeTransport, answering
from support.fake_clients import FILM, RESIDUAL, TUNED, client
from support.grey_servers import GreyServer, served_by_grpc, served_by_rest
from support.grpc_server import grpc_server

pytest.importorskip("opentelemetry.sdk", reason="OpenTelemetry's SDK is not installed")
from opentelemetry import metrics, trace
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import (
    InMemorySpanExporter,
)

WORKING = answering({TUNED: 0.75, RESIDUAL: 0.125}, release=3)
PREDICT = "tensorflow.serving.PredictionService/Predict"
NAME = "Maria_Exempel_1931"


@pytest.fixture(scope="session")
def exported():
    """Where spans and metrics of this process end up: OpenTelemetry is set up only once."""
    spans, reader = InMemorySpanExporter(), InMemoryMetricReader()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(spans))
    trace.set_tracer_provider(provider)
    metrics.set_meter_provider(MeterProvider([reader]))
    return spans, reader


@pytest.fixture
def spans(exported):
    """The spans of one test."""
    exported[0].clear()
    return exported[0]


def named(spans, name):
    """The finished spans called ``name``."""
    return [span for span in spans.get_finished_spans() if span.name == name]


def test_a_prediction_is_a_span_and_each_call_a_span_in_it(spans):
    """They say which model and release answered."""
    client(WORKING)[0].predict(FILM)
    (whole,) = named(spans, "neumo.predict")
    calls = named(spans, PREDICT)
    assert dict(whole.attributes) == {"neumo.films": 1, "neumo.release": 3}
    assert {span.attributes["neumo.model"] for span in calls} == {TUNED, RESIDUAL}
    for span in calls:
        assert span.parent.span_id == whole.context.span_id
        assert span.attributes["neumo.release"] == 3
        assert span.kind is trace.SpanKind.CLIENT


def test_the_applications_own_span_is_the_parent(spans):
    """Also where many films are asked about on other threads, and under asyncio."""
    tracer = trace.get_tracer("application")
    with tracer.start_as_current_span("visit") as visit:
        list(client(WORKING)[0].predict_many([FILM, FILM], batch_size=2))
        asyncio.run(neumo.AsyncClient(transport=FakeTransport(WORKING)).predict(FILM))
    parents = [span.parent.span_id for span in named(spans, "neumo.predict")]
    assert parents == [visit.get_span_context().span_id] * 2


def test_calls_awaited_on_grpcs_own_event_loop_are_spans_of_the_task_that_asks(spans):
    """One that fails says how."""

    def answer(request, context):
        if RESIDUAL.encode() in request:
            context.abort(grpc.StatusCode.INTERNAL, "broken")
        return b""

    async def ask(url):
        async with neumo.AsyncClient(url) as asking:
            tracer = trace.get_tracer("application")
            with (
                tracer.start_as_current_span("visit") as visit,
                pytest.raises(neumo.ServingError),
            ):
                await asking.status()
            return visit

    with grpc_server(answer) as url:
        visit = asyncio.run(ask(url))
    answered, failed = named(spans, "tensorflow.serving.ModelService/GetModelStatus")
    assert "error.type" not in answered.attributes
    assert failed.attributes["error.type"] == "ServingError"
    for span in (answered, failed):
        assert span.parent.span_id == visit.get_span_context().span_id


@pytest.mark.parametrize("served", [served_by_grpc, served_by_rest], ids=["grpc", "rest"])
@pytest.mark.parametrize("hedge", [None, 30.0])
def test_the_trace_leaves_the_process(spans, served, hedge):
    """Each call carries its own span as the server's parent, of both clients."""

    async def ask(url):
        async with neumo.AsyncClient(url, hedge=hedge) as asking:
            await asking.predict(FILM)

    server = GreyServer("127.0.0.1")
    scheme = "grpc" if served is served_by_grpc else "http"
    with served(server) as port, trace.get_tracer("application").start_as_current_span("visit"):
        url = f"{scheme}://127.0.0.1:{port}"
        with neumo.Client(url, hedge=hedge) as asking:
            asking.predict(FILM)
        asyncio.run(ask(url))
    calls = [span for span in spans.get_finished_spans() if span.kind is trace.SpanKind.CLIENT]
    sent = [f"00-{span.context.trace_id:032x}-{span.context.span_id:016x}" for span in calls]
    assert sorted(headers["traceparent"][:-3] for headers in server.headers) == sorted(sent)
    assert len(sent) >= 10


def test_an_applications_own_header_is_not_replaced(spans):
    """What ``metadata`` says goes out once."""
    server = GreyServer("127.0.0.1")
    own = {"traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"}
    for served, scheme in ((served_by_grpc, "grpc"), (served_by_rest, "http")):
        with (
            served(server) as port,
            neumo.Client(f"{scheme}://127.0.0.1:{port}", metadata=own) as asking,
        ):
            asking.status()
        assert server.headers[-1]["traceparent"] == own["traceparent"]


def test_a_failed_call_is_an_error_without_the_film(spans):
    """Its class is told, not what the server said of the input."""

    def answer(call):
        if isinstance(call, Predict):
            raise neumo.InvalidRequest(call.model, "fake://", f"bad pixels of {NAME}")
        return WORKING(call)

    with pytest.raises(neumo.InvalidRequest):
        client(answer)[0].predict(FILM)
    call = named(spans, PREDICT)[0]
    assert call.status.status_code is trace.StatusCode.ERROR
    assert call.attributes["error.type"] == "InvalidRequest"
    assert NAME not in "".join(span.to_json() for span in spans.get_finished_spans())


def test_no_verdict_is_in_a_span(spans):
    """Whether a child is ill is nobody's trace."""
    client(WORKING)[0].predict(FILM)
    text = "".join(span.to_json() for span in spans.get_finished_spans())
    assert "PNEUMONIA" not in text
    assert "0.4375" not in text


def test_durations_are_measured_by_model_and_release(exported):
    """Two histograms: of calls, and of whole predictions."""
    client(WORKING)[0].predict(FILM)
    found = {
        (metric.name, tuple(sorted(point.attributes.items()))): point.count
        for resource in exported[1].get_metrics_data().resource_metrics
        for scope in resource.scope_metrics
        for metric in scope.metrics
        for point in metric.data.data_points
    }
    labels = {"neumo.model": TUNED, "neumo.release": 3, "rpc.method": PREDICT}
    assert found["neumo.call.duration", tuple(sorted(labels.items()))] >= 1
    assert found["neumo.prediction.duration", (("neumo.release", 3),)] >= 1


def test_without_opentelemetry_everything_works():
    """It is not one of the SDK's dependencies."""
    code = (
        "import sys; sys.modules['opentelemetry'] = None\n"
        "import neumo\n"
        "from neumo.release import phantom\n"
        "from neumo.testing import FakeTransport, answering\n"
        "answer = answering({'pneumonia_tuned': .5, 'pneumonia_residual': .5})\n"
        "client = neumo.Client(transport=FakeTransport(answer))\n"
        "print(client.predict(phantom.draw(1, 1)[0]).release)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "1\n"), done.stderr


@pytest.mark.parametrize("url", ["grpc://127.0.0.1:1", "http://127.0.0.1:1"])
def test_no_log_above_debug_tells_of_a_film(url, tmp_path, caplog):
    """Not its path, on any way that a prediction can go wrong."""
    caplog.set_level(logging.INFO)
    film = tmp_path / f"{NAME}.png"
    Image.fromarray(np.zeros((64, 64), np.uint8)).save(film)
    broken = tmp_path / f"{NAME}.dcm"
    broken.write_bytes(b"\0" * 128 + b"DICM" + NAME.encode())
    with neumo.Client(url, retries=1, timeout=2) as asking:
        for path in (film, broken, tmp_path / f"{NAME}.jpeg"):
            with pytest.raises(neumo.NeumoError) as raised:
                asking.predict(path)
            assert NAME not in str(raised.value)
    list(client(WORKING)[0].predict_many([film, broken]))
    assert NAME not in caplog.text


def test_timings_say_where_the_time_went():
    """Reading, encoding, and the wire for each model."""
    prediction = client(WORKING)[0].predict(FILM)
    timings = prediction.timings
    assert 0 < timings.decode_seconds <= prediction.seconds
    assert timings.encode_seconds >= 0
    assert set(timings.wire_seconds) == {TUNED, RESIDUAL}
