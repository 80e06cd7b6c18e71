"""What the embedded server adds to the shipped models, and how much of their speed is left.

One run prints three things, each beside a floor measured in the same run, because on a shared
machine an absolute time means little: one film over gRPC and over REST against the model in this
process; and the throughput of 16 and 64 clients with batching, in turns with the model in a process
of its own at the same mean batch size. Server, clients and floor share the machine's cores; the
clients' CPU is told apart. It asserts nothing.
"""

from __future__ import annotations

import asyncio
import json
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import grpc
import requests
import tests_path  # noqa: F401

from neumo.release import phantom
from support.measuring import floor

MODEL = "pneumonia_tuned"
METHOD = "/tensorflow.serving.PredictionService/Predict"
ROUNDS = 200
SECONDS = float(os.environ.get("SECONDS_EACH", "4"))
TURNS = 6
BATCHING = """max_batch_size { value: 8 } batch_timeout_micros { value: 1000 }
max_enqueued_batches { value: 1000 } num_batch_threads { value: 2 }
"""
FLAGS = ("--tensorflow_intra_op_parallelism=1",)
"""A batch a core: two cores on one batch wait for each other at its every step."""


def request_bytes() -> bytes:
    """One film for the model, as a serialized ``PredictRequest``."""
    from tensorflow_serving.apis import predict_pb2

    request = predict_pb2.PredictRequest()
    request.model_spec.name = MODEL
    film = phantom.draw(1, 1)
    tensor = request.inputs["image"]
    tensor.dtype = 4
    for size in film.shape:
        tensor.tensor_shape.dim.add().size = size
    tensor.tensor_content = film.tobytes()
    return request.SerializeToString()


def request_json() -> bytes:
    """The same film as JSON, as the SDK writes it."""
    return json.dumps({"inputs": {"image": phantom.draw(1, 1).tolist()}}).encode()


# The server, in a process of its own: it tells of its batches on request.


def serve(port: int, http_port: int, *flags: str) -> None:
    """Run the embedded server; answer each line on stdin with a line about the time since."""
    from neumo_serving import model_server
    from neumo_serving.config import flags as serving_flags

    seen: list[int] = []
    made = model_server._loader_options
    model_server._loader_options = lambda options: replace(
        made(options), on_batch=lambda batch: seen.append(sum(batch.sizes))
    )

    def tell() -> None:
        for _ in sys.stdin:
            found = {"batches": len(seen), "rows": sum(seen), "cpu_s": time.process_time()}
            seen.clear()
            print(json.dumps(found), flush=True)
        os._exit(0)

    threading.Thread(target=tell, daemon=True).start()
    model_server.run(
        serving_flags.parse([f"--port={port}", f"--rest_api_port={http_port}", *flags])
    )


def free_port() -> int:
    """A port that nothing listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextmanager
def served(*flags: str) -> Iterator[Any]:
    """The address of a server with ``flags``, its REST URL, and what asks it about its batches."""
    ports = free_port(), free_port()
    command = [sys.executable, __file__, "serve", *map(str, ports), *flags]
    # Progress goes to stderr; stdout is for answers alone.
    process = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    assert process.stdin is not None
    assert process.stdout is not None

    def ask() -> dict[str, float]:
        process.stdin.write("\n")
        process.stdin.flush()
        return json.loads(process.stdout.readline())

    target = f"127.0.0.1:{ports[0]}"
    try:
        with grpc.insecure_channel(target) as channel:
            grpc.channel_ready_future(channel).result(120)
        yield target, f"http://127.0.0.1:{ports[1]}", ask
    finally:
        process.terminate()
        process.wait(60)


# The clients, in a process of their own.


def drive(target: str, clients: int, seconds: float) -> None:
    """Print what ``clients`` that ask without a pause are answered within ``seconds``."""
    print(json.dumps(asyncio.run(_drive(target, clients, seconds))))


async def _drive(target: str, clients: int, seconds: float) -> dict[str, float]:
    body = request_bytes()
    latencies: list[float] = []
    async with grpc.aio.insecure_channel(target) as channel:
        ask = channel.unary_unary(METHOD)

        async def one(until: float) -> None:
            while (started := time.perf_counter()) < until:
                await ask(body)
                latencies.append(time.perf_counter() - started)

        await asyncio.gather(*(one(time.perf_counter() + 2) for _ in range(clients)))
        latencies.clear()
        started, used = time.perf_counter(), time.process_time()
        await asyncio.gather(*(one(started + seconds) for _ in range(clients)))
        took = time.perf_counter() - started
    return {
        "rate": len(latencies) / took,
        "cpu_s": time.process_time() - used,
        "seconds": took,
        "p50_ms": statistics.median(latencies) * 1000,
    }


def child(*arguments: object) -> dict[str, float]:
    """What a process of this file prints."""
    command = [sys.executable, __file__, *map(str, arguments)]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    return json.loads(done.stdout.splitlines()[-1])


# What is printed.


def single() -> None:
    """One film at a time: in this process, over gRPC, over REST."""
    import tensorflow as tf

    from neumo_serving.config import shipped_release

    folder = shipped_release.folders()[MODEL]
    signature = tf.saved_model.load(str(folder)).signatures["serving_default"]
    film, body, document = phantom.draw(1, 1), request_bytes(), request_json()

    def in_process() -> object:
        return signature(image=tf.constant(film))["probability"].numpy()

    with served() as (target, url, _), grpc.insecure_channel(target) as channel:
        ask = channel.unary_unary(METHOD)
        http = requests.Session()
        path = f"{url}/v1/models/{MODEL}:predict"
        actions: dict[str, Callable[[], object]] = {
            "in this process": in_process,
            "over gRPC": lambda: ask(body),
            "over REST": lambda: http.post(path, document).raise_for_status(),
        }
        medians = interleaved(actions)
    print("one film, one client")
    base, over_grpc, over_rest = medians.values()
    for name, median in medians.items():
        print(f"  {name:18} {median:7.2f} ms  +{median - base:5.2f} ms")
    print(f"  REST over gRPC     {over_rest / over_grpc:7.2f} x")


def interleaved(actions: dict[str, Callable[[], object]]) -> dict[str, float]:
    """The median milliseconds of each action, taken in turns."""
    times: dict[str, list[float]] = {name: [] for name in actions}
    for number in range(ROUNDS + 10):
        for name, action in actions.items():
            started = time.perf_counter()
            action()
            if number >= 10:
                times[name].append((time.perf_counter() - started) * 1000)
    return {name: statistics.median(found) for name, found in times.items()}


def throughput(clients: int) -> None:
    """``clients`` that ask without a pause, in turns with the model at the same mean batch size."""
    with tempfile.TemporaryDirectory() as folder:
        parameters = Path(folder) / "batching.config"
        parameters.write_text(BATCHING)
        flags = [
            "--grpc_max_threads=128",
            "--enable_batching",
            f"--batching_parameters_file={parameters}",
            *FLAGS,
        ]
        with served(*flags) as (target, _, ask), floor.of([MODEL], SECONDS) as in_process:
            child("drive", target, clients, 1)
            turns = [_turn(target, clients, ask, in_process) for _ in range(TURNS)]
    middle = {name: statistics.median(turn[name] for turn in turns) for name in turns[0]}
    cores = os.cpu_count() or 1
    of_the_rest = middle["ratio"] / (1 - middle["client_cores"] / cores)
    print(f"{clients} clients, batches of {middle['batch']:.1f} on average, {cores} cores")
    print(f"  in a process without a server {middle['floor_rate']:7.1f} films/s", end="")
    print(f"  {middle['floor_cpu_ms']:5.2f} ms of CPU a film")
    print(f"  over gRPC                     {middle['rate']:7.1f} films/s", end="")
    print(f"  {middle['cpu_ms']:5.2f} ms  {middle['ratio']:5.0%}  (p50 {middle['p50_ms']:.0f} ms)")
    print(f"    in turns: {', '.join(format(turn['ratio'], '.0%') for turn in turns)}")
    print(f"  the clients' CPU              {middle['client_cores']:7.2f} cores", end="")
    print(f"  {of_the_rest:5.0%} of the rest")
    print(f"  by CPU alone, whatever else the machine does {middle['cpu_ratio']:5.0%}")


def _turn(
    target: str, clients: int, ask: Callable[[], dict[str, float]], in_process: floor.Floor
) -> dict[str, float]:
    before = ask()
    found = child("drive", target, clients, SECONDS)
    about = ask()
    batch = about["rows"] / about["batches"]
    cpu_ms = (about["cpu_s"] - before["cpu_s"]) / about["rows"] * 1000
    base = in_process(batch)
    return {
        "batch": batch,
        "rate": found["rate"],
        "cpu_ms": cpu_ms,
        "p50_ms": found["p50_ms"],
        "client_cores": found["cpu_s"] / found["seconds"],
        "floor_rate": base["rate"],
        "floor_cpu_ms": base["cpu_ms"],
        "ratio": found["rate"] / base["rate"],
        "cpu_ratio": base["cpu_ms"] / cpu_ms,
    }


def main() -> None:
    """Everything, or one part named: single, 16, 64."""
    parts = sys.argv[1:] or ["single", "16", "64"]
    for part in parts:
        if part == "single":
            single()
        else:
            throughput(int(part))


if __name__ == "__main__":
    if sys.argv[1:2] == ["serve"]:
        serve(int(sys.argv[2]), int(sys.argv[3]), *sys.argv[4:])
    elif sys.argv[1:2] == ["drive"]:
        drive(sys.argv[2], int(sys.argv[3]), float(sys.argv[4]))
    else:
        main()
