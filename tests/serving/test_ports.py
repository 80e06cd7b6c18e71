"""The ports: UNIX socket, TLS, channel arguments, health; HTTP's edges (server.cc, net_http)."""

from __future__ import annotations

import gzip
import http.client
import json
import signal
import socket
import threading

import grpc
import numpy as np
import pytest
import requests
import trustme
from grpc_health.v1.health_pb2 import HealthCheckRequest, HealthCheckResponse

from neumo.errors import ConfigError
from neumo.testing import EmbeddedServer
from neumo_serving.config import flags
from neumo_serving.grpc_api import channel_arguments
from neumo_serving.rest_api import body_limits
from support import serving_process
from support.patience import patience
from support.toy_model import MODEL, predict_request

pytestmark = pytest.mark.slow

X = np.array([[1.0, 2.0]], np.float32)
INSTANCES = json.dumps({"instances": [[1.0, 2.0]]}).encode()
CORS = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Allow-Methods": "POST, GET",
    "Access-Control-Allow-Headers": "Content-Type",
}


@pytest.fixture(scope="module")
def model_flags(store):
    """Serve the toy."""
    return [f"--model_name={MODEL}", f"--model_base_path={store}"]


@pytest.fixture(scope="module")
def opened(model_flags, tmp_path_factory):
    """A server with everything that only adds to the others."""
    path = tmp_path_factory.mktemp("socket") / "grpc.sock"
    more = ["--rest_api_enable_cors_support", "--enable_grpc_healthcheck_service"]
    with EmbeddedServer([*model_flags, *more, f"--grpc_socket_path={path}"]) as server:
        yield server, path


def asked(channel):
    """The version that answers Predict over ``channel``."""
    from tensorflow_serving.apis import prediction_service_pb2_grpc

    stub = prediction_service_pb2_grpc.PredictionServiceStub(channel)
    return stub.Predict(predict_request({"x": X}), timeout=patience(60)).model_spec.version.value


def test_grpc_is_on_a_unix_socket_too(opened):
    """Beside the port."""
    with grpc.insecure_channel(f"unix:{opened[1]}") as channel:
        assert asked(channel) == 2


def test_a_socket_left_by_a_killed_server_is_taken_over(model_flags, tmp_path):
    """A restart trips over nothing."""
    path = tmp_path / "grpc.sock"
    command = [*model_flags, f"--grpc_socket_path={path}"]
    with serving_process.serving(*command):
        assert path.is_socket()
    assert path.is_socket()
    with serving_process.serving(*command), grpc.insecure_channel(f"unix:{path}") as channel:
        assert asked(channel) == 2


def test_a_socket_goes_to_the_server_that_was_started_last(model_flags, store, tmp_path):
    """Upstream's end-to-end test starts all its servers on one path."""
    path = tmp_path / "grpc.sock"
    other = ["--model_name=other", f"--model_base_path={store}"]
    with (
        serving_process.serving(*other, f"--grpc_socket_path={path}"),
        serving_process.serving(*model_flags, f"--grpc_socket_path={path}"),
        grpc.insecure_channel(f"unix:{path}") as channel,
    ):
        assert asked(channel) == 2


def test_the_socket_alone_will_do(model_flags, tmp_path):
    """--port=0 is off (model_servers/main.cc)."""
    path = tmp_path / "grpc.sock"
    with (
        serving_process.serving(*model_flags, f"--grpc_socket_path={path}", "--port=0"),
        grpc.insecure_channel(f"unix:{path}") as channel,
    ):
        assert asked(channel) == 2


def test_a_socket_that_cannot_be_made_is_one_line(model_flags, tmp_path):
    """The flag and what to change are named."""
    path = tmp_path / ("long" * 50) / "grpc.sock"
    with serving_process.serve(*model_flags, f"--grpc_socket_path={path}") as process:
        said = process.communicate(timeout=serving_process.PATIENCE_S)[1]
    assert "--grpc_socket_path" in said.splitlines()[-1]
    assert process.returncode == 2


class Certificates:
    """An authority with a server's and a client's certificate, as PEM texts."""

    def __init__(self):
        authority = trustme.CA()
        self.ca = authority.cert_pem.bytes()
        self.server, self.client = (
            (
                b"".join(part.bytes() for part in issued.cert_chain_pems),
                issued.private_key_pem.bytes(),
            )
            for issued in (authority.issue_cert("localhost"), authority.issue_cert("c@example.org"))
        )


def ssl_config(path, certificates, rest=""):
    """A text-format SSLConfig at ``path``."""
    chain, key = certificates.server
    quoted = {"server_key": key, "server_cert": chain, "custom_ca": certificates.ca}
    lines = [f"{name}: {json.dumps(text.decode())}" for name, text in quoted.items()]
    path.write_text("\n".join([*lines, rest]))
    return f"--ssl_config_file={path}"


@pytest.mark.parametrize("verify", [False, True])
def test_grpc_is_encrypted_where_a_file_says_so(model_flags, tmp_path, verify):
    """With client_verify nobody is answered without a certificate of the same authority."""
    certificates = Certificates()
    rest = f"client_verify: {str(verify).lower()}"
    port = serving_process.free_port()
    command = [*model_flags, ssl_config(tmp_path / "ssl", certificates, rest), f"--port={port}"]
    with serving_process.serving(*command):
        chain, key = certificates.client
        known = grpc.ssl_channel_credentials(certificates.ca, key, chain)
        unknown = grpc.ssl_channel_credentials(certificates.ca)
        with grpc.secure_channel(f"localhost:{port}", known) as channel:
            assert asked(channel) == 2
        with grpc.secure_channel(f"localhost:{port}", unknown) as channel:
            if verify:
                with pytest.raises(grpc.RpcError):
                    asked(channel)
            else:
                assert asked(channel) == 2
        with grpc.insecure_channel(f"localhost:{port}") as channel, pytest.raises(grpc.RpcError):
            asked(channel)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("server_key: 'k'", "needs a server_key and a server_cert"),
        ("server_key: 'k' server_cert: 'c' client_verify: true", "needs the custom_ca"),
        ("colour: 'red'", "Error parsing text-format tensorflow.serving.SSLConfig"),
    ],
)
def test_an_ssl_file_that_encrypts_nothing_is_one_line(tmp_path, text, line):
    """Better than a port that answers nobody."""
    (tmp_path / "ssl").write_text(text)
    with pytest.raises(ConfigError, match=line):
        channel_arguments.credentials(flags.parse([f"--ssl_config_file={tmp_path / 'ssl'}"]))


def test_a_connection_lives_as_long_as_the_channel_arguments_say(model_flags):
    """Upstream's own example, which its tests use."""
    given = "grpc.max_connection_age_ms=500,grpc.lb_policy_name=grpclb"
    with (
        EmbeddedServer([*model_flags, f"--grpc_channel_arguments={given}"]) as server,
        grpc.insecure_channel(server.grpc_url.removeprefix("grpc://")) as channel,
    ):
        ended = threading.Event()
        assert asked(channel) == 2
        channel.subscribe(lambda state: state is grpc.ChannelConnectivity.IDLE and ended.set())
        assert ended.wait(serving_process.PATIENCE_S)
        assert asked(channel) == 2


def health(server, name, method="Check"):
    """The state of a service; a watcher's first."""
    with grpc.insecure_channel(server.grpc_url.removeprefix("grpc://")) as channel:
        call = (channel.unary_unary if method == "Check" else channel.unary_stream)(
            f"/grpc.health.v1.Health/{method}",
            request_serializer=lambda message: message.SerializeToString(),
            response_deserializer=HealthCheckResponse.FromString,
        )
        found = call(HealthCheckRequest(service=name), timeout=patience(60))
        status = found.status if method == "Check" else next(found).status
        return HealthCheckResponse.ServingStatus.Name(status)


@pytest.mark.parametrize("name", ["", "ModelService", "PredictionService"])
@pytest.mark.parametrize("method", ["Check", "Watch"])
def test_the_services_are_healthy(opened, name, method):
    """Under the names that upstream gives them."""
    assert health(opened[0], name, method) == "SERVING"


def test_an_unknown_service_is_not_found(opened):
    """A watcher learns that it is unknown (grpc/health/v1/health.proto)."""
    with pytest.raises(grpc.RpcError) as raised:
        health(opened[0], "odd")
    assert raised.value.code() is grpc.StatusCode.NOT_FOUND
    assert health(opened[0], "odd", "Watch") == "SERVICE_UNKNOWN"


def test_who_watches_is_told_that_the_server_ends(model_flags):
    """Before it accepts no more: whoever balances load sends the next request elsewhere."""
    with (
        EmbeddedServer([*model_flags, "--enable_grpc_healthcheck_service"]) as server,
        grpc.insecure_channel(server.grpc_url.removeprefix("grpc://")) as channel,
    ):
        watch = channel.unary_stream(
            "/grpc.health.v1.Health/Watch",
            request_serializer=lambda message: message.SerializeToString(),
            response_deserializer=HealthCheckResponse.FromString,
        )
        states = watch(HealthCheckRequest(), timeout=patience(60))
        assert next(states).status == HealthCheckResponse.SERVING
        server.process.send_signal(signal.SIGTERM)
        assert next(states).status == HealthCheckResponse.NOT_SERVING


def test_health_is_answered_only_where_it_was_asked_for(running):
    """Upstream's default is off."""
    with pytest.raises(grpc.RpcError) as raised:
        health(running.server, "")
    assert raised.value.code() is grpc.StatusCode.UNIMPLEMENTED


def test_pages_of_other_origins_may_ask_where_the_flag_says_so(opened, running):
    """With upstream's headers on every answer; without the flag there are none."""
    path = f"/v1/models/{MODEL}"
    for answer in (
        requests.get(opened[0].http_url + path, timeout=patience(60)),
        requests.get(opened[0].http_url + "/v1/models/odd", timeout=patience(60)),
        requests.options(f"{opened[0].http_url}{path}:predict", timeout=patience(60)),
    ):
        assert {name: answer.headers.get(name) for name in CORS} == CORS
    assert answer.ok
    answer = requests.get(running.rest + path, timeout=patience(60))
    assert not set(CORS) & set(answer.headers)


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "OPTIONS"])
def test_other_methods_are_malformed_requests(running, method):
    """The API knows GET and POST (http_rest_api_handler.cc)."""
    path = f"/v1/models/{MODEL}:predict"
    answer = requests.request(method, running.rest + path, data=INSTANCES, timeout=patience(60))
    assert answer.status_code == 400
    assert answer.json() == {"error": f"Malformed request: {method} {path}"}


def test_a_head_request_has_no_body(running):
    """It is malformed, too."""
    answer = requests.head(f"{running.rest}/v1/models/{MODEL}", timeout=patience(60))
    assert (answer.status_code, answer.content) == (400, b"")


def test_a_method_that_http_does_not_know_is_not_implemented(running):
    """Upstream's HTTP library lets it not through (evhttp_server.cc)."""
    answer = requests.request("BREW", f"{running.rest}/v1/models/{MODEL}", timeout=patience(60))
    assert answer.status_code == 501


def test_a_query_is_a_part_of_the_path(running):
    """Upstream knows no queries (evhttp_request.cc), and decodes names (http_rest_api_util.cc)."""
    path = f"/v1/models/{MODEL}:predict?all=1"
    answer = requests.post(running.rest + path, INSTANCES, timeout=patience(60))
    assert answer.json() == {"error": f"Malformed request: POST {path}"}
    answer = requests.get(f"{running.rest}/v1/models/a%20b", timeout=patience(60))
    assert answer.json() == {"error": "Could not find any versions of model a b"}


@pytest.mark.parametrize("body", [INSTANCES, INSTANCES + b" " * 200_000])
def test_a_body_may_be_packed(running, body):
    """By gzip (evhttp_request.cc)."""
    url = f"{running.rest}/v1/models/{MODEL}:predict"
    headers = {"Content-Encoding": "gzip"}
    answer = requests.post(url, gzip.compress(body), headers=headers, timeout=patience(60))
    assert answer.json()["predictions"][0]["y"] == [2.0, 4.0]


@pytest.mark.parametrize(
    "packed",
    [
        b"no gzip",
        gzip.compress(INSTANCES)[:-1],
        gzip.compress(INSTANCES) + b"more",
        gzip.compress(b" " * (body_limits.MAX_UNPACKED_BYTES + 1)),
    ],
)
def test_a_packed_body_that_is_broken_or_huge_counts_as_empty(running, packed):
    """As upstream has it; no more than the limit is ever unpacked."""
    url = f"{running.rest}/v1/models/{MODEL}:predict"
    headers = {"Content-Encoding": "gzip"}
    answer = requests.post(url, packed, headers=headers, timeout=patience(60))
    assert answer.status_code == 400
    assert answer.json() == {"error": "JSON Parse error: The document is empty"}


def test_rest_is_on_ipv6_too(running):
    """As upstream's (evhttp_server.cc)."""
    if not socket.has_dualstack_ipv6():
        pytest.skip("this machine has no IPv6")
    port = running.rest.rpartition(":")[2]
    assert requests.get(f"http://[::1]:{port}/v1/models/{MODEL}", timeout=patience(60)).ok


def test_a_connection_is_kept_for_the_next_request(running):
    """Also after an error."""
    connection = http.client.HTTPConnection(
        running.rest.removeprefix("http://"), timeout=patience(60)
    )
    used = []
    for path in (f"/v1/models/{MODEL}", "/v1/odd", f"/v1/models/{MODEL}"):
        connection.request("GET", path)
        connection.getresponse().read()
        used.append(connection.sock)
    assert used[0] is not None
    assert used == used[:1] * 3
    connection.close()
