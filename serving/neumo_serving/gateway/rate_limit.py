"""How many films a client may send in a while: a bucket of tokens each.

By hand, as it is fifty lines. It counts in this process: with several gateways behind one address a
client gets as many times the rate.
"""

from __future__ import annotations

import math
import time
from collections import OrderedDict
from collections.abc import Callable

from neumo_serving.gateway.problems import refusal

MAX_CLIENTS = 10_000
"""Beyond them the one that was quiet for longest is forgotten: its bucket is full again."""


class Rates:
    """A token is a film: ``rate`` come back each second, up to ``burst``."""

    def __init__(
        self, rate: float, burst: int, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._rate = rate
        self._burst = float(burst)
        self._clock = clock
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def take(self, client: str) -> None:
        """Take the token of a request's first film; a ``Refusal`` where there is none."""
        tokens = self._tokens(client)
        if self._rate and tokens < 1.0:
            wait_s = math.ceil((1.0 - tokens) / self._rate)
            raise refusal(
                "rate-limit", f"{self._rate:g} films a second are allowed", retry_s=wait_s
            )
        # How many films there are is known only when the body has come: see ``charge``.
        self._keep(client, tokens - 1.0)

    def charge(self, client: str, films: int) -> None:
        """Take the tokens of further films, which may leave a debt."""
        self._keep(client, self._tokens(client) - films)

    def _tokens(self, client: str) -> float:
        # Filled when it is looked at: no timer runs for anybody.
        tokens, at = self._buckets.get(client, (self._burst, self._clock()))
        return min(self._burst, tokens + (self._clock() - at) * self._rate)

    def _keep(self, client: str, tokens: float) -> None:
        if not self._rate:
            return
        self._buckets[client] = (tokens, self._clock())
        self._buckets.move_to_end(client)
        if len(self._buckets) > MAX_CLIENTS:
            self._buckets.popitem(last=False)
