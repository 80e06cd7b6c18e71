"""Whether predictions can be made now; asked of the server at most once a second."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

import neumo
from neumo import contract
from neumo.model_status import ready_releases

FRESH_S = 1.0
"""Probes of several load balancers come each second."""
WITHIN_S = 3.0
"""A model server that says nothing for so long is not ready."""


@dataclass(frozen=True, slots=True)
class Standing:
    """The newest ``release`` that every member can answer from, or None; and all ``models``."""

    release: int | None
    models: tuple[neumo.ModelStatus, ...]


class Readiness:
    """Asks for all who want to know, however many they are; ``release`` was the last one ready."""

    def __init__(self, client: neumo.AsyncClient) -> None:
        self._client = client
        self._asking: asyncio.Task[Standing] | None = None
        self._fresh_until = 0.0
        self.release: int | None = None

    async def now(self) -> Standing:
        """How it stands, or stood a second ago."""
        clock = asyncio.get_running_loop().time
        if self._asking is None or (self._asking.done() and clock() >= self._fresh_until):
            self._asking = asyncio.create_task(self._ask())
            self._fresh_until = clock() + FRESH_S
        # Shielded: who leaves must not end what others wait for.
        return await asyncio.shield(self._asking)

    async def _ask(self) -> Standing:
        try:
            async with asyncio.timeout(WITHIN_S):
                models = await self._client.status()
        except (neumo.NeumoError, TimeoutError):
            return Standing(None, ())
        members = (member.name for member in contract.MEMBERS)
        release = max(ready_releases(models, members), default=None)
        # Kept where there is none now: what is answered meanwhile is by the one before.
        self.release = self.release if release is None else release
        return Standing(release, models)
