"""Faults on request: what ``--neumo_faults`` makes of calls on both transports."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import time

import grpc
import numpy as np
import pytest
import requests

from neumo.errors import ConfigError
from neumo.testing import EmbeddedServer
from neumo_serving.fault_injection.fault_rules import GRPC, LOAD, REST, FaultPlan, Occasion, parse
from support.patience import patience
from support.toy_model import MODEL, connected, predict_request, save_toy, write_config

pytestmark = pytest.mark.slow

X = np.array([[1.0, 2.0]], np.float32)
PREDICT = Occasion(GRPC, "Predict", MODEL)


@pytest.fixture(scope="module")
def rules(tmp_path_factory):
    """Sets the faults of ``serving``; without arguments there are none."""
    path = tmp_path_factory.mktemp("faults") / "faults.json"

    def write(*found):
        staged = path.with_suffix(".new")
        staged.write_text(json.dumps(found))
        staged.rename(path)
        return path

    return write


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    """A store of these tests alone, with versions 1 and 2 of the toy."""
    folder = tmp_path_factory.mktemp("store") / MODEL
    folder.mkdir()
    save_toy(folder, 1)
    save_toy(folder, 2)
    return folder


@pytest.fixture(scope="module")
def serving(rules, store, tmp_path_factory):
    """One server for all of these tests; its faults are changed while it runs."""
    config = write_config(tmp_path_factory.mktemp("config") / "models.config", store)
    flags = [f"--model_config_file={config}", "--allow_version_labels_for_unavailable_models"]
    flags += ["--max_num_load_retries=0", f"--neumo_faults={rules()}"]
    with EmbeddedServer(flags) as server:
        found = connected(server)
        yield found
        found.channel.close()


@pytest.fixture(autouse=True)
def _healthy_again(rules):
    yield
    rules()


def post(serving, **options):
    """Predict over REST."""
    url = f"{serving.rest}/v1/models/{MODEL}:predict"
    return requests.post(url, json={"instances": [[1.0, 2.0]]}, timeout=patience(60), **options)


def test_the_next_calls_are_unavailable_and_then_no_more(rules, serving):
    """``count`` is over both transports."""
    rules({"fault": "error", "method": "Predict", "model": MODEL, "count": 3})
    for _ in range(2):
        with pytest.raises(grpc.RpcError) as raised:
            serving.predict({"x": X})
        assert raised.value.code() is grpc.StatusCode.UNAVAILABLE
    answer = post(serving)
    assert (answer.status_code, answer.json()) == (503, {"error": "made by --neumo_faults"})
    assert post(serving).ok
    assert serving.predict({"x": X}).model_spec.version.value == 2


def test_a_fault_has_the_code_and_text_that_the_rule_gives(rules, serving):
    """NOT_FOUND in mid-swap, for one."""
    text = f"Servable not found for request: Latest({MODEL})"
    rules({"fault": "error", "code": "NOT_FOUND", "message": text})
    with pytest.raises(grpc.RpcError) as raised:
        serving.predict({"x": X})
    assert (raised.value.code(), raised.value.details()) == (grpc.StatusCode.NOT_FOUND, text)
    answer = post(serving)
    assert (answer.status_code, answer.json()) == (404, {"error": text})


def test_a_slow_answer_comes_late_and_right(rules, serving):
    """A deadline before it is exceeded."""
    rules({"fault": "slow", "seconds": 2})
    request = predict_request({"x": X})
    with pytest.raises(grpc.RpcError) as raised:
        serving.prediction.Predict(request, timeout=0.5)
    assert raised.value.code() is grpc.StatusCode.DEADLINE_EXCEEDED
    with pytest.raises(requests.ReadTimeout):
        requests.get(f"{serving.rest}/v1/models/{MODEL}", timeout=0.5)
    assert post(serving).json()["predictions"][0]["y"] == [2.0, 4.0]


def test_garbage_is_no_answer(rules, serving):
    """A message that does not parse, and JSON that is none."""
    rules({"fault": "garbage"})
    with pytest.raises(grpc.RpcError) as raised:
        serving.predict({"x": X})
    assert raised.value.code() is grpc.StatusCode.INTERNAL
    answer = post(serving)
    assert answer.ok
    with pytest.raises(requests.JSONDecodeError):
        answer.json()


def test_a_connection_is_cut_in_mid_call(rules, serving):
    """Both sides' next connection is whole."""
    rules({"fault": "reset", "count": 1, "transport": "grpc"}, {"fault": "reset", "count": 1})
    with pytest.raises(grpc.RpcError) as raised:
        serving.predict({"x": X})
    assert raised.value.code() is grpc.StatusCode.UNAVAILABLE
    with pytest.raises(requests.ConnectionError):
        post(serving)
    assert post(serving).ok
    request = predict_request({"x": X})
    assert serving.prediction.Predict(request, timeout=patience(60), wait_for_ready=True).outputs


def test_a_page_of_a_proxy_is_on_rest_only(rules, serving):
    """With the HTTP status that the rule gives."""
    rules({"fault": "html", "status": 502})
    answer = post(serving)
    assert (answer.status_code, answer.headers["content-type"]) == (502, "text/html")
    assert answer.text.startswith("<html>")
    assert serving.predict({"x": X}).outputs


def test_an_answer_drips_byte_by_byte(rules, serving):
    """It is whole in the end."""
    rules({"fault": "drip", "seconds": 0.001})
    host, port = serving.rest.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), 60) as connection:
        connection.sendall(f"GET /v1/models/{MODEL} HTTP/1.0\r\n\r\n".encode())
        pieces = list(iter(lambda: connection.recv(65536), b""))
    assert len(pieces) > 10
    assert post(serving).json()["predictions"][0]["y"] == [2.0, 4.0]


def test_rules_are_for_the_model_method_and_version_they_name(rules, serving):
    """Everything else is answered."""
    rules(
        {"fault": "error", "model": "other"},
        {"fault": "error", "method": "GetModelMetadata"},
        {"fault": "error", "version": 1},
    )
    assert serving.predict({"x": X}).outputs
    assert serving.predict({"x": X}, version=2).outputs
    with pytest.raises(grpc.RpcError):
        serving.predict({"x": X}, version=1)
    assert not requests.get(f"{serving.rest}/v1/models/{MODEL}/metadata", timeout=patience(60)).ok


def test_a_server_dies_in_mid_call(store):
    """Without a word, as by kill -9."""
    rule = '[{"fault": "death", "method": "Predict"}]'
    flags = [f"--model_name={MODEL}", f"--model_base_path={store}", f"--neumo_faults={rule}"]
    with EmbeddedServer(flags) as server:
        process = server.process
        with pytest.raises(requests.ConnectionError):
            requests.post(
                f"{server.http_url}/v1/models/{MODEL}:predict", b"{}", timeout=patience(60)
            )
        assert process.wait(patience(60)) == 137


def test_loads_are_slow_or_fail(rules, serving, store):
    """The version that serves goes on; the one that failed says why."""
    rules(
        {"fault": "failing_load", "version": 3, "code": "DATA_LOSS", "message": "bits"},
        {"fault": "slow_load", "version": 4, "seconds": 2},
    )
    save_toy(store, 3)
    assert wait_for(serving, 3, "END") == "bits"
    save_toy(store, 4)
    wait_for(serving, 4, "LOADING")
    assert serving.predict({"x": X}).model_spec.version.value == 2
    wait_for(serving, 4, "AVAILABLE")


def wait_for(serving, version, state):
    """Wait until ``version`` is in ``state``; its error message."""
    deadline = time.monotonic() + patience(60)
    while time.monotonic() < deadline:
        found = states(serving).get(version, ("", ""))
        if found[0] == state:
            return found[1]
        time.sleep(0.1)
    raise AssertionError(f"version {version} is not {state}: {states(serving)}")


def states(serving):
    """State and error message of every version."""
    found = requests.get(f"{serving.rest}/v1/models/{MODEL}", timeout=patience(60)).json()
    return {
        int(row["version"]): (row["state"], row["status"]["error_message"])
        for row in found["model_version_status"]
    }


def test_a_rule_lets_calls_pass_first_and_ends_after_its_count():
    """``skip`` and ``count``."""
    plan = FaultPlan('[{"fault": "error", "skip": 1, "count": 2}]')
    assert [plan.next(PREDICT) is not None for _ in range(5)] == [False, True, True, False, False]


def test_the_first_rule_that_is_left_is_made():
    """Rules are a script: one after the other."""
    plan = FaultPlan('[{"fault": "slow", "count": 1}, {"fault": "error", "count": 1}]')
    found = [plan.next(PREDICT) for _ in range(3)]
    assert [rule.fault if rule else None for rule in found] == ["slow", "error", None]


def test_faults_of_loading_are_of_loads_only():
    """And those of REST of REST."""
    plan = FaultPlan('[{"fault": "slow_load"}, {"fault": "html"}]')
    assert plan.next(PREDICT) is None
    assert plan.next(Occasion(LOAD, "", MODEL, 1)).fault == "slow_load"
    assert plan.next(Occasion(REST, "Predict", MODEL)).fault == "html"


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("[", "no JSON"),
        ("{}", "a JSON list"),
        ('["slow"]', "every rule has a fault, one of error, slow"),
        ('[{"fault": "slow", "colour": 1}]', "colour is none of"),
        ('[{"fault": "error", "code": "ODD"}]', "ODD is no canonical code"),
    ],
)
def test_a_rule_that_means_nothing_is_one_line(text, line):
    """It says what would."""
    with pytest.raises(ConfigError, match=line):
        parse(text)


def test_a_file_that_breaks_leaves_the_rules_before_it(tmp_path):
    """And is read again when it is whole."""
    path = tmp_path / "faults.json"
    path.write_text('[{"fault": "slow"}]')
    plan = FaultPlan(str(path))
    path.write_text("[")
    assert plan.next(PREDICT).fault == "slow"
    path.write_text('[{"fault": "reset"}]')
    assert plan.next(PREDICT).fault == "reset"


def test_the_server_says_loudly_that_it_makes_faults():
    """Nobody runs it so by accident."""
    flags = ["--neumo_faults=[]", "--model_base_path=m"]
    command = [sys.executable, "-m", "neumo_serving", *flags]
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=patience(120), check=False
    )
    assert "THIS SERVER MAKES FAULTS ON PURPOSE" in done.stderr
