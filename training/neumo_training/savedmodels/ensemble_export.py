"""Any Keras classifier as a member of an ensemble that ``neumo.Client(ensemble=…)`` asks."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import tensorflow as tf

from neumo import contract
from neumo.ensemble import InputImage
from neumo.errors import ConfigError


def write_member(
    model: Any,
    name: str,
    store: Path,
    *,
    image: InputImage,
    threshold: float,
    release: int = 1,
    scale: float = contract.IMAGE_SCALE,
    offset: float = 0.0,
) -> Path:
    """Write version ``release`` of the member ``name`` into the model ``store``; its folder.

    ``model`` is a Keras model that takes float32 [N, height, width, 1 or 3] of ``image``'s sides,
    the pixels (0 to 255) times ``scale`` plus ``offset``, and answers the probability of the
    positive class as [N] or [N, 1], or two probabilities as [N, 2] whose second is that one.
    Several classes are not supported. ``threshold`` is the ensemble's: the members' mean above it
    is positive, and every member must carry the same. TensorFlow Serving serves the folder
    ``store/name``. Raises ``ConfigError`` for a threshold outside 0 to 1, a release below 1, a
    model that answers anything else, and a version that is there already.
    """
    if not 0.0 <= threshold <= 1.0 or release < 1:
        raise ConfigError(f"threshold {threshold}, release {release}: give 0 to 1, and from 1")
    folder = store / name / str(release)
    if folder.exists():
        raise ConfigError(f"{folder} is there already: a version never changes, give the next one")
    root = tf.Module()
    # Keras tracks them its own way, which a tf.Module does not see.
    root.weights = [weight.value for weight in model.weights]

    def predict(image: Any) -> dict[str, Any]:
        answer = tf.cast(
            model(tf.cast(image, tf.float32) * scale + offset, training=False), "float32"
        )
        if answer.shape.rank not in (1, 2) or (
            answer.shape.rank == 2 and answer.shape[1] not in (1, 2)
        ):
            raise ConfigError(f"the model answers {answer.shape}: give [N], [N, 1] or [N, 2]")
        probability = answer if answer.shape.rank == 1 else answer[:, -1]
        rows = tf.shape(probability)
        return {
            contract.PROBABILITY.name: probability,
            contract.THRESHOLD.name: tf.fill(rows, tf.constant(threshold, tf.float32)),
            contract.RELEASE.name: tf.fill(rows, tf.constant(release, tf.int64)),
        }

    spec = tf.TensorSpec((None, *image.shape), tf.uint8, contract.IMAGE.name)
    signature = tf.function(predict, input_signature=[spec]).get_concrete_function()
    # Whole in one step: a server that polls must not meet half a version.
    staged = folder.with_name(f".{folder.name}")
    tf.saved_model.save(root, str(staged), signatures={contract.SERVING_DEFAULT: signature})
    return staged.rename(folder)
