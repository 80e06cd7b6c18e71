"""The two transports against real servers: the same fault is the same error on both."""

from __future__ import annotations

import asyncio
import json
import socket
import threading
import time
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import grpc
import pytest

import neumo
from neumo import errors
from neumo._transports import address, status_codes
from neumo._transports.transport import connect
from neumo._wire.calls import Status
from support.grpc_server import grpc_server
from support.patience import patience

MODEL = "pneumonia_tuned"
FAULTS = [
    ("INVALID_ARGUMENT", 400, neumo.InvalidRequest),
    ("FAILED_PRECONDITION", 400, neumo.InvalidRequest),
    ("UNAUTHENTICATED", 401, neumo.PermissionDenied),
    ("PERMISSION_DENIED", 403, neumo.PermissionDenied),
    ("NOT_FOUND", 404, neumo.ModelNotFound),
    ("RESOURCE_EXHAUSTED", 429, neumo.Unavailable),
    ("INTERNAL", 500, neumo.ServingError),
    ("UNIMPLEMENTED", 501, neumo.BadResponse),
    ("UNAVAILABLE", 503, neumo.Unavailable),
    ("DEADLINE_EXCEEDED", 504, neumo.DeadlineExceeded),
]
"""The pairs of TensorFlow Serving (its util/net_http), and the class for both."""


@contextmanager
def http_server(answer):
    """An HTTP server whose every answer is ``answer(handler)``; its URL."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self):
            answer(self)

        def log_message(self, *_):
            """Quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=[0.01])
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def saying(status, body, **headers):
    """An HTTP answer with ``status`` and ``body``."""

    def answer(handler):
        handler.send_response(status)
        for name, value in headers.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body)

    return answer


def ask(url, timeout_s=5.0):
    """The status of a model, by the transport for ``url``."""
    transport = connect(url)
    try:
        return transport.start(Status(MODEL), timeout_s).result(timeout=patience(30))
    finally:
        transport.close()


@pytest.mark.parametrize(("code", "status", "kind"), FAULTS, ids=[row[0] for row in FAULTS])
def test_a_fault_is_the_same_class_on_grpc_and_rest(code, status, kind):
    """The codes of the two protocols differ; an application handles one tree."""

    def refuse(request, context):
        context.abort(grpc.StatusCode[code], "because of this")

    with grpc_server(refuse) as url, pytest.raises(neumo.ServingError) as over_grpc:
        ask(url)
    body = json.dumps({"error": "because of this"}).encode()
    with http_server(saying(status, body)) as url, pytest.raises(neumo.ServingError) as over_rest:
        ask(url)
    assert type(over_grpc.value) is type(over_rest.value) is kind
    for raised in (over_grpc.value, over_rest.value):
        assert raised.model == MODEL
        assert "because of this" in str(raised)
        assert "\n" not in str(raised)


def test_no_code_of_grpc_is_unmapped():
    """A new code would be noticed here first."""
    codes = {code.name for code in grpc.StatusCode} - {"OK"}
    assert codes == status_codes.OF_GRPC.keys()


@pytest.mark.parametrize("status", range(300, 600))
def test_every_http_status_has_a_class(status):
    """Whatever a proxy answers becomes a ``ServingError``."""
    assert issubclass(status_codes.of_http(status, said_by_server=False), errors.ServingError)


@pytest.mark.parametrize("scheme", ["grpc", "http"])
def test_a_server_that_is_not_there_is_unavailable(scheme):
    """The line says what to start."""
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"{scheme}://127.0.0.1:{unused.getsockname()[1]}"
        with pytest.raises(neumo.Unavailable, match="start one with: neumo serve"):
            ask(url)


def test_a_connection_that_breaks_is_told_in_plain_words():
    """Without the layers of exceptions around it."""

    def hang_up(handler):
        handler.close_connection = True

    with http_server(hang_up) as url, pytest.raises(neumo.Unavailable) as raised:
        ask(url)
    assert str(raised.value).startswith(f"{MODEL} at {url}: Remote end closed connection")


@pytest.mark.parametrize("scheme", ["grpc", "http"])
def test_a_server_that_says_nothing_ends_at_the_deadline(scheme):
    """A port that accepts and stays silent costs the deadline, not forever."""
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        with pytest.raises(neumo.ServingError) as raised:
            ask(f"{scheme}://127.0.0.1:{silent.getsockname()[1]}", timeout_s=0.3)
    assert isinstance(raised.value, neumo.DeadlineExceeded | neumo.Unavailable)


def test_an_answer_that_drips_ends_at_the_deadline():
    """Each piece comes in time, the whole does not."""
    ended = threading.Event()

    def drip(handler):
        handler.send_response(200)
        handler.send_header("Content-Length", "1000000")
        handler.end_headers()
        while not ended.is_set():
            try:
                handler.wfile.write(b" ")
            except OSError:
                break
            time.sleep(0.02)

    with http_server(drip) as url:
        try:
            with pytest.raises(neumo.DeadlineExceeded):
                ask(url, timeout_s=0.3)
        finally:
            ended.set()


@contextmanager
def dripping_server():
    """A server that sends its first header byte by byte, without end; its URL and its clients."""
    clients = []

    def drip(listener):
        while True:
            try:
                sock, _ = listener.accept()
            except OSError:
                return
            clients.append(threading.Thread(target=answer, args=(sock,), daemon=True))
            clients[-1].start()

    def answer(sock):
        with sock:
            sock.sendall(b"HTTP/1.1 200 OK\r\nX-Slow: ")
            while True:
                try:
                    sock.sendall(b".")
                except OSError:
                    return
                time.sleep(0.02)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        accepting = threading.Thread(target=drip, args=(listener,), daemon=True)
        accepting.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}", clients
        listener.shutdown(socket.SHUT_RDWR)


def test_a_rest_call_that_is_given_up_closes_its_socket_and_ends():
    """Its thread is free again, and the server sees the connection go."""
    with dripping_server() as (url, clients):
        transport = connect(url)
        future = transport.start(Status(MODEL), 60.0)
        while not clients:
            time.sleep(0.01)
        future.cancel()
        with pytest.raises(neumo.Unavailable):
            future.result(timeout=patience(30))
        clients[0].join(timeout=patience(30))
        assert not clients[0].is_alive()
        transport.close()


def test_closing_the_client_ends_its_rest_calls():
    """Nothing goes on behind a client that is closed."""
    with dripping_server() as (url, clients):
        transport = connect(url)
        future = transport.start(Status(MODEL), 60.0)
        while not clients:
            time.sleep(0.01)
        transport.close()
        with pytest.raises(neumo.Unavailable):
            future.result(timeout=patience(30))


def test_headers_that_drip_end_at_the_deadline_for_both_clients():
    """Whoever waits is back, and the call is ended behind it."""

    async def ask_async(url):
        async with neumo.AsyncClient(url, timeout=0.3, retries=0) as client:
            await client.status()

    with dripping_server() as (url, clients):
        with (
            neumo.Client(url, timeout=0.3, retries=0) as client,
            pytest.raises(neumo.DeadlineExceeded),
        ):
            client.status()
        with pytest.raises(neumo.DeadlineExceeded):
            asyncio.run(ask_async(url))
        for one in clients:
            one.join(timeout=patience(30))
            assert not one.is_alive()


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (saying(200, b"<html>a portal</html>"), neumo.BadResponse),
        (saying(200, b'{"model_version_status": [{"version": "1"}]}'), neumo.BadResponse),
        (saying(404, b"<h1>Not Found</h1>"), neumo.BadResponse),
        (saying(302, b"", Location="https://example.org/"), neumo.BadResponse),
        (saying(200, b"no gzip", Content_Encoding="gzip"), neumo.BadResponse),
    ],
    ids=["a page", "half an answer", "a proxy's 404", "a redirect", "broken gzip"],
)
def test_what_is_no_answer_of_tensorflow_serving_is_a_bad_response(answer, kind):
    """Another server at the address is told apart, and no redirect is followed."""
    with http_server(answer) as url, pytest.raises(kind):
        ask(url)


def test_grpc_bytes_that_are_no_answer_are_a_bad_response():
    """Another gRPC service at the address is told apart."""
    not_one = pytest.raises(neumo.BadResponse, match="not a GetModelStatusResponse")
    with grpc_server(lambda request, context: b"\xff\xff\xff") as url, not_one:
        ask(url)


@pytest.mark.parametrize("url", ["grpc://127.0.0.1:9", "http://127.0.0.1:9"])
def test_a_closed_transport_says_so(url):
    """Using a client after ``close`` is a mistake with a name; closing twice is none."""
    transport = connect(url)
    transport.close()
    transport.close()
    with pytest.raises(neumo.ConfigError, match="the client is closed"):
        transport.start(Status(MODEL), 1.0)


@pytest.mark.parametrize(
    ("url", "text"),
    [
        ("grpc://localhost", "grpc://localhost:8500"),
        ("http://localhost", "http://localhost:8501"),
        ("grpcs://models.example.org", "grpcs://models.example.org:443"),
        ("https://example.org/neumo/", "https://example.org:443/neumo"),
        ("grpc://[::1]:9", "grpc://[::1]:9"),
        ("unix:///run/neumo.sock", "unix:///run/neumo.sock"),
    ],
)
def test_urls_have_tensorflow_servings_default_ports(url, text):
    """What is left out is filled in as the server's own flags have it."""
    assert str(address.parse(url)) == text


@pytest.mark.parametrize(
    "url",
    [
        "",
        "localhost:8500",
        "ftp://host",
        "grpc://",
        "grpc://host:99999",
        "grpc://host/path",
        "http://host/?q=1",
        "http://user:secret@host",
        "grpc://[::1",
    ],
)
def test_a_url_that_is_none_is_one_line_with_an_example(url):
    """And never repeats a password."""
    with pytest.raises(neumo.ConfigError, match="grpc://localhost:8500") as raised:
        address.parse(url)
    assert "secret" not in str(raised.value)
    assert "\n" not in str(raised.value)
