"""Whether there is room: for films that are asked about, and for the bytes of uploads.

Nobody queues: where there is no room the request is refused at once, and says when to come back.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from neumo_serving.gateway.problems import SOON_S, Refusal, refusal

AT_ONCE_OF_A_REQUEST = 4
"""A request of many films leaves room for others."""


class Places:
    """At most ``most`` films at a time."""

    def __init__(self, most: int) -> None:
        self.most = most
        self.taken = 0

    def check(self) -> None:
        """Raise a ``Refusal`` where there is none left now."""
        if self.taken >= self.most:
            raise _busy("all places are taken")

    @contextmanager
    def take(self, films: int) -> Iterator[int]:
        """Places for a request of so many films, as many as are given: at least one."""
        self.check()
        # Fewer than the films is enough: the SDK asks about the rest as places come free.
        given = min(films, AT_ONCE_OF_A_REQUEST, self.most - self.taken)
        self.taken += given
        try:
            yield given
        finally:
            self.taken -= given


class Held:
    """At most ``most_bytes`` of uploads at a time, and of one client at most ``share_bytes``."""

    def __init__(self, most_bytes: int, share_bytes: int) -> None:
        self._most_bytes = most_bytes
        self._share_bytes = share_bytes
        self._by_client: Counter[str] = Counter()
        self.total_bytes = 0

    @contextmanager
    def by(self, client: str) -> Iterator[Hold]:
        """What one request of ``client`` holds, until the block ends."""
        hold = Hold(self, client)
        try:
            yield hold
        finally:
            self._add(client, -hold.size_bytes)

    def _add(self, client: str, size_bytes: int) -> None:
        self.total_bytes += size_bytes
        self._by_client[client] += size_bytes
        # Else every address that ever sent a film would stay in memory.
        if not self._by_client[client]:
            del self._by_client[client]

    def _check(self, client: str) -> None:
        if self._by_client[client] > self._share_bytes:
            raise _busy("this client's uploads fill its share of the memory")
        if self.total_bytes > self._most_bytes:
            raise _busy("uploads fill the memory that is set aside for them")


class Hold:
    """The bytes of one request."""

    def __init__(self, held: Held, client: str) -> None:
        self._held = held
        self._client = client
        self.size_bytes = 0

    def add(self, size_bytes: int) -> None:
        """Hold so many more; raises a ``Refusal`` where there is no room."""
        # Counted before it is checked, so that the block's end takes away what was added.
        self.size_bytes += size_bytes
        self._held._add(self._client, size_bytes)
        self._held._check(self._client)


def _busy(what: str) -> Refusal:
    return refusal("busy", f"{what}: try again in a moment", retry_s=SOON_S)
