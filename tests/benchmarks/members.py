"""What one film costs each model of the newest release, on one core.

The floor is a product of matrices on the same core, in turns with them: on a shared machine it says
what a millisecond was worth meanwhile.
"""

from __future__ import annotations

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
# Before anything starts a thread: every thread inherits it.
os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})

import numpy as np
import tensorflow as tf
import tests_path  # noqa: F401

from neumo import contract
from neumo.release import phantom
from neumo_serving.config import shipped_release
from support.measuring.turns import Action, in_turns, show

ROUNDS = 200
SIZE = 512


def main() -> None:
    """One film to each model's SavedModel, one at a time."""
    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    film = tf.constant(phantom.draw(1, 1))
    matrix = np.random.default_rng(1).random((SIZE, SIZE), np.float32)
    actions: dict[str, Action] = {f"{SIZE} x {SIZE} matrices by numpy": lambda: matrix @ matrix}
    # What is loaded has to outlive its signatures.
    models = {name: tf.saved_model.load(str(at)) for name, at in shipped_release.folders().items()}
    for name, model in models.items():
        signature = model.signatures[contract.SERVING_DEFAULT]
        actions[name] = lambda ask=signature: [one.numpy() for one in ask(image=film).values()]
    show("one film, one core", in_turns(actions, ROUNDS))


if __name__ == "__main__":
    main()
