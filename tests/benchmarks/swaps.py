"""Versions of one shipped model change under load: failures, wrong versions, latency, memory.

At half of the measured capacity, with an open loop: a request is timed from when it was due. Exits
with 1 where a request failed, was answered by a version that was not AVAILABLE, or where memory
did not come back to within 10 %.

    python tests/benchmarks/swaps.py [--swaps 20] [--seconds 60] [--rate REQUESTS_A_SECOND]
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import threading
import time
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
import grpc
import tensorflow as tf
import tests_path  # noqa: F401
from tensorflow_serving.apis import predict_pb2

from neumo.release import phantom
from neumo.testing import EmbeddedServer
from neumo_serving.config import shipped_release
from support.version_swaps import (
    PREDICT,
    Answer,
    Load,
    Sightings,
    percentile,
    put,
    resident_mib,
    swap,
    watched,
)

MODEL = "pneumonia_tuned"
CAPACITY_CLIENTS = 16
CAPACITY_S = 5.0
STEADY_S = 20.0
MEMORY_SLACK = 1.10
SETTLE_S = 5.0


def request() -> bytes:
    """One film."""
    message = predict_pb2.PredictRequest()
    message.model_spec.name = MODEL
    message.inputs["image"].CopyFrom(tf.make_tensor_proto(phantom.draw(1, 1)))
    return message.SerializeToString()


def capacity(channel: grpc.Channel, film: bytes) -> float:
    """Requests a second that a few clients get answered, each sending when it was answered."""
    counts, ended = [], threading.Event()

    def ask() -> None:
        call, count = channel.unary_unary(PREDICT), 0
        while not ended.is_set():
            call(film)
            count += 1
        counts.append(count)

    threads = [threading.Thread(target=ask) for _ in range(CAPACITY_CLIENTS)]
    for thread in threads:
        thread.start()
    time.sleep(CAPACITY_S)
    ended.set()
    for thread in threads:
        thread.join()
    return sum(counts) / CAPACITY_S


def show(title: str, answers: list[Answer]) -> float:
    """Print the latencies; the 99th percentile."""
    latencies = [one.latency_ms for one in answers]
    p50, p99, p999 = (percentile(latencies, share) for share in (0.5, 0.99, 0.999))
    print(
        f"  {title:24} {len(answers):6} requests   p50 {p50:6.1f} ms   p99 {p99:6.1f} ms   "
        f"p99.9 {p999:6.1f} ms   max {max(latencies):6.1f} ms"
    )
    return p99


def faults(answers: list[Answer], sightings: Sightings) -> list[str]:
    """What must not have been."""
    failed = [one.error for one in answers if one.error]
    wrong = [one.version for one in answers if not one.error and sightings.is_wrong(one)]
    print(f"  failed {len(failed)}, by a version that was not AVAILABLE {len(wrong)}")
    return [*failed[:3], *(f"version {version} was not AVAILABLE" for version in wrong[:3])]


def main() -> int:
    """Print it all; the exit status."""
    parser = argparse.ArgumentParser(description="swaps under load")
    parser.add_argument("--swaps", type=int, default=20)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--rate", type=float, help="requests a second (default: half capacity)")
    options = parser.parse_args()
    source = shipped_release.folders()[MODEL]
    with tempfile.TemporaryDirectory() as folder:
        store = Path(folder)
        put(store, source, 1)
        flags = [f"--model_name={MODEL}", f"--model_base_path={store}"]
        flags += ["--file_system_poll_wait_seconds=1", "--grpc_max_threads=65"]
        with EmbeddedServer(flags) as server:
            return measured(server, store, source, options)


def measured(server: EmbeddedServer, store: Path, source: Path, options: argparse.Namespace) -> int:
    """Steady load, then the same with swaps."""
    film, process = request(), server.process.pid
    with grpc.insecure_channel(server.grpc_url.removeprefix("grpc://")) as channel:
        full = capacity(channel, film)
        rate = options.rate or full / 2
        print(f"swaps under load: capacity {full:.0f}/s, load {rate:.0f}/s")
        load = Load(channel, film)
        steady = show("steady", load.run(rate, STEADY_S))
        before = resident_mib(process)
        every_s = options.seconds / options.swaps
        with watched(channel, MODEL) as sightings:
            swapping = swap(store, source, 2, options.swaps, every_s)
            answers = load.run(rate, options.seconds)
            swapping.join()
            time.sleep(SETTLE_S)
        p99 = show(f"{options.swaps} swaps", answers)
        found = faults(answers, sightings)
        after = resident_mib(process)
    versions = {one.version for one in answers}
    print(f"  p99 {p99 / steady:.1f} x steady; {len(versions)} versions answered")
    print(f"  memory {before:.0f} MiB before, {after:.0f} MiB after ({after / before:.2f} x)")
    if after > before * MEMORY_SLACK:
        found.append("memory did not come back")
    for fault in found:
        print(f"  FAULT {fault}")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
