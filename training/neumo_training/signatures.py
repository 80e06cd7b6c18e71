"""A trained CNN with the contract's signatures around it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import tensorflow as tf

from neumo import contract
from neumo_training.decoding import decode
from neumo_training.films import POOL
from neumo_training.models import FEATURES

HEATMAP_SIZE_PX = 32


class Member(tf.Module):  # type: ignore[misc]  # tensorflow has no types
    """A member's SavedModel: the CNN ``model``, its ensemble's threshold, its release."""

    def __init__(self, model: Any, threshold: float, release: int) -> None:
        super().__init__()
        self._weights = [weight.value for weight in model.weights]
        features = model.get_layer(FEATURES).output
        cnn = keras.Model(model.input, [features, model.output])
        # In a closure: as an attribute it would be tracked too, and every weight saved twice.
        self._features_and_logit: Callable[[Any], Any] = lambda film: cnn(film, training=False)
        self._threshold = threshold
        self._release = release

    def signatures(self) -> dict[str, Any]:
        """The contract's signatures by name, each a concrete function."""
        bodies = {
            contract.SERVING_DEFAULT: self._predict,
            contract.ENCODED: self._predict_encoded,
            contract.EXPLAIN: self._explain,
        }
        known = contract.model(contract.MEMBERS[0].name)
        return {name: _traced(body, known.signature(name)) for name, body in bodies.items()}

    def _predict(self, image: Any) -> dict[str, Any]:
        _, logit = self._features_and_logit(_film(image))
        return self._scores(logit)

    def _predict_encoded(self, image_bytes: Any) -> dict[str, Any]:
        return self._predict(decode(image_bytes))

    def _explain(self, image: Any) -> dict[str, Any]:
        with tf.GradientTape() as tape:
            features, logit = self._features_and_logit(_film(image))
        heat = grad_cam(features, tape.gradient(logit, features))
        return {contract.HEATMAP.name: heat, **self._scores(logit)}

    def _scores(self, logit: Any) -> dict[str, Any]:
        probability = tf.sigmoid(logit[:, 0])
        rows = tf.shape(probability)
        return {
            contract.PROBABILITY.name: probability,
            contract.THRESHOLD.name: tf.fill(rows, tf.constant(self._threshold, tf.float32)),
            contract.RELEASE.name: tf.fill(rows, tf.constant(self._release, tf.int64)),
        }


def grad_cam(features: Any, gradients: Any) -> Any:
    """Grad-CAM (Selvaraju et al. 2017) of ``features`` [n, h, w, c], float32 [n, 32, 32] in 0..1.

    Each film's map is divided by its own maximum: it says where, not how much.
    """
    weights = tf.reduce_mean(gradients, axis=(1, 2), keepdims=True)
    heat = tf.nn.relu(tf.reduce_sum(weights * features, axis=-1, keepdims=True))
    heat = tf.image.resize(heat, [HEATMAP_SIZE_PX, HEATMAP_SIZE_PX])[..., 0]
    peak = tf.reduce_max(heat, axis=(1, 2), keepdims=True)
    return tf.math.divide_no_nan(heat, peak)


def _film(image: Any) -> Any:
    """The contract's uint8 input to what the CNN was trained on, see ``films.inputs``."""
    scaled = tf.cast(image, tf.float32) * contract.IMAGE_SCALE
    return tf.nn.avg_pool2d(scaled, POOL, POOL, "VALID")


def _traced(body: Any, signature: contract.Signature) -> Any:
    specs = [
        tf.TensorSpec(t.shape, getattr(tf, t.dtype.removeprefix("DT_").lower()), t.name)
        for t in signature.inputs
    ]
    return tf.function(body, input_signature=specs).get_concrete_function()
