"""``neumo serve`` killed at any moment of loading, swapping and serving, and started again."""

from __future__ import annotations

import random
import shutil
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import grpc
import numpy as np
from tensorflow_serving.apis import prediction_service_pb2_grpc

from support.patience import patience
from support.serving_process import free_port, said_until, serve
from support.toy_model import MODEL, predict_request, write_config
from support.version_swaps import put

START_S = 6.0
"""About as long as a start takes, TensorFlow's import included."""
X = np.array([[1.0, 2.0]], np.float32)


def rounds(folder: Path, source: Path, count: int, seed: int) -> Iterator[str]:
    """Kill a server ``count`` times; after each kill one is started and has to answer.

    A version is being put all the while, and every other one is only half there: it must never
    answer. Yields what each round did.
    """
    chance = random.Random(seed)
    store = folder / MODEL
    store.mkdir()
    put(store, source, 1)
    config = write_config(folder / "models.config", store)
    flags = [
        f"--model_config_file={config}",
        f"--grpc_socket_path={folder / 'grpc.sock'}",
        "--allow_version_labels_for_unavailable_models",
        "--max_num_load_retries=0",
    ]
    halves: set[int] = set()
    for number in range(count):
        version = 2 + number
        if number % 2:
            halves.add(version)
        yield _round(flags, store, source, version, halves, chance)


def _round(
    flags: list[str],
    store: Path,
    source: Path,
    version: int,
    halves: set[int],
    chance: random.Random,
) -> str:
    port = free_port()
    put_next = put_half if version in halves else put
    with serve(*flags, f"--port={port}") as process:
        if chance.random() < 0.5:
            moment = chance.uniform(0.0, START_S)
            time.sleep(moment)
            did = f"killed {moment:.1f} s after its start"
        else:
            said_until(process, "ready: ")
            answered = ask(port)
            assert answered not in halves, f"version {answered} is only half there"
            put_next(store, source, version)
            moment = chance.uniform(0.0, 2.0)
            time.sleep(moment)
            did = f"answered by version {answered}, killed {moment:.1f} s into a swap"
        process.send_signal(signal.SIGKILL)
    if not (store / str(version)).exists():
        put_next(store, source, version)
    return did


def put_half(store: Path, source: Path, version: int) -> None:
    """A version whose copying was broken off: a piece of the graph, and no variables."""
    half = store / str(version)
    shutil.rmtree(half, ignore_errors=True)
    half.mkdir()
    graph = (source / "saved_model.pb").read_bytes()
    (half / "saved_model.pb").write_bytes(graph[: len(graph) // 2])


def ask(port: int) -> int:
    """The version that answers Predict."""
    with grpc.insecure_channel(f"localhost:{port}") as channel:
        stub: Any = prediction_service_pb2_grpc.PredictionServiceStub(channel)
        request = predict_request({"x": X})
        answer = stub.Predict(request, timeout=patience(60), wait_for_ready=True)
        return int(answer.model_spec.version.value)
