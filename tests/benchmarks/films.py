"""What one film costs over each transport, beside the bare models in this process."""

from __future__ import annotations

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np
import tensorflow as tf
import tests_path  # noqa: F401

import neumo
from neumo import contract
from neumo.release import phantom
from neumo.testing import EmbeddedServer
from neumo_serving.config import shipped_release
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

    with (
        EmbeddedServer() as server,
        neumo.Client(server.grpc_url) as over_grpc,
        neumo.Client(server.http_url) as over_rest,
    ):
        actions: dict[str, Action] = {
            "the SavedModels in this process": in_process,
            "Client over gRPC": lambda: over_grpc.predict(film[0]),
            "Client over REST": lambda: over_rest.predict(film[0]),
        }
        show("one film, concurrency 1", in_turns(actions, ROUNDS))


if __name__ == "__main__":
    main()
