"""A small U-Net: float32 [n, 128, 128, 1] in 0..1 to the lungs' logits and a chest's.

It works on 64 x 64 cells of 2 x 2 pixels each (Shi et al. 2016), which costs what a U-Net at 64
pixels does and draws borders at 128.
"""

from __future__ import annotations

from typing import Any

import keras
from keras import layers

from neumo_training.networks.layers import Standardize, convolution

SIZE_PX = 128
WIDTHS = (16, 32, 64, 96)
CELL_PX = 2
MASK = "mask"
CHEST = "chest"


@keras.saving.register_keras_serializable("neumo")
class ToCells(layers.Layer):  # type: ignore[misc]  # keras has no types
    """[n, h, w, c] to [n, h / 2, w / 2, 4 c]: no pixel is lost."""

    def call(self, films: Any) -> Any:
        """Gather each cell's pixels as channels."""
        _, h, w, c = films.shape
        x = keras.ops.reshape(films, (-1, h // CELL_PX, CELL_PX, w // CELL_PX, CELL_PX, c))
        # Rows of the cell, then its columns, then channels: FromCells takes them apart in this
        # order.
        x = keras.ops.transpose(x, (0, 1, 3, 2, 4, 5))
        return keras.ops.reshape(x, (-1, h // CELL_PX, w // CELL_PX, CELL_PX**2 * c))


@keras.saving.register_keras_serializable("neumo")
class FromCells(layers.Layer):  # type: ignore[misc]  # keras has no types
    """[n, h, w, 4] to [n, 2 h, 2 w, 1]: the inverse of ``ToCells``."""

    def call(self, cells: Any) -> Any:
        """Spread each cell's channels as pixels."""
        _, h, w, _ = cells.shape
        x = keras.ops.reshape(cells, (-1, h, w, CELL_PX, CELL_PX))
        x = keras.ops.transpose(x, (0, 1, 3, 2, 4))
        return keras.ops.reshape(x, (-1, h * CELL_PX, w * CELL_PX, 1))


def build(seed: int, widths: tuple[int, ...] = WIDTHS) -> Any:
    """The U-Net (Ronneberger et al. 2015) with fresh weights; outputs ``mask`` and ``chest``.

    ``mask`` is float32 [n, 128, 128, 1] and ``chest`` float32 [n, 1], both logits.
    """
    # Fresh weights come from this global seed: before the first layer.
    keras.utils.set_random_seed(seed)
    film = keras.Input((SIZE_PX, SIZE_PX, 1), name="film")
    x = ToCells()(Standardize()(film))
    skips = []
    for depth, width in enumerate(widths):
        x = layers.MaxPooling2D(2)(x) if depth else x
        for _ in range(2):
            x = layers.ReLU()(convolution(x, width))
        skips.append(x)
    deepest = layers.Concatenate()(
        [layers.GlobalAveragePooling2D()(x), layers.GlobalMaxPooling2D()(x)]
    )
    chest = layers.Dense(1, name=CHEST)(layers.Dropout(0.3, seed=seed)(deepest))
    # The deepest has no skip: its features are what goes up.
    for width, skip in zip(widths[-2::-1], skips[-2::-1], strict=True):
        x = layers.Concatenate()([layers.UpSampling2D(2)(x), skip])
        x = layers.ReLU()(convolution(x, width))
    # Logits, not probabilities: enlarged as logits, borders stay where one half is.
    mask = FromCells(name=MASK)(layers.Conv2D(CELL_PX**2, 1)(x))
    return keras.Model(film, {MASK: mask, CHEST: chest}, name="lungs")
