"""64 concurrent predictions of one ``AsyncClient`` on a server that batches, on the same cores.

The floor is the release's SavedModels in a process of their own, at the mean batch size that the
server reached, with as many callers and threads as do best. The two are measured in turns. Beside
the ratio of their rates is that of the CPU that a film takes, which other programs on the machine
change less; and the CPU of a film is told apart: the models', the rest of the server's, the
client's.
"""

from __future__ import annotations

import asyncio
import json
import statistics
import tempfile
import time
from pathlib import Path

import requests
import tests_path  # noqa: F401

import neumo
from neumo.release import phantom
from neumo.testing import EmbeddedServer
from neumo_serving.config import shipped_release
from support.measuring import floor
from support.measuring.process_cpu import cpu_s

CONCURRENCY = 64
SECONDS = 8.0
TURNS = 4
BATCHING = """max_batch_size { value: 32 } batch_timeout_micros { value: 2000 }
max_enqueued_batches { value: 1000 } num_batch_threads { value: 2 }
"""
MONITORING = 'prometheus_config { enable: true path: "/monitoring/prometheus/metrics" }'
SESSION = ":tensorflow:serving:batching_session"
FILMS = phantom.chests(5, 32)


def server(folder: Path) -> EmbeddedServer:
    """The shipped release on a server that batches."""
    (folder / "batching.config").write_text(BATCHING, encoding="ascii")
    (folder / "monitoring.config").write_text(MONITORING, encoding="ascii")
    return EmbeddedServer(
        [
            "--grpc_max_threads=256",
            "--enable_batching",
            "--tensorflow_intra_op_parallelism=1",
            f"--batching_parameters_file={folder / 'batching.config'}",
            f"--monitoring_config_file={folder / 'monitoring.config'}",
        ]
    )


def batched(url: str) -> tuple[int, int]:
    """How many requests were batched so far, and in how many batches."""
    text = requests.get(f"{url}/monitoring/prometheus/metrics", timeout=10).text
    found = {f"{SESSION}:queuing_latency_count": 0, f"{SESSION}:wrapped_run_count": 0}
    for line in text.splitlines():
        name = line.partition("{")[0].partition(" ")[0]
        if name in found:
            found[name] += int(float(line.rpartition(" ")[2]))
    requests_, batches = found.values()
    return requests_, batches


async def predictions(client: neumo.AsyncClient, seconds: float) -> tuple[int, float]:
    """Predictions of ``CONCURRENCY`` tasks that ask without a pause, and their seconds."""
    until = time.perf_counter() + seconds
    count = 0

    async def ask(number: int) -> None:
        nonlocal count
        while time.perf_counter() < until:
            await client.predict(FILMS[number % len(FILMS)])
            count += 1

    started = time.perf_counter()
    await asyncio.gather(*(ask(number) for number in range(CONCURRENCY)))
    return count, time.perf_counter() - started


async def main() -> None:
    """Measure client and floor in turns."""
    turns: list[dict[str, float]] = []
    models = list(shipped_release.folders())
    with (
        tempfile.TemporaryDirectory() as folder,
        server(Path(folder)) as serving,
        floor.of(models, SECONDS) as in_process,
    ):
        async with neumo.AsyncClient(serving.grpc_url, timeout=60) as client:
            await predictions(client, SECONDS)
            for _ in range(TURNS):
                turns.append(await _turn(client, serving, in_process))
                print("  " + json.dumps({name: round(one, 2) for name, one in turns[-1].items()}))
    middle = {name: statistics.median(turn[name] for turn in turns) for name in turns[0]}
    rate, base = middle["predictions/s"], middle["floor"]
    print(f"{CONCURRENCY} concurrent predictions: {rate:.0f}/s, floor {base:.0f}/s:")
    print(f"  {statistics.median(one['predictions/s'] / one['floor'] for one in turns):.0%} of it")
    models_ms = middle["floor_ms"]
    both_ms = middle["server_ms"] + middle["client_ms"]
    print(f"by CPU alone: {models_ms / middle['server_ms']:.0%} with the server's, ", end="")
    print(f"{models_ms / both_ms:.0%} with the client's, too; of {both_ms:.1f} ms a film")
    parts = {
        "the models": models_ms,
        "the rest of the server": middle["server_ms"] - models_ms,
        "the client": middle["client_ms"],
    }
    for name, part in parts.items():
        print(f"  {name:24} {part:6.2f} ms {part / both_ms:5.0%}")


async def _turn(
    client: neumo.AsyncClient, serving: EmbeddedServer, in_process: floor.Floor
) -> dict[str, float]:
    asked, batches = batched(serving.http_url)
    own, servers = time.process_time(), cpu_s(serving.process.pid)
    films, seconds = await predictions(client, SECONDS)
    own, servers = time.process_time() - own, cpu_s(serving.process.pid) - servers
    now_asked, now_batches = batched(serving.http_url)
    size = (now_asked - asked) / (now_batches - batches)
    base = in_process(size)
    return {
        "batch": size,
        "predictions/s": films / seconds,
        "floor": base["rate"],
        "server_ms": servers / films * 1000,
        "client_ms": own / films * 1000,
        "floor_ms": base["cpu_ms"],
    }


if __name__ == "__main__":
    asyncio.run(main())
