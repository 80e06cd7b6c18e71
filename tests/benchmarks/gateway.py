"""What the web gateway leaves of the SDK's speed, and what happens at twice its capacity.

First ``POST /v1/predictions`` beside ``AsyncClient`` on the same films, in turns: the same server,
the same number at a time, the same cores, on which the callers run, too. Then requests arrive at
twice the rate that was reached, whether or not earlier ones are answered.
"""

from __future__ import annotations

import asyncio
import io
import json
import statistics
import time
from collections import Counter

import tests_path  # noqa: F401
from PIL import Image

import neumo
from neumo.release import phantom
from neumo.testing import EmbeddedServer
from neumo_serving.gateway.gateway_settings import Limits
from support.gateway_process import Line, gateway, request

AT_ONCE = Limits().films_at_once
SECONDS = 6.0
TURNS = 5
SIZE_PX = (1200, 900)


def films() -> list[bytes]:
    """JPEG files of an ordinary size."""
    found = []
    for pixels in phantom.chests(5, 16):
        file = io.BytesIO()
        Image.fromarray(pixels[:, :, 0]).resize(SIZE_PX).save(file, "JPEG", quality=90)
        found.append(file.getvalue())
    return found


async def by_sdk(client: neumo.AsyncClient, sources: list[bytes]) -> float:
    """Films a second of ``AT_ONCE`` tasks."""
    until = time.perf_counter() + SECONDS

    async def ask(number: int) -> int:
        count = 0
        while time.perf_counter() < until:
            await client.predict(sources[(number + count) % len(sources)])
            count += 1
        return count

    return sum(await asyncio.gather(*map(ask, range(AT_ONCE)))) / SECONDS


async def by_gateway(port: int, sources: list[bytes]) -> tuple[float, list[float]]:
    """Films a second of ``AT_ONCE`` connections, and the seconds that each took."""
    requests = [request("/v1/predictions", film) for film in sources]
    until = time.perf_counter() + SECONDS
    took: list[float] = []

    async def ask(number: int) -> None:
        line = Line(port)
        count = number
        while (started := time.perf_counter()) < until:
            answer = await line.ask(requests[count % len(requests)])
            took.append(time.perf_counter() - started)
            assert answer.status == 200, answer.body
            count += 1
        line.close()

    await asyncio.gather(*map(ask, range(AT_ONCE)))
    return len(took) / SECONDS, took


async def overload(
    port: int, sources: list[bytes], rate: float
) -> tuple[Counter[int], list[float]]:
    """The statuses at ``rate`` requests a second, and the seconds that the accepted took."""
    requests = [request("/v1/predictions", film) for film in sources]
    idle: list[Line] = []
    statuses: Counter[int] = Counter()
    took: list[float] = []

    async def ask(number: int) -> None:
        line = idle.pop() if idle else Line(port)
        started = time.perf_counter()
        answer = await line.ask(requests[number % len(requests)])
        statuses[answer.status] += 1
        if answer.status == 200:
            took.append(time.perf_counter() - started)
        idle.append(line)

    began = time.perf_counter()
    async with asyncio.TaskGroup() as group:
        for number in range(int(rate * SECONDS * 2)):
            await asyncio.sleep(max(0.0, began + number / rate - time.perf_counter()))
            group.create_task(ask(number))
    for line in idle:
        line.close()
    return statuses, took


def milliseconds(took: list[float]) -> dict[str, float]:
    """Median and 95th percentile."""
    cuts = statistics.quantiles(took, n=20)
    return {"p50_ms": round(cuts[9] * 1000, 1), "p95_ms": round(cuts[18] * 1000, 1)}


async def main() -> None:
    """Measure both."""
    sources = films()
    with EmbeddedServer() as server, gateway(server.grpc_url, "--rate=0") as web:
        async with neumo.AsyncClient(server.grpc_url, timeout=60) as client:
            await by_sdk(client, sources)
            await by_gateway(web.port, sources)
            ratios, rates, all_took = [], [], []
            for _ in range(TURNS):
                sdk = await by_sdk(client, sources)
                rate, took = await by_gateway(web.port, sources)
                ratios.append(rate / sdk)
                rates.append(rate)
                all_took += took
                told = {"sdk": sdk, "gateway": rate, "ratio": rate / sdk}
                print("  " + json.dumps({name: round(value, 2) for name, value in told.items()}))
        capacity, usual = statistics.median(rates), milliseconds(all_took)
        print(f"{AT_ONCE} at a time: {statistics.median(ratios):.0%} of the SDK's films a second")
        statuses, took = await overload(web.port, sources, 2 * capacity)
        under = milliseconds(took)
        print(f"at capacity, {capacity:.0f}/s: {json.dumps(usual)}")
        print(f"at twice the capacity: {json.dumps(under)} of the accepted; {dict(statuses)}")
        print(f"  {under['p50_ms'] / usual['p50_ms']:.2f} x the median, ", end="")
        print(f"{under['p95_ms'] / usual['p95_ms']:.2f} x the 95th percentile")


if __name__ == "__main__":
    asyncio.run(main())
