"""The two CNNs: float32 [n, 128, 128, 1] in 0..1 to a logit [n, 1].

Each begins by standardising the film and ends in a global pooling and one linear unit, so that
Grad-CAM has its classic place, the layer ``FEATURES``.
"""

from __future__ import annotations

from typing import Any

import keras
from keras import layers

from neumo.errors import ConfigError
from neumo_training.config import MemberConfig
from neumo_training.films import INPUT_SIZE_PX

FEATURES = "features"
"""Name of the last convolutional layer, which Grad-CAM reads."""
NORM_MOMENTUM = 0.9
"""An epoch has about 50 steps; Keras's .99 would leave the statistics of the fresh weights."""


@keras.saving.register_keras_serializable("neumo")
class Standardize(layers.Layer):  # type: ignore[misc]  # keras has no types
    """Each film to mean 0 and standard deviation 1: exposure says nothing of disease."""

    def call(self, films: Any) -> Any:
        """Standardise ``films`` [n, h, w, 1] one by one."""
        mean = keras.ops.mean(films, axis=(1, 2, 3), keepdims=True)
        variance = keras.ops.var(films, axis=(1, 2, 3), keepdims=True)
        return (films - mean) / keras.ops.sqrt(variance + 1e-4)


def build(config: MemberConfig) -> Any:
    """A ``keras.Model`` with fresh weights, seeded by the configuration.

    Raises ``ConfigError`` for an architecture that does not exist.
    """
    keras.utils.set_random_seed(config.seed)
    film = keras.Input((INPUT_SIZE_PX, INPUT_SIZE_PX, 1), name="film")
    bodies = {"plain": _plain, "residual": _residual}
    if config.architecture not in bodies:
        raise ConfigError(f"architecture {config.architecture!r}: choose plain or residual")
    x = bodies[config.architecture](Standardize()(film), config)
    x = layers.Activation("relu", name=FEATURES)(x)
    x = layers.GlobalAveragePooling2D()(x)
    x = layers.Dropout(config.dropout, seed=config.seed)(x)
    return keras.Model(film, layers.Dense(1, name="logit")(x), name=config.model)


def _convolution(x: Any, width: int, size: int = 3, strides: int = 1) -> Any:
    x = layers.Conv2D(width, size, strides, padding="same", use_bias=False)(x)
    return layers.BatchNormalization(momentum=NORM_MOMENTUM)(x)


def _plain(x: Any, config: MemberConfig) -> Any:
    for stage, (width, count) in enumerate(zip(config.widths, config.blocks, strict=True)):
        for block in range(count):
            first = stage == block == 0
            x = layers.ReLU()(x) if not first else x
            x = layers.MaxPooling2D(2)(x) if stage > 0 and block == 0 else x
            x = _convolution(x, width, strides=2 if first else 1)
    return x


def _residual(x: Any, config: MemberConfig) -> Any:
    x = _convolution(x, config.widths[0], strides=2)
    for stage, (width, count) in enumerate(zip(config.widths, config.blocks, strict=True)):
        for block in range(count):
            x = _residual_block(layers.ReLU()(x), width, halve=stage > 0 and block == 0)
    return x


def _residual_block(x: Any, width: int, *, halve: bool) -> Any:
    y = layers.ReLU()(_convolution(x, width, strides=2 if halve else 1))
    y = _convolution(y, width)
    x = layers.AveragePooling2D(2)(x) if halve else x
    x = _convolution(x, width, size=1) if x.shape[-1] != width else x
    return layers.Add()([x, y])
