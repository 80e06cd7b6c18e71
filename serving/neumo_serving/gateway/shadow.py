"""The shadow: a canary is asked about films whose users have their answers already.

A film waits in memory, within bounds, until the canary is asked; then it is gone. Whenever the
gateway has much to do, or the canary is slow, it is the shadow's films that are dropped.
"""

from __future__ import annotations

import asyncio
import random
from collections import Counter, OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import neumo
from neumo import image
from neumo_serving.gateway.admission import Places
from neumo_serving.gateway.gateway_settings import MIB, ShadowRules
from neumo_serving.gateway.large_films import LARGE_PIXELS
from neumo_serving.gateway.middleware import tell
from neumo_serving.gateway.shadow_comparison import Comparison, Failed, Outcome, Refused, Stable

WAITING = 64
"""Films that wait for the canary at most; one more is dropped."""
WAITING_BYTES = 64 * MIB
COMPARISONS = 8
"""Pairs of releases that are told apart; of a ninth, the one seen last longest ago is forgotten."""


@dataclass(frozen=True, slots=True)
class _Waiting:
    film: bytes
    stable: Stable
    is_explained: bool


class Shadow:
    """One gateway's shadow; ``run`` asks the ``canary`` until it is cancelled."""

    def __init__(
        self,
        rules: ShadowRules,
        canary: neumo.AsyncClient,
        places: Places,
        count: Callable[[str], None],
        chance: Callable[[], float] = random.random,
    ) -> None:
        """``count`` is told what came of each film; ``chance`` is a number in [0, 1)."""
        self.rules = rules
        self._canary = canary
        self._places = places
        self._count = count
        self._chance = chance
        self._since = datetime.now(UTC)
        self._queue: asyncio.Queue[_Waiting] = asyncio.Queue(WAITING)
        self._waiting_bytes = 0
        self._asking = 0
        self._offered = 0
        self._dropped: Counter[str] = Counter(busy=0, full=0, large=0)
        self._comparisons: OrderedDict[tuple[int | None, int | None], Comparison] = OrderedDict()
        self._stable_release: int | None = None
        self._canary_release: int | None = None

    def offer(self, film: bytes, stable: Stable, *, is_explained: bool = False) -> None:
        """Take the film, if chance has it and there is room; it never waits.

        ``stable`` is what the user was told; of an ``is_explained`` film the canary is asked for
        an explanation, too, so that both took their time over the same.
        """
        if self._chance() >= self.rules.share:
            return
        self._offered += 1
        if self._is_busy():
            self._drop("busy")
        elif self._queue.full() or self._waiting_bytes + len(film) > WAITING_BYTES:
            self._drop("full")
        else:
            self._waiting_bytes += len(film)
            self._queue.put_nowait(_Waiting(film, stable, is_explained))

    async def run(self) -> None:
        """Ask about one film after the other."""
        async with self._canary:
            while True:
                waiting = await self._queue.get()
                self._waiting_bytes -= len(waiting.film)
                self._asking = 1
                try:
                    await self._ask(waiting)
                except Exception as error:  # noqa: BLE001 - the shadow's fault is nobody else's
                    tell(error)
                    self._compare(waiting.stable, Failed(type(error).__name__))
                self._asking = 0
                # Else its film would stay until the next one comes.
                del waiting

    def comparisons(self) -> tuple[Comparison, ...]:
        """Of each pair of releases, those seen last first."""
        return tuple(reversed(self._comparisons.values()))

    def document(self) -> dict[str, Any]:
        """It as JSON takes it."""
        rules = self.rules
        return {
            "shadow": "on",
            "since": self._since.isoformat(timespec="seconds").replace("+00:00", "Z"),
            "share": rules.share,
            "alpha": rules.alpha,
            "limits": {
                "flips": rules.max_flips,
                "refusals": rules.max_refusals,
                "failures": rules.max_failures,
                "change": rules.max_change,
                "slow_factor": rules.slow_factor,
                "slow": rules.max_slow,
            },
            "queue": {
                "films": self._queue.qsize(),
                "bytes": self._waiting_bytes,
                "asking": self._asking,
            },
            "offered": self._offered,
            "dropped": dict(self._dropped),
            "comparisons": [one.document() for one in self.comparisons()],
        }

    def _is_busy(self) -> bool:
        """Whether users want half of the places or more."""
        return 2 * self._places.taken >= max(2, self._places.most)

    def _drop(self, why: str) -> None:
        self._dropped[why] += 1
        self._count("dropped")

    async def _ask(self, waiting: _Waiting) -> None:
        # Users may have come while it waited: it goes first.
        if self._is_busy():
            self._drop("busy")
        elif await asyncio.to_thread(image.pixel_count, waiting.film) > LARGE_PIXELS:
            self._drop("large")
        else:
            self._compare(waiting.stable, await self._outcome(waiting))

    async def _outcome(self, waiting: _Waiting) -> Outcome:
        try:
            if waiting.is_explained:
                return (await self._canary.explain(waiting.film)).prediction
            return await self._canary.predict(waiting.film)
        except neumo.NotAChestRadiograph:
            return Refused()
        except neumo.NeumoError as error:
            return Failed(type(error).__name__)

    def _compare(self, stable: Stable, canary: Outcome) -> None:
        # Neither a refusal nor a failure tells its release: they are of the last that was told.
        if isinstance(stable, neumo.Prediction):
            self._stable_release = stable.release
        if isinstance(canary, neumo.Prediction):
            self._canary_release = canary.release
        pair = (self._stable_release, self._canary_release)
        if pair not in self._comparisons:
            self._comparisons[pair] = Comparison(self.rules, *pair)
        self._comparisons.move_to_end(pair)
        if len(self._comparisons) > COMPARISONS:
            self._comparisons.popitem(last=False)
        self._count(self._comparisons[pair].add(stable, canary))
