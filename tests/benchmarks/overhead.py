"""What a prediction costs over the bare models, and an import over the bare packages.

Times of one run, interleaved, as ratios to the floor of the same run: on a shared machine an
absolute time means little.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np
import tensorflow as tf

import neumo
from neumo import contract, phantom
from neumo.testing import EmbeddedServer
from neumo_serving import shipped

ROUNDS = 100
IMPORTS = 7
FLOOR_IMPORT = "import numpy, PIL.Image, grpc, google.protobuf"
SDK_IMPORT = "import neumo; neumo.Client('grpc://localhost:1')"


def milliseconds(action: Callable[[], object]) -> float:
    """How long ``action`` takes."""
    started = time.perf_counter()
    action()
    return (time.perf_counter() - started) * 1000


def interleaved(actions: dict[str, Callable[[], object]], rounds: int) -> dict[str, float]:
    """The median milliseconds of each action, taken in turns after a warm-up."""
    for action in actions.values():
        for _ in range(3):
            action()
    times: dict[str, list[float]] = {name: [] for name in actions}
    for _ in range(rounds):
        for name, action in actions.items():
            times[name].append(milliseconds(action))
    return {name: statistics.median(found) for name, found in times.items()}


def show(title: str, medians: dict[str, float]) -> None:
    """Print each median beside the first, the floor."""
    print(title)
    floor = next(iter(medians.values()))
    for name, median in medians.items():
        added = f"+{median - floor:.2f} ms" if median != floor else "floor"
        print(f"  {name:34} {median:8.2f} ms  {median / floor:5.2f} x  {added}")


def predictions() -> dict[str, float]:
    """One film, both members: in this process, over gRPC, over REST."""
    film = phantom.draw(1, 1)
    signatures = [
        tf.saved_model.load(str(one.base_path / "1")).signatures[contract.SERVING_DEFAULT]
        for one in shipped.models()
    ]

    def in_process() -> list[np.ndarray]:
        image = tf.constant(film)
        return [signature(image=image)["probability"].numpy() for signature in signatures]

    with (
        EmbeddedServer() as server,
        neumo.Client(server.grpc_url) as over_grpc,
        neumo.Client(server.http_url) as over_rest,
    ):
        actions: dict[str, Callable[[], object]] = {
            "both SavedModels in this process": in_process,
            "Client over gRPC": lambda: over_grpc.predict(film[0]),
            "Client over REST": lambda: over_rest.predict(film[0]),
        }
        return interleaved(actions, ROUNDS)


def imports() -> dict[str, float]:
    """A fresh interpreter that imports the SDK's packages, and one that makes a Client."""

    def python(code: str) -> Callable[[], object]:
        return lambda: subprocess.run([sys.executable, "-c", code], check=True)

    actions = {"bare numpy, PIL, grpc, protobuf": python(FLOOR_IMPORT)}
    actions["import neumo, make a Client"] = python(SDK_IMPORT)
    return interleaved(actions, IMPORTS)


if __name__ == "__main__":
    show("one film, concurrency 1", predictions())
    show("import", imports())
