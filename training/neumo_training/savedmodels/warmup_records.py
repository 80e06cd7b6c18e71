"""Warm-up records: what TensorFlow Serving replays before it calls a version AVAILABLE."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import numpy.typing as npt
import tensorflow as tf
from PIL import Image

from neumo import contract
from neumo.release import phantom
from neumo.release.warmup import warmup_record

SEED = 7
# One film, and a batch: the first call of each shape is the slow one.
BATCH_SIZES = (1, 2)


def write(model: contract.Model, path: Path) -> None:
    """Write phantoms for every signature of ``model``, as a TFRecord of ``PredictionLog``."""
    with tf.io.TFRecordWriter(str(path)) as file:
        for signature in model.signatures:
            for size in BATCH_SIZES:
                images = phantom.draw(SEED, size)
                value = _encoded(images) if signature.name == contract.ENCODED else images
                (tensor,) = signature.inputs
                file.write(warmup_record(model.name, signature.name, {tensor.name: value}))


def _encoded(images: npt.NDArray[np.uint8]) -> npt.NDArray[np.object_]:
    files = []
    for image in images:
        buffer = io.BytesIO()
        Image.fromarray(image[:, :, 0]).save(buffer, "PNG")
        files.append(buffer.getvalue())
    return np.array(files, dtype=object)
