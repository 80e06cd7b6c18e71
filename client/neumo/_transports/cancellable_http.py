"""requests' connections, which another thread can cut: requests has no way to give a call up."""

from __future__ import annotations

import contextvars
import socket
from typing import Any
from urllib.parse import urlsplit

from requests import PreparedRequest
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
    """requests' keeper of connections, which tell the line of the call that uses them.

    ``tls`` is what TLS takes: ``ssl_context``, and ``server_hostname`` where a connection is made
    to an address. An adapter alone, no session: nothing of the environment is read, such as
    ``~/.netrc``, whose password would take a token's place; no cookie is kept.
    """

    def __init__(self, connections: int, **tls: Any) -> None:  # noqa: ANN401 - urllib3's own
        self._tls = tls
        super().__init__(pool_connections=connections, pool_maxsize=connections)

    def init_poolmanager(self, *args: Any, **options: Any) -> None:  # noqa: ANN401 - requests' own
        """As requests has it, with connections that can be cut."""
        super().init_poolmanager(*args, **{**options, **self._tls})
        self.poolmanager.pool_classes_by_scheme = _POOLS

    def proxy_manager_for(self, proxy: str, **options: Any) -> Any:  # noqa: ANN401 - requests' own
        """The same by way of a proxy."""
        manager = super().proxy_manager_for(proxy, **options, **self._tls)
        manager.pool_classes_by_scheme = _POOLS
        return manager

    def cert_verify(self, conn: Any, url: Any, verify: Any, cert: Any) -> None:  # noqa: ANN401
        """Nothing: requests would add its own authorities to those of the context."""

    def build_connection_pool_key_attributes(
        self,
        request: PreparedRequest,
        verify: Any,  # noqa: ANN401, ARG002 - requests' own
        cert: Any = None,  # noqa: ANN401, ARG002 - requests' own
    ) -> tuple[Any, Any]:
        """Where ``request`` goes; how it is encrypted is the adapter's, the same for all."""
        parts = urlsplit(str(request.url))
        return {"scheme": parts.scheme, "host": parts.hostname, "port": parts.port}, {}


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
