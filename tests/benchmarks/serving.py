"""What the embedded server adds to the shipped models, and how much of their speed is left.

One run prints three things, each beside a floor measured in the same run, because on a shared
machine an absolute time means little: one film over gRPC and over REST against the model in this
process; and the throughput of 16 and 64 clients with batching against the model in a process of
its own at the same mean batch size. Server, clients and floor share the machine's cores; the
clients' CPU is told apart. It asserts nothing.
"""

from __future__ import annotations

import asyncio
import json
import os
import resource
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import grpc
import requests

from neumo import phantom

MODEL = "pneumonia_tuned"
METHOD = "/tensorflow.serving.PredictionService/Predict"
ROUNDS = 200
SECONDS = float(os.environ.get("SECONDS_EACH", "8"))
LARGEST_BATCH = 32
BATCHING = """max_batch_size {{ value: {largest} }} batch_timeout_micros {{ value: {micros} }}
max_enqueued_batches {{ value: 1000 }} num_batch_threads {{ value: {threads} }}
"""
WORK = {"largest": LARGEST_BATCH, "micros": 1000, "threads": 2}


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
    from neumo_serving import flags as serving_flags
    from neumo_serving import server

    seen: list[int] = []
    made = server._loader_options
    server._loader_options = lambda options: replace(
        made(options), on_batch=lambda batch: seen.append(sum(batch.sizes))
    )

    def tell() -> None:
        for _ in sys.stdin:
            found = {"batches": len(seen), "rows": sum(seen), "cpu_s": cpu_s(), "at": time.time()}
            seen.clear()
            print(json.dumps(found), flush=True)
        os._exit(0)

    threading.Thread(target=tell, daemon=True).start()
    server.run(serving_flags.parse([f"--port={port}", f"--rest_api_port={http_port}", *flags]))


def free_port() -> int:
    """A port that nothing listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextmanager
def served(*flags: str):
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


def cpu_s() -> float:
    """The CPU that this process has used."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


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
        started, used = time.perf_counter(), cpu_s()
        await asyncio.gather(*(one(started + seconds) for _ in range(clients)))
        took = time.perf_counter() - started
    return {
        "rate": len(latencies) / took,
        "cpu_s": cpu_s() - used,
        "seconds": took,
        "p50_ms": statistics.median(latencies) * 1000,
    }


# The floor: the same SavedModel without a server.


def floor(size: int, seconds: float) -> None:
    """Print the films a second at batches of ``size``, with as many callers as does best."""
    import tensorflow as tf

    from neumo_serving import shipped

    folder = shipped.folders()[MODEL]
    signature = tf.saved_model.load(str(folder)).signatures["serving_default"]
    images = tf.constant(phantom.draw(1, size))
    found = [_rate(lambda: signature(image=images), size, n, seconds / 2) for n in (1, 2)]
    print(json.dumps(max(found, key=lambda one: one["rate"])))


def _rate(call: Callable[[], object], size: int, callers: int, seconds: float) -> dict[str, float]:
    for _ in range(5):
        call()
    counts = [0] * callers
    until = time.perf_counter() + seconds

    def loop(number: int) -> None:
        while time.perf_counter() < until:
            call()
            counts[number] += size

    threads = [threading.Thread(target=loop, args=(number,)) for number in range(callers)]
    started, used = time.perf_counter(), cpu_s()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    took, used = time.perf_counter() - started, cpu_s() - used
    return {"rate": sum(counts) / took, "cpu_ms": used / sum(counts) * 1000}


def child(*arguments: object) -> dict[str, float]:
    """What a process of this file prints."""
    command = [sys.executable, __file__, *map(str, arguments)]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    return json.loads(done.stdout.splitlines()[-1])


# What is printed.


def single() -> None:
    """One film at a time: in this process, over gRPC, over REST."""
    import tensorflow as tf

    from neumo_serving import shipped

    folder = shipped.folders()[MODEL]
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
    """``clients`` that ask without a pause, against the model at the same mean batch size."""
    with tempfile.TemporaryDirectory() as folder:
        parameters = Path(folder) / "batching.config"
        parameters.write_text(BATCHING.format(**WORK))
        flags = [
            "--grpc_max_threads=128",
            "--enable_batching",
            f"--batching_parameters_file={parameters}",
        ]
        with served(*flags) as (target, _, ask):
            child("drive", target, clients, 1)
            before = ask()
            found = child("drive", target, clients, SECONDS)
            about = ask()
    mean = about["rows"] / about["batches"]
    base = child("floor", round(mean), SECONDS)
    cores = os.cpu_count() or 1
    client_cores = found["cpu_s"] / found["seconds"]
    cpu_ms = (about["cpu_s"] - before["cpu_s"]) / about["rows"] * 1000
    print(f"{clients} clients, batches of {mean:.1f} on average, {cores} cores")
    print(f"  in a process without a server {base['rate']:7.1f} films/s", end="")
    print(f"  {base['cpu_ms']:5.2f} ms of CPU a film")
    print(f"  over gRPC                     {found['rate']:7.1f} films/s  {cpu_ms:5.2f} ms", end="")
    print(f"  {found['rate'] / base['rate']:5.0%}  (p50 {found['p50_ms']:.0f} ms)")
    print(f"  the clients' CPU              {client_cores:7.2f} cores; of the rest", end="")
    print(f"  {found['rate'] / base['rate'] / (1 - client_cores / cores):5.0%}")
    print(f"  by CPU alone, whatever else the machine does {base['cpu_ms'] / cpu_ms:5.0%}")


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
    elif sys.argv[1:2] == ["floor"]:
        floor(int(sys.argv[2]), float(sys.argv[3]))
    else:
        main()
