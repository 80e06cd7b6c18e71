"""10,000 predictions by each client while the server is restarted, once politely, once by kill -9.

Every film must have its outcome in its place: its own probability, or a failure that says why.
Prints what happened; the exit status is 1 where anything was lost, mixed up or kept.
"""

from __future__ import annotations

import asyncio
import gc
import itertools
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import neumo
from neumo.release import phantom
from neumo.testing import EmbeddedServer

PREDICTIONS = 10_000
FILMS = phantom.chests(7, 40)
RESTARTS = (PREDICTIONS * 3 // 10, PREDICTIONS * 6 // 10)
WARM = PREDICTIONS // 10
LARGEST_GROWTH = 1.1
SAME = 1e-5

Outcomes = Iterable[float | neumo.Failure]
"""A film's probability, which is all that is kept of its prediction."""


def brief(outcome: neumo.Prediction | neumo.Failure) -> float | neumo.Failure:
    """The probability, or the failure."""
    return outcome if isinstance(outcome, neumo.Failure) else outcome.probability


def blocking(url: str, progress: Callable[[int, int | None], None]) -> Outcomes:
    """By ``Client``."""
    with neumo.Client(url, timeout=30) as client:
        yield from map(brief, client.predict_many(sources(), progress=progress))


def awaiting(url: str, progress: Callable[[int, int | None], None]) -> Outcomes:
    """By ``AsyncClient``."""

    async def ask() -> list[float | neumo.Failure]:
        async with neumo.AsyncClient(url, timeout=30) as client:
            outcomes = client.predict_many(sources(), progress=progress)
            return [brief(one) async for one in outcomes]

    return asyncio.run(ask())


def sources() -> Iterator[object]:
    """The same few films, again and again."""
    return itertools.islice(itertools.cycle(FILMS), PREDICTIONS)


def expected(url: str) -> list[float]:
    """What the server says of each film when nothing disturbs it."""
    with neumo.Client(url, timeout=60) as client:
        return [client.predict(film).probability for film in FILMS]


def resident_mb() -> float:
    """This process's memory."""
    gc.collect()
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return next(int(line.split()[1]) / 1024 for line in status.splitlines() if "VmRSS" in line)


class Disturber:
    """Restarts ``server`` when enough films are answered, and notes this process's memory."""

    def __init__(self, server: EmbeddedServer) -> None:
        self._server = server
        self._due = {number: threading.Event() for number in RESTARTS}
        self._thread = threading.Thread(target=self._disturb, daemon=True)
        self.warm_mb = 0.0
        self._thread.start()

    def progress(self, done: int, total: int | None) -> None:
        """Called with each answer."""
        if done == WARM:
            self.warm_mb = resident_mb()
        if done in self._due:
            self._due[done].set()

    def _disturb(self) -> None:
        for polite, due in zip((True, False), self._due.values(), strict=True):
            due.wait()
            if not polite:
                self._server.process.kill()
            self._server.stop()
            self._server.start()

    def join(self) -> None:
        """Wait until the server is there again."""
        self._thread.join()


def wrong(outcomes: Outcomes, right: list[float]) -> tuple[Counter[str], list[str]]:
    """How many of each outcome there were, and what is wrong with them."""
    counts: Counter[str] = Counter()
    faults = []
    number = -1
    for number, outcome in enumerate(outcomes):
        if isinstance(outcome, neumo.Failure):
            counts[type(outcome.error).__name__] += 1
            if outcome.source_index != number:
                faults.append(f"film {number}: the failure of film {outcome.source_index}")
            continue
        counts["predicted"] += 1
        if abs(outcome - right[number % len(right)]) > SAME:
            faults.append(f"film {number}: another film's probability")
    if number + 1 != PREDICTIONS:
        faults.append(f"{number + 1} outcomes for {PREDICTIONS} films")
    return counts, faults


def main() -> int:
    """Disturb each client in turn."""
    is_bad = False
    with EmbeddedServer() as server:
        right = expected(server.grpc_url)
        for name, ask, url in (
            ("Client over gRPC", blocking, server.grpc_url),
            ("AsyncClient over gRPC", awaiting, server.grpc_url),
            ("Client over REST", blocking, server.http_url),
        ):
            disturber = Disturber(server)
            started = time.monotonic()
            counts, faults = wrong(ask(url, disturber.progress), right)
            took = time.monotonic() - started
            disturber.join()
            growth = resident_mb() / disturber.warm_mb
            if growth > LARGEST_GROWTH:
                faults.append(f"memory grew to {growth:.2f} x")
            told = ", ".join(f"{count} {what}" for what, count in counts.most_common())
            print(f"{name}: {told}; {took:.0f} s; memory {growth:.2f} x", flush=True)
            for fault in faults[:10]:
                print(f"  WRONG {fault}")
            is_bad |= bool(faults)
    return int(is_bad)


if __name__ == "__main__":
    sys.exit(main())
