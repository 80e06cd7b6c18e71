"""HTTP connections that another thread can cut: urllib3 itself has no way to give a call up."""

from __future__ import annotations

import contextvars
import socket
from typing import Any
from urllib.parse import unquote

from urllib3 import PoolManager, ProxyManager
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.util import make_headers, parse_url


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


def manager(proxy_url: str | None, **options: Any) -> PoolManager:  # noqa: ANN401 - urllib3's own
    """urllib3's keeper of connections, which tell the line of the call that uses them.

    ``proxy_url`` may hold a user's name and password.
    """
    made: PoolManager
    if proxy_url is None:
        made = PoolManager(**options)
    else:
        auth = parse_url(proxy_url).auth
        headers = make_headers(proxy_basic_auth=unquote(auth)) if auth else None
        made = ProxyManager(proxy_url, proxy_headers=headers, **options)
    made.pool_classes_by_scheme = _POOLS
    return made


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


_POOLS: dict[str, Any] = {"http": _Pool, "https": _SecurePool}
