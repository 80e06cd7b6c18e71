"""Films answered in time by the embedded server at 1 and 2.5 times what it can answer.

What it can answer is measured in the same run, by as many clients as keep it busy. Then films come
at a rate, each with a deadline, whether or not the earlier ones are answered. The two are measured
in turns, and ratios printed. Driver and server share the machine's cores, so that a part of what is
lost at 2.5 times is the driver's own work, whose cores are told. With a folder, the server is that
checkout's.
"""

from __future__ import annotations

import asyncio
import collections
import os
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

import grpc
import tests_path  # noqa: F401

import neumo
from neumo.release import phantom
from support.places import ROOT

CLIENTS = 12
TURNS = 3
WARM_S, SECONDS = 2.0, 6.0
DEADLINE_S = 2.0
FACTORS = (1.0, 2.5)
FILM = phantom.draw(1, 1)[0]
FLAGS = {
    "one by one": ["--grpc_max_threads=241"],
    "in batches": [
        "--grpc_max_threads=241",
        "--enable_batching",
        "--batching_parameters_file={root}/serving/tfserving/batching.config",
    ],
}


@contextmanager
def served(checkout: str, flags: list[str]) -> Iterator[str]:
    """The URL of the server of ``checkout``, ready."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    path = os.pathsep.join(f"{checkout}/{room}" for room in ("client", "serving"))
    words = [sys.executable, "-m", "neumo_serving", f"--port={port}", "--rest_api_port=0"]
    process = subprocess.Popen(
        [*words, *(flag.format(root=checkout) for flag in flags)],
        env=os.environ | {"PYTHONPATH": path},
        stderr=subprocess.DEVNULL,
    )
    try:
        with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
            grpc.channel_ready_future(channel).result(120)
        yield f"grpc://127.0.0.1:{port}"
    finally:
        process.kill()
        process.wait()


class Count:
    """Films answered, between the first seconds, in which the queue fills, and the last."""

    def __init__(self) -> None:
        self.started = time.monotonic()
        self.answered = 0

    def add(self) -> None:
        """One was answered now."""
        self.answered += WARM_S <= self.past() < WARM_S + SECONDS

    def past(self) -> float:
        """Seconds since the start."""
        return time.monotonic() - self.started


async def capacity(url: str) -> float:
    """Films a second that ``CLIENTS`` get who ask without a pause."""
    async with neumo.AsyncClient(url, timeout=60, retries=0) as client:
        await client.predict(FILM)
        count = Count()

        async def one() -> None:
            while count.past() < WARM_S + SECONDS:
                await client.predict(FILM)
                count.add()

        await asyncio.gather(*(one() for _ in range(CLIENTS)))
    return count.answered / SECONDS


async def overload(url: str, a_second: float) -> tuple[float, collections.Counter[str], float]:
    """Films a second in time, how often each outcome, and the cores that the driver took."""
    outcomes: collections.Counter[str] = collections.Counter()
    async with neumo.AsyncClient(url, timeout=DEADLINE_S, retries=0) as client:
        await client.check()
        count, used = Count(), time.process_time()

        async def one() -> None:
            try:
                await client.predict(FILM)
                outcomes["in time"] += 1
                count.add()
            except neumo.NeumoError as error:
                outcomes[type(error).__name__] += 1

        tasks: list[asyncio.Task[None]] = []
        while count.past() < WARM_S + SECONDS:
            due = int(count.past() * a_second)
            tasks += [asyncio.create_task(one()) for _ in range(len(tasks), due)]
            await asyncio.sleep(0.005)
        cores = (time.process_time() - used) / count.past()
        await asyncio.gather(*tasks)
    return count.answered / SECONDS, outcomes, cores


async def main() -> None:
    """Every way to serve, at every rate, in turns."""
    checkout = sys.argv[1] if sys.argv[1:] else str(ROOT)
    for name, flags in FLAGS.items():
        with served(checkout, flags) as url:
            found: dict[float, list[float]] = {factor: [] for factor in FACTORS}
            total = {factor: collections.Counter[str]() for factor in FACTORS}
            cores: dict[float, list[float]] = {factor: [] for factor in FACTORS}
            most = []
            for _ in range(TURNS):
                most.append(await capacity(url))
                for factor in FACTORS:
                    rate, outcomes, used = await overload(url, factor * most[-1])
                    cores[factor].append(used)
                    found[factor].append(rate / most[-1])
                    total[factor] += outcomes
        print(f"{name}: {statistics.median(most):.1f} films/s with {CLIENTS} at once", flush=True)
        for factor, ratios in found.items():
            turns = ", ".join(format(ratio, ".0%") for ratio in ratios)
            middle = statistics.median(ratios)
            print(f"  {factor:3.1f} x: {middle:4.0%} of it in time ({turns}) {dict(total[factor])}")
            print(f"         the driver: {statistics.median(cores[factor]):.2f} cores")


if __name__ == "__main__":
    asyncio.run(main())
