"""The REST port: its socket, and uvicorn on a thread of its own."""

from __future__ import annotations

import socket
import threading

import uvicorn

from neumo.errors import ConfigError
from neumo_serving.asgi import bound_socket, uvicorn_config
from neumo_serving.asgi.asgi_types import Application

KEEP_ALIVE_S = 50
"""As long as upstream's HTTP library keeps an idle connection."""


class HttpServer:
    """uvicorn on a thread of its own, answering on ``bound``."""

    def __init__(self, application: Application, bound: socket.socket, drain_s: float) -> None:
        self._socket = bound
        self._drain_s = drain_s
        config = uvicorn_config.make(
            application, "h11", lifespan="off", keep_alive_s=KEEP_ALIVE_S, drain_s=int(drain_s)
        )
        self._server = uvicorn.Server(config)
        # A daemon: a connection that does not end must not keep the process.
        self._thread = threading.Thread(
            target=self._server.run, args=([self._socket],), name="http", daemon=True
        )

    def start(self) -> None:
        """Accept connections."""
        self._socket.listen(bound_socket.BACKLOG)
        self._thread.start()

    def stop(self) -> None:
        """Accept no more, and wait for the answers under way."""
        # The flag that uvicorn looks at; its signal handlers are only for a main thread.
        self._server.should_exit = True
        self._thread.join(self._drain_s)


def bound(port: int) -> socket.socket:
    """A socket that holds ``port`` but does not listen: connections are refused until it does.

    It is of both families where the system has both, as upstream's.
    """
    family, host = socket.AF_INET, "0.0.0.0"  # noqa: S104 - every interface, as upstream
    if socket.has_dualstack_ipv6():
        family, host = socket.AF_INET6, "::"
    try:
        return bound_socket.bound(family, (host, port))
    except OSError as error:
        raise ConfigError(
            f"port {port} is taken ({error.strerror}): stop what listens there, or give another "
            "--rest_api_port"
        ) from error
