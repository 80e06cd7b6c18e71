"""The gateway as a process: its socket, uvicorn, and how it stops."""

from __future__ import annotations

import asyncio
import errno
import logging
import resource
import signal
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import uvicorn

import neumo
from neumo.errors import ConfigError
from neumo_serving.asgi import bound_socket, uvicorn_config
from neumo_serving.gateway import gateway_app, http_protocol, middleware
from neumo_serving.gateway.gateway_settings import Settings

log = logging.getLogger(__name__)

KEEP_ALIVE_S = 75
"""Longer than the 60 s of usual proxies, so that it is they who close."""
DRAIN_S = 25
"""For requests under way at the end; Kubernetes kills 30 s after its SIGTERM."""
_FILES = 4096
"""Each connection is a descriptor; a shell's usual limit is 1,024."""


def run(settings: Settings, listening: socket.socket, operators: socket.socket) -> None:
    """Serve on both until SIGTERM or SIGINT, then finish what is being answered.

    Raises ``ConfigError`` where the server's URL, or the canary's, cannot be used.
    """
    _allow_files()
    timeout = settings.limits.deadline_s
    client = neumo.AsyncClient(settings.server, timeout=timeout)
    # Of the canary each failure counts: none is hidden by asking again.
    rules = settings.shadow
    canary = neumo.AsyncClient(rules.url, timeout=timeout, retries=0) if rules else None
    for one in (operators, listening):
        one.listen(bound_socket.BACKLOG)
    log.info("operators: http://%s", _address(operators))
    log.info("ready: http://%s", _address(listening))
    server = make(settings, client, canary, operators.getsockname()[1])
    asyncio.run(server.serve([listening, operators]))


def make(
    settings: Settings,
    client: neumo.AsyncClient,
    canary: neumo.AsyncClient | None = None,
    operators_port: int | None = None,
) -> Server:
    """A server that answers from ``client``, and asks the shadow's ``canary``; it closes both.

    What comes in at ``operators_port`` is asked by those who run it.
    """
    application = gateway_app.make(settings, client, canary, operators_port)
    config = uvicorn_config.make(
        application,
        http_protocol.limited(settings.access),
        lifespan="on",
        keep_alive_s=KEEP_ALIVE_S,
        drain_s=DRAIN_S,
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
        # asyncio's own words quote what a client sent.
        loop.set_exception_handler(lambda _loop, context: _tell(context))
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


def bound(host: str, port: int, flag: str = "--port") -> socket.socket:
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
        # Any address, where the kernel knows those of IPv4 alone.
        if host == "::" and error.errno in {errno.EAFNOSUPPORT, errno.EADDRNOTAVAIL}:
            return bound("0.0.0.0", port, flag)  # noqa: S104 - as it was asked for
        text = f"port {port} of {host} cannot be had ({error.strerror}): give another {flag}"
        raise ConfigError(text) from error


def _address(listening: socket.socket) -> str:
    host, port = listening.getsockname()[:2]
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _tell(context: dict[str, Any]) -> None:
    error = context.get("exception")
    # A client that left in the middle is no fault.
    if isinstance(error, Exception) and not isinstance(error, ConnectionError):
        middleware.tell(error)


def _allow_files() -> None:
    """Room for as many connections as are accepted."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _FILES if hard == resource.RLIM_INFINITY else min(hard, _FILES)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
