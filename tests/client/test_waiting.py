"""What a server asks of those who would come again, and whether there was a server at all."""

from __future__ import annotations

import asyncio
import math
import socket
import time
from contextlib import contextmanager
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import grpc
import pytest

import neumo
from neumo._transports import status_codes
from support.grpc_server import grpc_server


@contextmanager
def busy_http(wait_text, counted):
    """Refuses every call with HTTP 429, and says when to come again."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self):
            counted.append(time.monotonic())
            body = b'{"error": "busy"}'
            self.send_response(429)
            self.send_header("Retry-After", wait_text)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            """Quiet."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()


@contextmanager
def busy_grpc(wait_text, counted):
    """The same over gRPC, in milliseconds."""

    def answer(_, context):
        counted.append(time.monotonic())
        context.set_trailing_metadata((("grpc-retry-pushback-ms", wait_text),))
        context.abort(grpc.StatusCode.RESOURCE_EXHAUSTED, "busy")

    with grpc_server(answer) as url:
        yield url


def status(name, url, **options):
    """Ask for the models' status by either client."""
    if name == "Client":
        with neumo.Client(url, **options) as client:
            return client.status()

    async def asked():
        async with neumo.AsyncClient(url, **options) as client:
            return await client.status()

    return asyncio.run(asked())


clients = pytest.mark.parametrize("name", ["Client", "AsyncClient"])
SERVERS = {"rest": (busy_http, "1", "3600"), "grpc": (busy_grpc, "1000", "3600000")}
servers = pytest.mark.parametrize("server", SERVERS)


@clients
@servers
def test_a_server_that_asks_for_a_second_is_left_alone_for_it(name, server):
    """Before each further try."""
    busy, second, _ = SERVERS[server]
    counted = []
    with busy(second, counted) as url, pytest.raises(neumo.Unavailable, match="busy") as raised:
        status(name, url, retries=1, timeout=20)
    assert raised.value.retry_after_seconds == 1.0
    assert not raised.value.is_out_of_reach
    first, again = counted
    assert again - first >= 1.0


@clients
@servers
def test_a_server_that_asks_for_more_than_there_is_time_is_not_asked_again(name, server):
    """The caller is told at once."""
    busy, _, hour = SERVERS[server]
    counted = []
    with busy(hour, counted) as url, pytest.raises(neumo.Unavailable):
        status(name, url, timeout=20)
    assert len(counted) == 1


@clients
def test_a_pushback_below_0_means_never(name):
    """So gRPC's proposal A6 has it, and for what is no number."""
    counted = []
    with busy_grpc("-1", counted) as url, pytest.raises(neumo.Unavailable) as raised:
        status(name, url)
    assert raised.value.retry_after_seconds == math.inf
    assert len(counted) == 1


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        (None, None),
        ("3", 3.0),
        (" 0 ", 0.0),
        (formatdate(1_000_005, usegmt=True), 5.0),
        (formatdate(999_000, usegmt=True), 0.0),
        ("soon", None),
        ("-3", None),
        ("", None),
    ],
)
def test_retry_after_is_a_number_or_a_date(text, seconds):
    """What is neither says nothing."""
    assert status_codes.retry_after_seconds(text, now=1_000_000.0) == seconds


@clients
@pytest.mark.parametrize("scheme", ["grpc", "http"])
def test_an_address_where_nobody_listens_is_out_of_reach(name, scheme):
    """No server has seen the call."""
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        with pytest.raises(neumo.Unavailable) as raised:
            status(name, f"{scheme}://127.0.0.1:{unused.getsockname()[1]}", retries=0)
    assert raised.value.is_out_of_reach
