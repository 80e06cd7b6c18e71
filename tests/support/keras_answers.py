"""What a finished run's networks answer in Keras, without a SavedModel."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt


def probabilities(workdir: Path, member: str, images: npt.NDArray[np.uint8]) -> Any:
    """A member's probabilities for uint8 [n, 256, 256, 1]: its folds' mean logit, calibrated."""
    import keras
    import tensorflow as tf

    from neumo_training.networks import framing, lungs_network

    localiser = keras.models.load_model(workdir / "localiser" / "best.keras")
    found = localiser(framing.overview(images), training=False)[lungs_network.MASK]
    crops = framing.crop(framing.film(images), framing.boxes(tf.sigmoid(found)))
    folds = sorted((workdir / member).glob("fold-*/best.keras"))
    logits = [keras.models.load_model(path)(crops, training=False)[:, 0] for path in folds]
    fitted = json.loads((workdir / "results.json").read_text())["calibration"][member]
    return tf.sigmoid(fitted["scale"] * np.mean(logits, axis=0) + fitted["offset"]).numpy()
