"""What both kinds of network are made of."""

from __future__ import annotations

from typing import Any

import keras
from keras import layers

NORM_MOMENTUM = 0.9
"""Runs are short; Keras's .99 would leave the statistics of the fresh weights."""


# The name stands in every saved network: with another one, finished runs could not be read.
@keras.saving.register_keras_serializable("neumo")
class Standardize(layers.Layer):  # type: ignore[misc]  # keras has no types
    """Each film to mean 0 and standard deviation 1: exposure says nothing of disease."""

    def call(self, films: Any) -> Any:
        """Standardise ``films`` [n, h, w, 1] one by one."""
        mean = keras.ops.mean(films, axis=(1, 2, 3), keepdims=True)
        variance = keras.ops.var(films, axis=(1, 2, 3), keepdims=True)
        # 1e-4 (of a range of 1): a blank film has no variance.
        return (films - mean) / keras.ops.sqrt(variance + 1e-4)


def convolution(x: Any, width: int, size: int = 3, strides: int = 1) -> Any:
    """A convolution and its batch normalisation."""
    # No bias: the normalisation brings one, and folded_batchnorm counts on there being none.
    x = layers.Conv2D(width, size, strides, padding="same", use_bias=False)(x)
    return layers.BatchNormalization(momentum=NORM_MOMENTUM)(x)
