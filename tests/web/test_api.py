"""Films in, answers out: the same as the SDK's."""

from __future__ import annotations

import asyncio
import base64
import gzip
import io
import json

import numpy as np
import pytest
from PIL import Image
from prometheus_client.parser import text_string_to_metric_families

import neumo
from neumo import release
from neumo_serving.gateway import contours
from neumo_serving.gateway.gateway_metrics import Measures
from neumo_serving.gateway.large_films import LARGE_PIXELS
from support import films
from support.gateway_process import ask, form, request
from support.patience import patience

SAME = 1e-5
NEWEST = release.newest(release.shipped()).release


@pytest.fixture(scope="module")
def sdk(neumo_server):
    """The SDK, asking the same server."""
    with neumo.Client(neumo_server.grpc_url, timeout=patience(60)) as client:
        yield client


def asked(web, *arguments, **named):
    """The answer to one request."""
    return asyncio.run(ask(web.port, request(*arguments, **named)))


@pytest.mark.parametrize(
    ("kind", "media_type"),
    [
        ("JPEG", "image/jpeg"),
        ("PNG", "image/png"),
        ("WEBP", "image/webp"),
        ("TIFF", "image/tiff"),
        ("DICOM", "application/dicom"),
        ("BMP", "application/octet-stream"),
    ],
)
def test_a_film_sent_bare_is_answered_as_by_the_sdk(web, sdk, kind, media_type):
    """Every format, to 0.00001, with the same warnings."""
    film = films.file(kind)
    answer = asked(web, "/v1/predictions", film, {"Content-Type": media_type})
    assert answer.status == 200
    (result,) = answer.json["results"]
    found, expected = result["prediction"], sdk.predict(film)
    assert found["probability"] == pytest.approx(expected.probability, abs=SAME)
    assert found["threshold"] == pytest.approx(expected.threshold, abs=SAME)
    assert [m["probability"] for m in found["members"]] == pytest.approx(
        [m.probability for m in expected.members], abs=SAME
    )
    assert (found["label"], found["release"]) == (expected.label, expected.release)
    assert found["warnings"] == [{"code": w.code, "text": w.text} for w in expected.warnings]
    assert result["problem"] is None


def test_several_films_are_answered_each_in_its_place(web, sdk):
    """One that cannot be read does not spoil the others."""
    sent = [films.file("PNG", 1), b"no film", films.file("DICOM", 2)]
    answer = asked(web, "/v1/predictions", *form(*sent))
    assert answer.status == 200
    results = answer.json["results"]
    assert [result["index"] for result in results] == [0, 1, 2]
    for number in (0, 2):
        expected = sdk.predict(sent[number]).probability
        assert results[number]["prediction"]["probability"] == pytest.approx(expected, abs=SAME)
        assert results[number]["problem"] is None
    assert results[1]["prediction"] is None
    assert results[1]["problem"]["type"] == "urn:neumo:problem:image"
    assert results[1]["problem"]["status"] == 422


def test_a_form_of_one_film_that_cannot_be_read_is_that_films_problem(web):
    """Not an answer with a problem inside."""
    answer = asked(web, "/v1/predictions", *form(b"no film"))
    assert answer.status == 422
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json["type"] == "urn:neumo:problem:image"


@pytest.mark.parametrize("is_form", [False, True])
def test_an_explanation_is_the_sdks(web, sdk, is_form):
    """Heat map as a picture and as numbers, the lungs, the film, its original size."""
    film = films.file("DICOM", 3)
    body, headers = form(film) if is_form else (film, {"Content-Type": "application/dicom"})
    answer = asked(web, "/v1/explanations", body, headers)
    assert answer.status == 200
    found, expected = answer.json, sdk.explain(film)
    assert found["prediction"]["probability"] == pytest.approx(
        expected.prediction.probability, abs=SAME
    )
    values = np.array(found["heatmap"]["values"])
    assert values.shape == (256, 256)
    np.testing.assert_allclose(values, expected.heatmap, atol=0.0006)
    np.testing.assert_allclose(picture(found["heatmap"]) / 255, expected.heatmap, atol=0.003)
    np.testing.assert_array_equal(picture(found["film"]), expected.film)
    assert (found["film"]["width_px"], found["film"]["height_px"]) == films.SIZE_PX
    outlines = [[list(point) for point in line] for line in contours.trace(expected.lungs)]
    assert found["lungs"]["contours"] == outlines
    assert found["heat_in_lungs"] == pytest.approx(expected.heat_in_lungs, abs=SAME)


def picture(document):
    """The pixels of a PNG in an answer."""
    image = Image.open(io.BytesIO(base64.b64decode(document["png"])))
    assert image.mode == "L"
    return np.asarray(image)


@pytest.mark.parametrize(
    ("accepted", "is_packed"),
    [("gzip, deflate, br", True), ("", False), ("gzip;q=0", False), ("br", False)],
)
def test_a_heat_map_is_packed_for_who_takes_it_so(web, accepted, is_packed):
    """To less than a quarter; the same JSON."""
    film = films.file("PNG")
    plain = asked(web, "/v1/explanations", film)
    answer = asked(web, "/v1/explanations", film, {"Accept-Encoding": accepted})
    assert answer.headers["vary"] == "accept-encoding"
    assert ("content-encoding" in answer.headers) == is_packed
    if is_packed:
        assert len(answer.body) < len(plain.body) / 4
    body = gzip.decompress(answer.body) if is_packed else answer.body
    assert json.loads(body)["heatmap"] == plain.json["heatmap"]


@pytest.mark.slow
@pytest.mark.parametrize("path", ["/v1/predictions", "/v1/explanations"])
def test_a_large_film_is_answered_as_by_the_sdk(web, sdk, path):
    """Though it is read apart from others, with the same warnings, and its original size."""
    film = films.enlarged(9)
    assert LARGE_PIXELS < 9 * 9 * 640 * 480
    answer = asked(web, path, film)
    assert answer.status == 200
    found = answer.json["results"][0] if "results" in answer.json else answer.json
    expected = sdk.predict(film)
    assert found["prediction"]["probability"] == pytest.approx(expected.probability, abs=SAME)
    assert [w["code"] for w in found["prediction"]["warnings"]] == [
        w.code for w in expected.warnings
    ]
    if "film" in found:
        assert (found["film"]["width_px"], found["film"]["height_px"]) == (9 * 640, 9 * 480)


@pytest.mark.slow
def test_large_films_among_others_keep_their_places(web, sdk):
    """Also one that is damaged."""
    large = films.enlarged(9)
    sent = [films.file("PNG", 1), large, large[:-1000], films.file("PNG", 2)]
    results = asked(web, "/v1/predictions", *form(*sent)).json["results"]
    assert [result["index"] for result in results] == [0, 1, 2, 3]
    assert results[2]["problem"]["type"] == "urn:neumo:problem:image"
    for number in (0, 1, 3):
        expected = sdk.predict(sent[number]).probability
        found = results[number]["prediction"]["probability"]
        assert found == pytest.approx(expected, abs=SAME)


def test_the_status_tells_models_release_and_limits(web):
    """What the page needs to know before the first film."""
    found = asked(web, "/v1/status", verb="GET").json
    assert found["ready"] is True
    assert found["release"] == NEWEST
    names = ["pneumonia_tuned", "pneumonia_residual", "lungs"]
    assert [one["model"] for one in found["models"]] == names
    assert {"version": NEWEST, "state": "AVAILABLE", "ready": True, "error": ""} in (
        found["models"][0]["versions"]
    )
    assert found["limits"] == {
        "max_films": 32,
        "max_film_bytes": 64 * 2**20,
        "max_request_bytes": 128 * 2**20,
    }


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
def test_it_lives_and_is_ready(web, path):
    """Both are 200 and say ok."""
    answer = asked(web, path, verb="GET")
    assert (answer.status, answer.json) == (200, {"status": "ok"})


def metrics(web):
    """The answer to whoever asks for metrics."""
    return asyncio.run(ask(web.operators_port, request("/metrics", verb="GET")))


def test_metrics_tell_predictions_by_release(web):
    """In Prometheus' text, with nothing in the labels that a client sent."""
    asked(web, "/v1/predictions", films.file("PNG"))
    asked(web, "/secret-name", verb="GET")
    answer = metrics(web)
    assert answer.headers["content-type"].startswith("text/plain")
    text = answer.body.decode()
    samples = [s for family in text_string_to_metric_families(text) for s in family.samples]
    told = [(s.name, s.labels) for s in samples if s.value]
    predicted = [labels for name, labels in told if name == "neumo_web_predictions_total"]
    assert {labels["release"] for labels in predicted} == {str(NEWEST)}
    assert all(labels.keys() == {"release", "label"} for labels in predicted)
    assert ("neumo_web_probability_count", {"release": str(NEWEST)}) in told
    for route, method, status in (("/v1/predictions", "POST", "200"), ("other", "GET", "404")):
        labels = {"route": route, "method": method, "status": status}
        assert ("neumo_web_requests_total", labels) in told
    assert "secret" not in text


def test_the_names_of_the_metrics_are_those_of_the_dashboards(web):
    """Each with its labels and a line that tells what it is; none besides."""
    asked(web, "/v1/predictions", films.file("PNG"))
    asked(web, "/v1/predictions", b"no film")
    text = metrics(web).body.decode()
    families = {one.name: one for one in text_string_to_metric_families(text)}
    labels = {
        "neumo_web_requests": {"route", "method", "status"},
        "neumo_web_request_seconds": {"route"},
        "neumo_web_predictions": {"release", "label"},
        "neumo_web_disagreements": {"release"},
        "neumo_web_probability": {"release"},
        "neumo_web_film_seconds": {"release"},
        "neumo_web_problems": {"type"},
        "neumo_web_refusals": {"release"},
        "neumo_web_wrong_tokens": set(),
        "neumo_web_shadow_films": {"outcome"},
        "neumo_web_shadow_state": {"stable", "canary", "state"},
        "neumo_web_films_at_once": set(),
        "neumo_web_held_bytes": set(),
    }
    assert families.keys() == labels.keys()
    for name, family in families.items():
        assert family.documentation
        assert all(set(s.labels) - {"le"} == labels[name] for s in family.samples)


def test_two_gateways_in_one_process_count_apart():
    """Each has metrics of its own."""
    first, second = Measures(), Measures()
    first.answered("/healthz", "GET", 200, 0.01)
    assert b"neumo_web_requests_total{" in first.page(0, 0)
    assert b"neumo_web_requests_total{" not in second.page(0, 0)


def test_the_page_is_kept_by_browsers_until_it_changes(web):
    """It has an ETag, by which it is not sent again."""
    answer = asked(web, "/", verb="GET")
    assert answer.status == 200
    assert answer.headers["content-type"].startswith("text/html")
    assert answer.headers["cache-control"] == "no-cache"
    again = asked(web, "/", headers={"If-None-Match": answer.headers["etag"]}, verb="GET")
    assert (again.status, again.body) == (304, b"")
    same = asked(web, "/page/index.html", verb="GET")
    assert same.body == answer.body


@pytest.mark.parametrize("path", ["/page/../app.py", "/page/%2e%2e/app.py", "/page/nothing.js"])
def test_nothing_but_the_page_is_a_file(web, path):
    """No path leads out of its folder."""
    assert asked(web, path, verb="GET").status == 404
