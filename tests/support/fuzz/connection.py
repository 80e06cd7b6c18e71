"""Send an attempt to a server, and judge what comes back."""

from __future__ import annotations

import http.client
import socket
from collections.abc import Callable
from typing import Any

import grpc

from support.fuzz import verdicts
from support.fuzz.attempts import Attempt, Call, Garbage, Request
from support.fuzz.verdicts import Verdict
from support.patience import patience

TIMEOUT_S = patience(30.0)
SILENCE_S = 0.5
"""How long garbage waits for an answer that a server need not give."""


def _raw(data: bytes) -> bytes:
    return data


class Connection:
    """One client: a gRPC channel and an HTTP connection, opened anew where the server hung up."""

    def __init__(self, grpc_target: str, rest_target: str) -> None:
        options = [("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1)]
        # Channels with the same arguments would share one connection.
        options.append(("grpc.use_local_subchannel_pool", 1))
        self.channel: Any = grpc.insecure_channel(grpc_target, options=options)
        self._rest = rest_target.removeprefix("http://")
        self._http = http.client.HTTPConnection(self._rest, timeout=TIMEOUT_S)

    def send(self, attempt: Attempt) -> Verdict:
        """What the server makes of ``attempt``."""
        if isinstance(attempt, Call):
            return self._call(attempt)
        if isinstance(attempt, Request):
            return self._request(attempt)
        return self._garbage(attempt)

    def close(self) -> None:
        """Hang up."""
        self.channel.close()
        self._http.close()

    def _call(self, call: Call) -> Verdict:
        method = self.channel.unary_unary(call.method, _raw, _raw)
        compression = grpc.Compression.Gzip if call.compressed else None
        try:
            method(call.data, timeout=TIMEOUT_S, compression=compression)
        except grpc.RpcError as error:
            return verdicts.of_call(error.code().name, error.details() or "")
        return verdicts.of_call("OK", "")

    def _request(self, request: Request) -> Verdict:
        try:
            return self._exchanged(request)
        except (ConnectionError, http.client.RemoteDisconnected):
            # The server may end a connection that was idle; then nothing of this one was read.
            self._http.close()
        except OSError as error:
            self._http.close()
            return Verdict("no HTTP answer", f"{type(error).__name__}: {error}")
        try:
            return self._exchanged(request)
        except (OSError, http.client.HTTPException) as error:
            self._http.close()
            return Verdict("no HTTP answer", f"{type(error).__name__}: {error}")

    def _exchanged(self, request: Request) -> Verdict:
        self._http.request(request.method, request.path, request.body, dict(request.headers))
        response = self._http.getresponse()
        verdict = verdicts.of_response(request.method, response.status, response.read())
        if request.method == "HEAD":
            self._http.close()
        return verdict

    def _garbage(self, garbage: Garbage) -> Verdict:
        host, _, port = self._rest.rpartition(":")
        with socket.create_connection((host, int(port)), TIMEOUT_S) as raw:
            raw.settimeout(SILENCE_S)
            return verdicts.of_garbage(_answered(lambda: _exchange(raw, garbage.data)))


def _exchange(raw: socket.socket, data: bytes) -> bytes:
    raw.sendall(data)
    return raw.recv(4096)


def _answered(exchange: Callable[[], bytes]) -> bytes:
    try:
        return exchange()
    except OSError:
        return b""
