"""HTTP connections that another thread can cut: requests itself has no way to give a call up."""

from __future__ import annotations

import contextvars
import socket
from typing import Any

from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool


class Line:
    """What one call travels on: no connection yet, then one, until it is cut."""

    def __init__(self) -> None:
        self._connection: HTTPConnection | None = None
        self._is_cut = False

    def cut(self) -> None:
        """End whatever waits on the connection now, or will."""
        self._is_cut = True
        sock = self._connection and self._connection.sock
        if sock:
            try:
                # Not SSLSocket's own, which another thread must not call while one reads.
                socket.socket.shutdown(sock, socket.SHUT_RDWR)
            except OSError:
                return  # it has ended by itself

    def taken(self, connection: HTTPConnection) -> None:
        """The call goes on over ``connection``."""
        self._connection = connection
        self.check()

    def check(self) -> None:
        """Raise ``ConnectionAbortedError`` where the line has been cut."""
        if self._is_cut:
            raise ConnectionAbortedError("the call was given up")


of_this_call: contextvars.ContextVar[Line] = contextvars.ContextVar("line")
"""Set by the thread that carries a call."""


class CancellableAdapter(HTTPAdapter):
    """Its connections tell the line of the call that uses them."""

    def init_poolmanager(self, *args: Any, **options: Any) -> None:  # noqa: ANN401 - requests' own
        """As requests has it, with pools of such connections."""
        super().init_poolmanager(*args, **options)
        self.poolmanager.pool_classes_by_scheme = _POOLS

    def proxy_manager_for(self, *args: Any, **options: Any) -> Any:  # noqa: ANN401 - requests' own
        """The same for a proxy."""
        manager = super().proxy_manager_for(*args, **options)
        manager.pool_classes_by_scheme = _POOLS
        return manager


class _OnLine(HTTPConnection):
    def connect(self) -> None:
        line = of_this_call.get()
        line.taken(self)
        super().connect()
        line.check()

    def request(self, *args: Any, **options: Any) -> None:  # noqa: ANN401 - urllib3's own
        of_this_call.get().taken(self)
        super().request(*args, **options)


class _SecureOnLine(_OnLine, HTTPSConnection):
    pass


class _Pool(HTTPConnectionPool):
    ConnectionCls = _OnLine


class _SecurePool(HTTPSConnectionPool):
    ConnectionCls = _SecureOnLine


_POOLS = {"http": _Pool, "https": _SecurePool}
