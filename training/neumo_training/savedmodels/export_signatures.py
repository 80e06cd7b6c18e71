"""The trained networks with the contract's signatures around them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import keras
import tensorflow as tf

from neumo import contract
from neumo_training.networks import band_energies, folded_batchnorm, framing, lungs_network
from neumo_training.networks.member_networks import FEATURES
from neumo_training.savedmodels.image_decoding import decode

CROP_HEATMAP_SIZE_PX = 32
HEATMAP_SIZE_PX = 64


@dataclass(frozen=True, slots=True)
class Calibration:
    """Platt's scaling (1999) of a member's mean logit: ``scale`` x logit + ``offset``."""

    scale: float = 1.0
    offset: float = 0.0


@dataclass(frozen=True, slots=True)
class Looking:
    """How a member looks at a film: as its CNNs were trained to, and asked out of fold.

    ``margin`` is what it sees around the lungs, a share of their box's sides; ``levelled``
    whether their bands' energies are made usual first; ``mirrored`` whether the answer is the mean
    of the crop's and its mirror's.
    """

    margin: float = framing.MARGIN
    levelled: bool = False
    mirrored: bool = False


class MemberModule(tf.Module):  # type: ignore[misc]  # tensorflow has no types
    """A member's SavedModel: finds the lungs, asks each of ``cnns``, calibrates their mean logit.

    ``looking`` is one for all ``cnns``, or one for each.

    ``threshold`` is the ensemble's.
    """

    def __init__(
        self,
        localiser: Any,
        cnns: Sequence[Any],
        calibration: Calibration,
        threshold: float,
        release: int,
        looking: Looking | Sequence[Looking] = Looking(),
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
        each = [looking] * len(cnns) if isinstance(looking, Looking) else looking
        self._looking = tuple(each)
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
        frames = self._frames(image)
        asked = zip(self._cnns, self._looking, strict=True)
        return self._scores([cnn(crop)[1] for cnn, how in asked for crop in frames[how].crops])

    def _explain(self, image: Any) -> dict[str, Any]:
        frames = self._frames(image)
        maps, logits = [], []
        for cnn, how in zip(self._cnns, self._looking, strict=True):
            for side, crop in enumerate(frames[how].crops):
                # Nothing to watch: the weights are variables, so what comes of them is on the tape.
                with tf.GradientTape() as tape:
                    features, logit = cnn(crop)
                found = grad_cam(features, tape.gradient(logit, features))
                # The mirror's map is turned back before it is put onto the film.
                found = found[:, :, ::-1] if side else found
                maps.append(framing.paste(found, frames[how].box, HEATMAP_SIZE_PX))
                logits.append(logit)
        # Each CNN's map has its own peak at 1, so none outweighs the others.
        heat = tf.add_n(maps) / len(maps)
        return {contract.HEATMAP.name: _to_peak(heat), **self._scores(logits)}

    def _frames(self, image: Any) -> dict[Looking, _Frame]:
        """What each way of looking shows of ``image``: made once, however many CNNs have it."""
        answer = self._localiser(framing.overview(image))
        lungs = tf.sigmoid(answer[lungs_network.MASK])
        film = framing.film(image)
        usual = framing.boxes(lungs)
        levelled = (
            band_energies.levelled(film, usual) if any(h.levelled for h in self._looking) else film
        )
        frames = {}
        for how in dict.fromkeys(self._looking):
            box = framing.boxes(lungs, how.margin)
            crop = framing.crop(levelled if how.levelled else film, box)
            frames[how] = _Frame(box, (crop, crop[:, :, ::-1]) if how.mirrored else (crop,))
        return frames

    def _scores(self, logits: list[Any]) -> dict[str, Any]:
        # Logits within a member, probabilities between members: calibration is of logits.
        mean = tf.add_n(logits)[:, 0] / len(logits)
        probability = tf.sigmoid(self._calibration.scale * mean + self._calibration.offset)
        return {contract.PROBABILITY.name: probability, **self._tell(probability)}


@dataclass(frozen=True, slots=True)
class _Frame:
    """What a CNN is asked about: ``crops`` of what ``box`` frames, the second a mirror."""

    box: Any
    crops: tuple[Any, ...]


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
