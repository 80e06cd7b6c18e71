"""The two CNNs: a crop of the lungs, float32 [n, 128, 128, 1] in 0..1, to a logit [n, 1].

Each begins by standardising the crop and ends in a global pooling and one linear unit, so that
Grad-CAM has its classic place, the layer ``FEATURES``.
"""

from __future__ import annotations

from typing import Any

import keras
from keras import layers

from neumo.errors import ConfigError
from neumo_training.networks.framing import CROP_SIZE_PX
from neumo_training.networks.layers import Standardize, convolution
from neumo_training.networks.network_config import MemberConfig

FEATURES = "features"
"""Name of the last convolutional layer, which Grad-CAM reads."""


def build(config: MemberConfig) -> Any:
    """A ``keras.Model`` with fresh weights, seeded by the configuration.

    Raises ``ConfigError`` for an architecture that does not exist.
    """
    # Fresh weights come from this global seed: before the first layer.
    keras.utils.set_random_seed(config.seed)
    film = keras.Input((CROP_SIZE_PX, CROP_SIZE_PX, 1), name="film")
    bodies = {"plain": _plain, "residual": _residual}
    if config.architecture not in bodies:
        raise ConfigError(f"architecture {config.architecture!r}: choose plain or residual")
    x = bodies[config.architecture](Standardize()(film), config)
    # Bodies end without it: this one is named, so that export finds it in any body.
    x = layers.Activation("relu", name=FEATURES)(x)
    x = layers.GlobalAveragePooling2D()(x)
    x = layers.Dropout(config.dropout, seed=config.seed)(x)
    return keras.Model(film, layers.Dense(1, name="logit")(x), name=config.model)


def _plain(x: Any, config: MemberConfig) -> Any:
    for stage, (width, count) in enumerate(zip(config.widths, config.blocks, strict=True)):
        for block in range(count):
            first = stage == block == 0
            # Before each but the first: after the last one comes FEATURES.
            x = layers.ReLU()(x) if not first else x
            x = layers.MaxPooling2D(2)(x) if stage > 0 and block == 0 else x
            x = convolution(x, width, strides=2 if first else 1)
    return x


def _residual(x: Any, config: MemberConfig) -> Any:
    x = convolution(x, config.widths[0], strides=2)
    for stage, (width, count) in enumerate(zip(config.widths, config.blocks, strict=True)):
        for block in range(count):
            x = _residual_block(layers.ReLU()(x), width, halve=stage > 0 and block == 0)
    return x


def _residual_block(x: Any, width: int, *, halve: bool) -> Any:
    y = layers.ReLU()(convolution(x, width, strides=2 if halve else 1))
    y = convolution(y, width)
    # A strided 1 x 1 convolution would not look at three pixels of four.
    x = layers.AveragePooling2D(2)(x) if halve else x
    x = convolution(x, width, size=1) if x.shape[-1] != width else x
    return layers.Add()([x, y])
