"""The servers behind a host name, for REST: which of them a film's calls go to.

HTTP/1.1 carries one call at a time on a connection, and a film's calls are made together. So they
go over several connections, all to one address: the name is resolved here, and the connection is
made to the address that was chosen, while ``Host`` and TLS go on to name the host.
"""

from __future__ import annotations

import random
import socket
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

RESOLVED_S = 5.0
"""For so long a name's addresses are kept, and one that could not be reached is tried last."""


class Servers:
    """The addresses of ``host``, with what is under way at each; thread-safe."""

    def __init__(self, host: str, port: int) -> None:
        self._host, self._port = host, port
        self._known: tuple[str, ...] = ()
        self._until = 0.0
        self._failed: dict[str, float] = {}
        self._under_way: Counter[str] = Counter()
        self._lock = threading.Lock()

    def addresses(self) -> tuple[str, ...]:
        """All of them; raises ``OSError`` where the name has never had one."""
        now = time.monotonic()
        if now >= self._until:
            try:
                found = socket.getaddrinfo(self._host, self._port, type=socket.SOCK_STREAM)
            except OSError:
                if not self._known:
                    raise
            else:
                self._known = tuple(dict.fromkeys(str(info[4][0]) for info in found))
            self._until = now + RESOLVED_S
        return self._known

    def choose(self, without: set[str]) -> str | None:
        """Of two at random the one with less to do; None where all are in ``without``."""
        left = [address for address in self.addresses() if address not in without]
        if not left:
            return None
        since = time.monotonic() - RESOLVED_S
        with self._lock:
            sound = [address for address in left if self._failed.get(address, since) <= since]
            # "The power of two choices", as gRPC's lanes.
            return min(random.choices(sound or left, k=2), key=self._under_way.__getitem__)  # noqa: S311

    def has_failed(self, address: str) -> None:
        """``address`` could not be reached."""
        with self._lock:
            self._failed[address] = time.monotonic()
        self._until = 0.0

    @contextmanager
    def call_to(self, address: str) -> Iterator[None]:
        """Around one call."""
        with self._lock:
            self._under_way[address] += 1
        try:
            yield
        finally:
            with self._lock:
                self._under_way[address] -= 1


class Choice:
    """The server of one film's calls: chosen with the first one, left where it is out of reach."""

    def __init__(self, servers: Servers) -> None:
        self.servers = servers
        self._lock = threading.Lock()
        self._tried: set[str] = set()
        self._chosen: str | None = None

    def server(self) -> str:
        """Its address; raises ``OSError`` where the name has none."""
        with self._lock:
            if self._chosen is None:
                self._chosen = self.servers.choose(self._tried)
            if self._chosen is None:
                raise OSError("the server's name has no address")
            return self._chosen

    def has_others(self) -> bool:
        """Whether there is another one to go to."""
        return bool(set(self.servers.addresses()) - self._tried - {self._chosen})

    def leave(self, address: str) -> bool:
        """``address`` could not be reached; whether there is another one to go to."""
        self.servers.has_failed(address)
        with self._lock:
            self._tried.add(address)
            if self._chosen == address:
                other = self.servers.choose(self._tried)
                if other is None:  # the next step of the plan may find it there again
                    self._tried.clear()
                    return False
                self._chosen = other
            return True
