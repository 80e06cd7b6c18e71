"""50,000 requests to the web gateway, of every kind, some of clients that leave: memory stays flat.

Prints what came of them and how the gateway's memory grew; the exit status is 1 where an answer was
not the one expected, or memory grew. With ``--canned`` the models answer inside the gateway's
process, always the same: all the time goes into the gateway itself.
"""

from __future__ import annotations

import asyncio
import io
import sys
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import tests_path  # noqa: F401
from PIL import Image

import neumo
from neumo import contract
from neumo.release import phantom
from neumo.testing import EmbeddedServer, FakeTransport, answering
from neumo_serving.gateway import gateway_server
from neumo_serving.gateway.gateway_settings import Limits, Settings
from support.gateway_process import READY, GatewayProcess, Line, form, gateway, request, started

REQUESTS = next((int(text) for text in sys.argv[1:] if text.isdecimal()), 50_000)
CANNED = "--canned"
SERVE = "--serve"
WARM = REQUESTS // 10
LINES = 8
FLAGS = ("--rate=0", "--films-at-once=64")
LARGEST_GROWTH = 1.1
REPORTS = 10


def films() -> list[bytes]:
    """Small JPEG files: the gateway is to be worked, not the decoder."""
    found = []
    for pixels in phantom.chests(9, 32):
        file = io.BytesIO()
        Image.fromarray(pixels[:, :, 0]).save(file, "JPEG")
        found.append(file.getvalue())
    return found


def kinds(sources: list[bytes]) -> list[tuple[bytes, int]]:
    """Twenty requests, most of them as people send them, and the status that each should have."""
    bare = [(request("/v1/predictions", film), 200) for film in sources[:10]]
    forms = [(request("/v1/predictions", *form(film)), 200) for film in sources[10:14]]
    return [
        *bare,
        *forms,
        (request("/v1/predictions", *form(*sources[14:16], b"no film")), 200),
        (request("/v1/explanations", sources[16]), 200),
        (request("/v1/predictions", sources[17][:200]), 422),
        (request("/v1/predictions", sources[18], {"Content-Type": "text/plain"}), 415),
        (request("/v1/nothing", verb="GET"), 404),
        (request("/v1/status", verb="GET"), 200),
    ]


def resident_mb(web: GatewayProcess) -> float:
    """The gateway's memory now."""
    pages = int(Path(f"/proc/{web.process.pid}/statm").read_text().split()[1])
    return pages * 4096 / 1e6


async def leave(port: int, sent: bytes) -> None:
    """Send a film, and go before the answer."""
    _, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(sent)
    await writer.drain()
    writer.transport.abort()


async def ask_all(web: GatewayProcess) -> tuple[Counter[str], dict[int, float]]:
    """How many answers were as expected or not, and the memory after so many requests."""
    mix = kinds(films())
    counts: Counter[str] = Counter()
    memory: dict[int, float] = {}
    numbers = iter(range(REQUESTS))

    async def ask() -> None:
        line = Line(web.port)
        for number in numbers:
            if number in (WARM, REQUESTS - 1) or number % (REQUESTS // REPORTS) == 0:
                memory[number] = resident_mb(web)
                print(f"  {number} requests: {memory[number]:.0f} MB", flush=True)
            if number % 50 == 49:
                await leave(web.port, mix[0][0])
                counts["left"] += 1
                continue
            sent, status = mix[number % len(mix)]
            try:
                answer = await line.ask(sent)
            except (OSError, EOFError):
                counts[
                    f"broken connection at request {number} of the kind {number % len(mix)}"
                ] += 1
                line.close()
                continue
            is_expected = answer.status == status
            counts["as expected" if is_expected else f"{answer.status} for {status}"] += 1
        line.close()

    await asyncio.gather(*(ask() for _ in range(LINES)))
    return counts, memory


class Canned(FakeTransport):
    """Keeps no record of what it was asked."""

    def start(self, call: Any, timeout_s: float) -> Future[Any]:
        """Answer ``call``."""
        self.asked.clear()
        return super().start(call, timeout_s)


def serve() -> None:
    """Be a gateway whose models are canned; says its port."""
    models = Canned(answering({member.name: 0.5 for member in contract.MEMBERS}))
    settings = Settings(limits=Limits(rate=0, films_at_once=64))
    listening = gateway_server.bound("127.0.0.1", 0)
    listening.listen()
    print(f"{READY}127.0.0.1:{listening.getsockname()[1]}", flush=True)
    asyncio.run(
        gateway_server.make(settings, neumo.AsyncClient(transport=models)).serve([listening])
    )


@contextmanager
def gateways() -> Iterator[GatewayProcess]:
    """The gateway, before the embedded server or with canned answers."""
    if CANNED in sys.argv:
        with started([sys.executable, __file__, SERVE]) as web:
            yield web
        return
    with EmbeddedServer() as server, gateway(server.grpc_url, *FLAGS) as web:
        yield web


def main() -> int:
    """Ask, and judge."""
    with gateways() as web:
        began = time.monotonic()
        counts, memory = asyncio.run(ask_all(web))
        took = time.monotonic() - began
    print("".join(web.said[1:]), end="")
    growth = memory[REQUESTS - 1] / memory[WARM]
    told = ", ".join(f"{count} {what}" for what, count in counts.most_common())
    print(f"{REQUESTS} requests: {told}; {took:.0f} s")
    print(f"memory {growth:.3f} x from request {WARM} on")
    is_bad = growth > LARGEST_GROWTH or set(counts) - {"as expected", "left"}
    return int(bool(is_bad))


if __name__ == "__main__":
    sys.exit(serve() if SERVE in sys.argv else main())
