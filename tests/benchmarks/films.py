"""What one film costs over each transport, beside the bare models in this process."""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np
import tensorflow as tf
import tests_path  # noqa: F401

import neumo
from neumo import contract
from neumo.release import phantom
from neumo.testing import EmbeddedServer
from neumo_serving.config import shipped_release
from support import resigned_release
from support.measuring.turns import Action, in_turns, show

ROUNDS = 100


def main() -> None:
    """One film, every model, one at a time: in this process, over gRPC, over REST."""
    film = phantom.draw(1, 1)
    signatures = [
        tf.saved_model.load(str(folder)).signatures[contract.SERVING_DEFAULT]
        for folder in shipped_release.folders().values()
    ]

    def in_process() -> list[np.ndarray]:
        image = tf.constant(film)
        found = [signature(image=image) for signature in signatures]
        return [tensor.numpy() for outputs in found for tensor in outputs.values()]

    floor: dict[str, Action] = {"the SavedModels in this process": in_process}
    compared("the shipped release", (), floor, film)
    with tempfile.TemporaryDirectory() as folder:
        flags = resigned_release.write(Path(folder))
        compared("its weights, as export writes them today", flags, {}, film)


def compared(title: str, flags: Sequence[str], floor: dict[str, Action], film: np.ndarray) -> None:
    """The whole time, and the client's CPU, of a film over each transport."""
    with (
        EmbeddedServer(flags) as server,
        neumo.Client(server.grpc_url) as over_grpc,
        neumo.Client(server.http_url) as over_rest,
    ):
        clients: dict[str, Action] = {
            "Client over gRPC": lambda: over_grpc.predict(film[0]),
            "Client over REST": lambda: over_rest.predict(film[0]),
        }
        show(f"{title}: one film, concurrency 1", in_turns({**floor, **clients}, ROUNDS))
        show(f"{title}: over gRPC and REST alone", in_turns(clients, ROUNDS))
        cpu = in_turns(clients, ROUNDS, time.process_time)
        show(f"{title}: the client's CPU", cpu)


if __name__ == "__main__":
    main()
