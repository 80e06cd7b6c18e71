"""The gateway as a process: its socket, uvicorn, and how it stops."""

from __future__ import annotations

import asyncio
import logging
import resource
import signal
import socket
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn

import neumo
from neumo.errors import ConfigError
from neumo_serving.asgi import bound_socket, uvicorn_config
from neumo_serving.gateway import gateway_app
from neumo_serving.gateway.gateway_settings import Settings
from neumo_serving.gateway.http_protocol import Connection

log = logging.getLogger(__name__)

KEEP_ALIVE_S = 75
"""Longer than the 60 s of usual proxies, so that it is they who close."""
DRAIN_S = 25
"""For requests under way at the end; Kubernetes kills 30 s after its SIGTERM."""
_FILES = 4096
"""Each connection is a descriptor; a shell's usual limit is 1,024."""


def run(settings: Settings, listening: socket.socket) -> None:
    """Serve on ``listening`` until SIGTERM or SIGINT, then finish what is being answered.

    Raises ``ConfigError`` where the server's URL cannot be used.
    """
    _allow_files()
    client = neumo.AsyncClient(settings.server, timeout=settings.limits.deadline_s)
    listening.listen(bound_socket.BACKLOG)
    host, port = listening.getsockname()[:2]
    log.info("ready: http://%s:%d", f"[{host}]" if ":" in host else host, port)
    asyncio.run(make(settings, client).serve([listening]))


def make(settings: Settings, client: neumo.AsyncClient) -> Server:
    """A server that answers from ``client``, which it closes in the end."""
    application = gateway_app.make(settings, client)
    config = uvicorn_config.make(
        application, Connection, lifespan="on", keep_alive_s=KEEP_ALIVE_S, drain_s=DRAIN_S
    )
    return Server(config, application.state.gateway.draining, settings.drain_wait_s)


class Server(uvicorn.Server):
    """uvicorn's server, which says that it stops before it does."""

    def __init__(self, config: uvicorn.Config, draining: asyncio.Event, wait_s: float) -> None:
        super().__init__(config)
        self._draining = draining
        self._wait_s = wait_s

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Stop on SIGTERM or SIGINT: a second one ends it without waiting."""
        loop = asyncio.get_running_loop()
        # uvicorn's own handlers would refuse connections at once; balancers first have to notice.
        for signal_number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(signal_number, self.stop)
        yield

    def stop(self) -> None:
        """Be unready, then finish what is being answered; the second time, end at once."""
        if self._draining.is_set():
            self.should_exit = self.force_exit = True
            return
        log.info("stopping: answering what is under way")
        self._draining.set()
        # Meanwhile /readyz says 503, and requests that come all the same are answered.
        asyncio.get_running_loop().call_later(self._wait_s, self._exit)

    def _exit(self) -> None:
        self.should_exit = True


def bound(host: str, port: int) -> socket.socket:
    """A socket that holds ``port`` of ``host``; raises ``ConfigError`` where it cannot."""
    try:
        family, _, _, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
    except OSError as error:
        raise ConfigError(f"--host {host}: {error.strerror}") from error
    try:
        return bound_socket.bound(family, address)
    except OSError as error:
        text = f"port {port} of {host} cannot be had ({error.strerror}): give another --port"
        raise ConfigError(text) from error


def _allow_files() -> None:
    """Room for as many connections as are accepted."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _FILES if hard == resource.RLIM_INFINITY else min(hard, _FILES)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
