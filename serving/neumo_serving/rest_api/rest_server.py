"""The REST port: its socket, and uvicorn on a thread of its own."""

from __future__ import annotations

import socket
import threading

import uvicorn

from neumo.errors import ConfigError
from neumo_serving.rest_api.rest_app import Application

BACKLOG = 1024
KEEP_ALIVE_S = 50
"""As long as upstream's HTTP library keeps an idle connection."""


class HttpServer:
    """uvicorn on a thread of its own, answering on ``bound``."""

    def __init__(self, application: Application, bound: socket.socket, drain_s: float) -> None:
        self._socket = bound
        self._drain_s = drain_s
        self._server = uvicorn.Server(
            uvicorn.Config(
                application,
                # Named, so that what else is installed changes no answer.
                http="h11",
                loop="asyncio",
                log_config=None,
                access_log=False,
                lifespan="off",
                ws="none",
                server_header=False,
                proxy_headers=False,
                timeout_keep_alive=KEEP_ALIVE_S,
                timeout_graceful_shutdown=int(drain_s),
            )
        )
        self._thread = threading.Thread(
            target=self._server.run, args=([self._socket],), name="http", daemon=True
        )

    def start(self) -> None:
        """Accept connections."""
        self._socket.listen(BACKLOG)
        self._thread.start()

    def stop(self) -> None:
        """Accept no more, and wait for the answers under way."""
        self._server.should_exit = True
        self._thread.join(self._drain_s)


def bound(port: int) -> socket.socket:
    """A socket that holds ``port`` but does not listen: connections are refused until it does.

    It is of both families where the system has both, as upstream's.
    """
    try:
        return _bound(socket.AF_INET6, "::", port) if socket.has_dualstack_ipv6() else _v4(port)
    except OSError as error:
        raise ConfigError(
            f"port {port} is taken ({error.strerror}): stop what listens there, or give another "
            "--rest_api_port"
        ) from error


def _v4(port: int) -> socket.socket:
    return _bound(socket.AF_INET, "0.0.0.0", port)  # noqa: S104 - every interface, as upstream


def _bound(family: socket.AddressFamily, host: str, port: int) -> socket.socket:
    # Without the protocol asyncio leaves Nagle's algorithm on, and every answer takes 40 ms.
    made = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            made.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        made.bind((host, port))
    except OSError:
        made.close()
        raise
    return made
