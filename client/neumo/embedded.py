"""The embedded server as a process of its own, for tests and for ``neumo demo``."""

from __future__ import annotations

import importlib.util
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import IO

from neumo import contract
from neumo._transports.transport import Transport, connect
from neumo._wire.calls import Status
from neumo.errors import ConfigError, ModelNotFound, ServingError, Unavailable

READY_WITHIN_S = 600.0
"""Ten seconds on two idle cores; a machine that is slow or busy may take many times that, and a
server that cannot start ends by itself, which is told at once."""
STOPPED_WITHIN_S = 30.0
_POLL_S = 0.1
_ANSWERED_WITHIN_S = 30.0
_NEEDS = ("tensorflow", "tensorflow_serving", "uvicorn")


@dataclass(frozen=True, slots=True)
class _Running:
    """The process, and the file that holds what it said."""

    process: subprocess.Popen[bytes]
    log: IO[bytes]

    def end(self) -> None:
        self.process.terminate()
        try:
            self.process.wait(STOPPED_WITHIN_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.log.close()

    def last_words(self) -> str:
        self.log.seek(0)
        lines = self.log.read().decode("utf-8", "replace").split("\n")
        said = [line.strip() for line in lines if line.strip()]
        return said[-1] if said else "it said nothing"


class EmbeddedServer:
    """Runs ``python -m neumo_serving`` on two free ports of this machine; use it in ``with``.

    Without ``flags`` it serves the release that neumo ships. ``flags`` are
    ``tensorflow_model_server``'s, such as ``--model_config_file=…``.
    """

    def __init__(
        self, flags: Sequence[str] = (), *, ready_within_s: float = READY_WITHIN_S
    ) -> None:
        self._flags = tuple(flags)
        self._ready_within_s = ready_within_s
        self._running: _Running | None = None
        self._grpc_port, self._http_port = _free_ports()

    @property
    def grpc_url(self) -> str:
        """Where it speaks gRPC."""
        return f"grpc://127.0.0.1:{self._grpc_port}"

    @property
    def http_url(self) -> str:
        """Where it speaks REST."""
        return f"http://127.0.0.1:{self._http_port}"

    @property
    def process(self) -> subprocess.Popen[bytes]:
        """The server's process; raises ``ConfigError`` where it is not running."""
        if self._running is None:
            raise ConfigError("the embedded server is not running: start it first")
        return self._running.process

    def start(self) -> EmbeddedServer:
        """Return when both ports answer.

        Raises ``ConfigError`` where the ``serving`` extra is missing, and ``Unavailable`` with
        the server's last words where it ends, or is not ready in time.
        """
        if any(importlib.util.find_spec(name) is None for name in _NEEDS):
            raise ConfigError("the embedded server is not installed: pip install 'neumo[serving]'")
        command = [
            sys.executable,
            "-m",
            "neumo_serving",
            f"--port={self._grpc_port}",
            f"--rest_api_port={self._http_port}",
            *self._flags,
        ]
        # A file, not a pipe: a pipe that nobody reads would stop the server when it is full.
        log = tempfile.TemporaryFile()  # noqa: SIM115 - closed by stop
        process = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT)  # noqa: S603 - our own program
        self._running = _Running(process, log)
        try:
            self._wait_until_ready(self._running)
        except BaseException:
            self.stop()
            raise
        return self

    def stop(self) -> None:
        """Let it finish what it is answering, then end it."""
        running, self._running = self._running, None
        if running is not None:
            running.end()

    def __enter__(self) -> EmbeddedServer:
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()

    def _wait_until_ready(self, running: _Running) -> None:
        """The ports open when the models are loaded; wait until both do."""
        deadline = time.monotonic() + self._ready_within_s
        for url in (self.grpc_url, self.http_url):
            transport = connect(url)
            try:
                while not _answers(transport):
                    if running.process.poll() is not None:
                        detail = f"the server ended: {running.last_words()}"
                        raise Unavailable("", url, detail)
                    if time.monotonic() > deadline:
                        detail = f"not ready in {self._ready_within_s:g} s: {running.last_words()}"
                        raise Unavailable("", url, detail)
                    time.sleep(_POLL_S)
            finally:
                transport.close()


def _answers(transport: Transport) -> bool:
    try:
        transport.start(Status(contract.MEMBERS[0].name), _ANSWERED_WITHIN_S).result()
    except ModelNotFound:  # it may serve anything
        return True
    except ServingError:
        return False
    return True


def _free_ports() -> tuple[int, int]:
    """Two ports that nothing listens on now."""
    with socket.socket() as first, socket.socket() as second:
        # Both are held until both are known, so that they differ.
        for one in (first, second):
            one.bind(("127.0.0.1", 0))
        return first.getsockname()[1], second.getsockname()[1]
