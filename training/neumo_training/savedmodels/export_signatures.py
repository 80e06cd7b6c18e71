"""The trained networks with the contract's signatures around them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import keras
import tensorflow as tf

from neumo import contract
from neumo_training.networks import folded_batchnorm, framing, lungs_network
from neumo_training.networks.member_networks import FEATURES
from neumo_training.savedmodels.image_decoding import decode

CROP_HEATMAP_SIZE_PX = 32
HEATMAP_SIZE_PX = 64


@dataclass(frozen=True, slots=True)
class Calibration:
    """Platt's scaling (1999) of a member's mean logit: ``scale`` x logit + ``offset``."""

    scale: float = 1.0
    offset: float = 0.0


class MemberModule(tf.Module):  # type: ignore[misc]  # tensorflow has no types
    """A member's SavedModel: finds the lungs, asks each of ``cnns``, calibrates their mean logit.

    ``threshold`` is the ensemble's.
    """

    def __init__(
        self,
        localiser: Any,
        cnns: Sequence[Any],
        calibration: Calibration,
        threshold: float,
        release: int,
    ) -> None:
        super().__init__()
        localiser, *cnns = (folded_batchnorm.fold(model) for model in (localiser, *cnns))
        # The localiser's first: shipped_networks reads them by their places.
        self._weights = [weight.value for model in (localiser, *cnns) for weight in model.weights]
        # In closures: as attributes they would be tracked too, and every weight saved twice.
        inner = [_with_features(cnn) for cnn in cnns]
        self._localiser: Callable[[Any], Any] = lambda film: localiser(film, training=False)
        self._cnns: list[Callable[[Any], Any]] = [
            lambda crop, cnn=cnn: cnn(crop, training=False)  # type: ignore[misc]
            for cnn in inner
        ]
        self._calibration = calibration
        self._tell = _Constants(threshold, release)

    def signatures(self) -> dict[str, Any]:
        """The contract's signatures by name, each a concrete function."""
        known = contract.model(contract.MEMBERS[0].name)
        predict = _traced(self._predict, known.signature(contract.SERVING_DEFAULT))

        def predict_encoded(image_bytes: Any) -> Any:
            return predict(decode(image_bytes))  # A call: its graph is saved once.

        bodies = {contract.ENCODED: predict_encoded, contract.EXPLAIN: self._explain}
        others = {name: _traced(body, known.signature(name)) for name, body in bodies.items()}
        return {contract.SERVING_DEFAULT: predict, **others}

    def _predict(self, image: Any) -> dict[str, Any]:
        crop, _ = self._crop(image)
        return self._scores([cnn(crop)[1] for cnn in self._cnns])

    def _explain(self, image: Any) -> dict[str, Any]:
        crop, box = self._crop(image)
        maps, logits = [], []
        for cnn in self._cnns:
            # Nothing to watch: the weights are variables, so all that comes of them is on the tape.
            with tf.GradientTape() as tape:
                features, logit = cnn(crop)
            maps.append(grad_cam(features, tape.gradient(logit, features)))
            logits.append(logit)
        # Each CNN's map has its own peak at 1, so none outweighs the others.
        heat = framing.paste(tf.add_n(maps) / len(maps), box, HEATMAP_SIZE_PX)
        return {contract.HEATMAP.name: _to_peak(heat), **self._scores(logits)}

    def _crop(self, image: Any) -> tuple[Any, Any]:
        answer = self._localiser(framing.overview(image))
        box = framing.boxes(tf.sigmoid(answer[lungs_network.MASK]))
        return framing.crop(framing.film(image), box), box

    def _scores(self, logits: list[Any]) -> dict[str, Any]:
        # Logits within a member, probabilities between members: calibration is of logits.
        mean = tf.add_n(logits)[:, 0] / len(logits)
        probability = tf.sigmoid(self._calibration.scale * mean + self._calibration.offset)
        return {contract.PROBABILITY.name: probability, **self._tell(probability)}


class LungsModule(tf.Module):  # type: ignore[misc]  # tensorflow has no types
    """The SavedModel of ``lungs``; ``threshold`` is the least ``chest`` of a chest radiograph."""

    def __init__(self, lungs: Any, threshold: float, release: int) -> None:
        super().__init__()
        lungs = folded_batchnorm.fold(lungs)
        self._weights = [weight.value for weight in lungs.weights]
        self._lungs: Callable[[Any], Any] = lambda film: lungs(film, training=False)
        self._tell = _Constants(threshold, release)

    def signatures(self) -> dict[str, Any]:
        """The contract's signatures by name, each a concrete function."""
        segment = _traced(self._segment, contract.LUNGS.signature(contract.SERVING_DEFAULT))
        known = contract.LUNGS.signature(contract.SCREEN)
        names = [tensor.name for tensor in known.outputs]

        def screen(image: Any) -> Any:
            found = segment(image)  # A call: its graph is saved once.
            return {name: found[name] for name in names}

        def screen_encoded(image_bytes: Any) -> Any:
            return screen(decode(image_bytes))

        encoded = _traced(screen_encoded, contract.LUNGS.signature(contract.ENCODED))
        return {
            contract.SERVING_DEFAULT: segment,
            contract.SCREEN: _traced(screen, known),
            contract.ENCODED: encoded,
        }

    def _segment(self, image: Any) -> dict[str, Any]:
        answer = self._lungs(framing.overview(image))
        size = [contract.IMAGE_SIZE_PX, contract.IMAGE_SIZE_PX]
        chest = tf.sigmoid(answer[lungs_network.CHEST])[:, 0]
        # Logits are enlarged, as in the loss; above 0 is a probability above one half.
        mask = tf.image.resize(answer[lungs_network.MASK], size)[..., 0] > 0.0
        return {
            contract.MASK.name: tf.cast(mask, tf.uint8),
            contract.CHEST.name: chest,
            **self._tell(chest),
        }


def grad_cam(features: Any, gradients: Any) -> Any:
    """Grad-CAM (Selvaraju et al. 2017) of ``features`` [n, h, w, c], float32 [n, 32, 32] in 0..1.

    Each film's map is divided by its own maximum: it says where, not how much.
    """
    weights = tf.reduce_mean(gradients, axis=(1, 2), keepdims=True)
    heat = tf.nn.relu(tf.reduce_sum(weights * features, axis=-1, keepdims=True))
    return _to_peak(tf.image.resize(heat, [CROP_HEATMAP_SIZE_PX, CROP_HEATMAP_SIZE_PX])[..., 0])


@dataclass(frozen=True, slots=True)
class _Constants:
    """The outputs that are the same for every film."""

    threshold: float
    release: int

    def __call__(self, like: Any) -> dict[str, Any]:
        # One for each film: TensorFlow Serving splits a batch's outputs by their first axis.
        rows = tf.shape(like)
        return {
            contract.THRESHOLD.name: tf.fill(rows, tf.constant(self.threshold, tf.float32)),
            contract.RELEASE.name: tf.fill(rows, tf.constant(self.release, tf.int64)),
        }


def _to_peak(heat: Any) -> Any:
    return tf.math.divide_no_nan(heat, tf.reduce_max(heat, axis=(1, 2), keepdims=True))


def _with_features(cnn: Any) -> Any:
    # One pass gives both: the gradient is of the one along the other.
    return keras.Model(cnn.input, [cnn.get_layer(FEATURES).output, cnn.output])


def _traced(body: Any, signature: contract.Signature) -> Any:
    specs = [
        tf.TensorSpec(t.shape, getattr(tf, t.dtype.removeprefix("DT_").lower()), t.name)
        for t in signature.inputs
    ]
    return tf.function(body, input_signature=specs).get_concrete_function()
