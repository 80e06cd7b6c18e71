"""``neumo web`` as a process, or in the test's own event loop, and plain HTTP to ask it."""

from __future__ import annotations

import asyncio
import json
import os
import resource
import subprocess
import sys
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from typing import Any

import neumo
from neumo_serving.gateway import gateway_server
from neumo_serving.gateway.gateway_settings import Limits, Settings

READY = "ready: http://"
OPERATORS = "operators: http://"
UNHURRIED = Settings(limits=Limits(rate=0))
"""Without a limit to a client's rate."""


@dataclass
class GatewayProcess:
    """A running gateway; ``said`` are the lines that it wrote so far."""

    process: subprocess.Popen[str]
    port: int = 0
    operators_port: int = 0
    said: list[str] = field(default_factory=list)

    @property
    def url(self) -> str:
        """Where it answers."""
        return f"http://127.0.0.1:{self.port}"

    def listen(self) -> None:
        """Read what it writes, as long as it lives."""
        assert self.process.stdout is not None
        self.said += self.process.stdout


def write_nothing() -> None:
    """From now on this process can make no file longer than 0 bytes."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))


@contextmanager
def gateway(
    server: str,
    *flags: str,
    environ: dict[str, str] | None = None,
    before: Callable[[], None] | None = None,
) -> Iterator[GatewayProcess]:
    """The gateway before ``server``, on a free port, ready; it is killed in the end.

    ``before`` runs in the new process, before the program does.
    """
    command = [
        sys.executable,
        "-m",
        "neumo.commands.program",
        "web",
        "--server",
        server,
        "--port=0",
        "--operators-port=0",
        *flags,
    ]
    with started(command, environ, before) as running:
        yield running


@contextmanager
def started(
    command: list[str],
    environ: dict[str, str] | None = None,
    before: Callable[[], None] | None = None,
) -> Iterator[GatewayProcess]:
    """A process that says when it is ready, and its port."""
    with subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={**os.environ, **(environ or {})},
        preexec_fn=before,  # noqa: PLW1509 - the tests' threads hold no lock that it needs
    ) as process:
        try:
            running = GatewayProcess(process)
            assert process.stdout is not None
            for line in process.stdout:
                running.said.append(line)
                if OPERATORS in line:
                    running.operators_port = int(line.rpartition(":")[2])
                if READY in line:
                    running.port = int(line.rpartition(":")[2])
                    break
            assert running.port, f"it ended: {running.said}"
            listener = threading.Thread(target=running.listen, daemon=True)
            listener.start()
            yield running
        finally:
            process.kill()
            process.wait()
            listener.join()


@dataclass(frozen=True)
class Gateway:
    """A gateway in this event loop: its ports, and the server that ``stop`` ends."""

    port: int
    operators_port: int
    server: gateway_server.Server


@asynccontextmanager
async def answering_from(
    transport: Any, settings: Settings = UNHURRIED, canary: Any = None
) -> AsyncIterator[Gateway]:
    """A gateway whose models answer by ``transport``, and the shadow's by ``canary``."""
    client = neumo.AsyncClient(transport=transport, retries=0, timeout=settings.limits.deadline_s)
    shadowed = neumo.AsyncClient(transport=canary, retries=0) if canary else None
    sockets = [gateway_server.bound("127.0.0.1", 0) for _ in range(2)]
    for one in sockets:
        one.listen()
    port, operators_port = (one.getsockname()[1] for one in sockets)
    server = gateway_server.make(settings, client, shadowed, operators_port)
    serving = asyncio.create_task(server.serve(sockets))
    try:
        yield Gateway(port, operators_port, server)
    finally:
        server.should_exit = True
        await serving


@dataclass(frozen=True)
class Answer:
    """What came back."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """The body's JSON."""
        return json.loads(self.body)


def request(
    path: str, body: bytes = b"", headers: dict[str, str] | None = None, verb: str = "POST"
) -> bytes:
    """The bytes of a request with one film."""
    lines = {
        "Host": "localhost",
        "Content-Type": "application/octet-stream",
        "Content-Length": str(len(body)),
        **(headers or {}),
    }
    head = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
    return f"{verb} {path} HTTP/1.1\r\n{head}\r\n".encode() + body


class Line:
    """A connection that is used again and again."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def ask(self, sent: bytes) -> Answer:
        """Send a request; its answer."""
        if self._streams is None:
            self._streams = await asyncio.open_connection("127.0.0.1", self._port)
        reader, writer = self._streams
        writer.write(sent)
        await writer.drain()
        return await read_answer(reader)

    def close(self) -> None:
        """Close it."""
        if self._streams is not None:
            self._streams[1].close()
            self._streams = None


async def read_answer(reader: asyncio.StreamReader) -> Answer:
    """The next answer on a connection."""
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    headers = dict(line.lower().split(": ", 1) for line in head[1:] if line)
    body = await reader.readexactly(int(headers.get("content-length", "0")))
    return Answer(int(head[0].split()[1]), headers, body)


async def ask(port: int, sent: bytes) -> Answer:
    """Send one request on a connection of its own."""
    line = Line(port)
    try:
        return await line.ask(sent)
    finally:
        line.close()


def answer_of(transport: object, sent: bytes, settings: Settings = UNHURRIED) -> Answer:
    """The answer to one request, of a gateway of its own whose models answer by ``transport``."""

    async def talk() -> Answer:
        async with answering_from(transport, settings) as running:
            return await ask(running.port, sent)

    return asyncio.run(talk())


def form(*films: bytes, field: str = "films", name: str = "film") -> tuple[bytes, dict[str, str]]:
    """The body and the headers of a form with ``films``."""
    parts = [
        f'--edge\r\nContent-Disposition: form-data; name="{field}"; filename="{name}"\r\n'
        "Content-Type: application/octet-stream\r\n\r\n".encode()
        + film
        + b"\r\n"
        for film in films
    ]
    return b"".join(parts) + b"--edge--\r\n", {"Content-Type": FORM}


FORM = "multipart/form-data; boundary=edge"
