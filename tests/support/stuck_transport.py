"""A model server that answers when it is told to."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from concurrent.futures import Future
from typing import Any

from neumo._wire.calls import Call, Predict
from neumo.testing import FakeTransport, answering


class Stuck(FakeTransport):
    """Answers all but predictions, until it is told to; ``waiting`` are those and their calls."""

    def __init__(self, scores: Mapping[str, float]) -> None:
        super().__init__(answering(scores))
        self.waiting: list[tuple[Future[Any], Call[Any]]] = []
        self.is_stuck = True

    def start(self, call: Call[Any], timeout_s: float) -> Future[Any]:
        """Keep a prediction waiting."""
        if not self.is_stuck or not isinstance(call, Predict):
            return super().start(call, timeout_s)
        future: Future[Any] = Future()
        self.waiting.append((future, call))
        return future

    def release(self, most: int | None = None) -> None:
        """Answer what has waited for longest; without a number all, now and later."""
        self.is_stuck = most is not None
        for future, call in self.waiting[:most]:
            if not future.done():
                future.set_result(super().start(call, 1.0).result())

    async def holds(self, calls: int) -> None:
        """Wait until so many predictions wait."""
        while len(self.waiting) < calls:
            await asyncio.sleep(0.005)
