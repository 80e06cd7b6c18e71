"""From the contract's image to what the networks see, and back: TensorFlow ops, in every graph.

A box is float32 [n, 4]: top, left, bottom, right, as shares of the film's sides. Films that were
once squashed to 224 pixels and films fresh from a detector meet at one resolution here.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from neumo.contract import IMAGE_SCALE, IMAGE_SIZE_PX

FILM_SIZE_PX = 192
"""The resolution that is kept of a whole film: below 224, so that a film and its copy agree."""
CROP_SIZE_PX = 128
"""What a member sees of the lungs."""
# CNNs trained at .06, asked out of fold: AUC .984 at .03, .978 at .10, .9825 at .06 (tried.csv).
MARGIN = 0.06
"""Around the lungs, of the box's side, on each side."""
TAIL = 0.005
"""Share of the lungs' area that each side of the box may cut off: stray pixels do not count."""
LUNGS_AREA_MIN = 0.04
LUNGS_SIDE_MIN = 0.25
"""Less than these shares of the film is no pair of lungs: the whole film is used."""
WHOLE = (0.0, 0.0, 1.0, 1.0)


def film(image: Any) -> Any:
    """uint8 [n, 256, 256, 1] to float32 [n, 192, 192, 1] in 0..1, each pixel a mean of the area."""
    # 256 to 192 is no whole factor: each mean is over 4/3 of a pixel, as two products of matrices.
    rows = tf.constant(_means(IMAGE_SIZE_PX, FILM_SIZE_PX))
    scaled = tf.cast(image[..., 0], tf.float32) * IMAGE_SCALE
    down = tf.einsum("oh,nhw->now", rows, scaled)
    return tf.einsum("pw,now->nop", rows, down)[..., None]


def overview(image: Any) -> Any:
    """uint8 [n, 256, 256, 1] to what finds the lungs, float32 [n, 128, 128, 1] in 0..1."""
    return tf.nn.avg_pool2d(tf.cast(image, tf.float32) * IMAGE_SCALE, 2, 2, "VALID")


def boxes(lungs: Any, margin: float = MARGIN) -> Any:
    """The box around ``lungs``, probabilities float32 [n, h, w, 1]; the whole film without any.

    ``margin`` is the share of its sides that it is larger by on each side.
    """
    # A faint haze of probability over the whole film would draw the box wide.
    sure = tf.where(lungs[..., 0] > 0.5, lungs[..., 0], 0.0)
    top, bottom = _span(tf.reduce_sum(sure, axis=2))
    left, right = _span(tf.reduce_sum(sure, axis=1))
    is_pair = (
        (tf.reduce_mean(sure, axis=(1, 2)) >= LUNGS_AREA_MIN)
        & (bottom - top >= LUNGS_SIDE_MIN)
        & (right - left >= LUNGS_SIDE_MIN)
    )
    y, x = margin * (bottom - top), margin * (right - left)
    box = tf.stack([top - y, left - x, bottom + y, right + x], axis=1)
    # No pair of lungs: members are shown the whole film, in training as in use.
    return tf.where(is_pair[:, None], tf.clip_by_value(box, 0.0, 1.0), tf.constant(WHOLE))


def crop(films: Any, box: Any) -> Any:
    """What ``box`` frames of ``films`` [n, h, w, 1], float32 [n, 128, 128, 1], bilinear."""
    high, wide = box[:, 2] - box[:, 0], box[:, 3] - box[:, 1]
    middle = (box[:, :2] + box[:, 2:]) / 2.0
    zero = tf.zeros_like(high)
    return sample(films, middle, tf.stack([high, zero, zero, wide], axis=1), CROP_SIZE_PX)


# The edge repeated: black would tell how much of a frame lies outside, and borders are a shortcut.
def sample(films: Any, middle: Any, axes: Any, size: int, fill: str = "NEAREST") -> Any:
    """A parallelogram of ``films`` [n, h, w, c] as float32 [n, size, size, c], bilinear.

    ``middle`` [n, 2] is its centre (y, x) and ``axes`` [n, 4] are yy, yx, xy, xx: how far, in
    shares of the film, y and x move over the whole output's height (first of each pair) and width.
    ``fill`` is TensorFlow's fill mode outside the film.
    """
    h, w = films.shape[1], films.shape[2]
    step = tf.cast(axes, tf.float32) / size
    yy, yx, xy, xx = (step[:, k] * (h if k < 2 else w) for k in range(4))
    # Pixel k has its centre at k + .5: hence the halves here and below.
    half = (size - 1) / 2.0
    y0 = middle[:, 0] * h - 0.5 - (yy + yx) * half
    x0 = middle[:, 1] * w - 0.5 - (xy + xx) * half
    zero = tf.zeros_like(y0)
    # It maps output to input, x before y; the last two numbers would be a perspective.
    return tf.raw_ops.ImageProjectiveTransformV3(
        images=films,
        transforms=tf.stack([xx, xy, x0, yx, yy, y0, zero, zero], axis=1),
        output_shape=[size, size],
        fill_value=0.0,
        interpolation="BILINEAR",
        fill_mode=fill,
    )


def paste(maps: Any, box: Any, size: int) -> Any:
    """``maps`` [n, h, w] of what ``box`` frames, put back: float32 [n, size, size], 0 outside."""
    high, wide = box[:, 2] - box[:, 0], box[:, 3] - box[:, 1]
    zero = tf.zeros_like(high)
    middle = tf.stack([(0.5 - box[:, 0]) / high, (0.5 - box[:, 1]) / wide], axis=1)
    axes = tf.stack([1.0 / high, zero, zero, 1.0 / wide], axis=1)
    return sample(maps[..., None], middle, axes, size, fill="CONSTANT")[..., 0]


def _span(marginal: Any) -> tuple[Any, Any]:
    """Where ``marginal`` [n, k] begins and ends but for its tails, as shares of k."""
    count = marginal.shape[1]
    total = tf.reduce_sum(marginal, axis=1, keepdims=True)
    share = tf.math.divide_no_nan(tf.cumsum(marginal, axis=1), total)
    # Counting is what a graph can do for a search: as many as lie below come before.
    first = tf.reduce_sum(tf.cast(share < TAIL, tf.float32), axis=1)
    last = tf.reduce_sum(tf.cast(share < 1.0 - TAIL, tf.float32), axis=1) + 1.0
    return first / count, tf.minimum(last, count) / count


def _means(before: int, after: int) -> npt.NDArray[np.float32]:
    """The matrix [after, before] that takes means over equal shares of a side."""
    edges = np.linspace(0.0, before, after + 1)
    low, high = edges[:-1, None], edges[1:, None]
    cells = np.arange(before)[None, :]
    overlap = np.clip(np.minimum(high, cells + 1) - np.maximum(low, cells), 0.0, None)
    return np.asarray(overlap / (high - low), np.float32)
