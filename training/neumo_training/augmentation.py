"""Random changes that leave the finding: TensorFlow ops on a batch, reproducible from a seed.

Framing, exposure and sharpness differ between this set's classes and between hospitals; these
are what a model must not rely on.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import tensorflow as tf

from neumo_training.config import MemberConfig
from neumo_training.films import INPUT_SIZE_PX

BLUR_FACTOR = 2


def augment(films: Any, labels: Any, seed: Any, config: MemberConfig) -> tuple[Any, Any]:
    """Augment ``films`` float32 [n, 128, 128, 1] in 0..1 and ``labels`` float32 [n].

    ``seed`` is int [2]; the same seed gives the same batch.
    """
    seeds = tf.unstack(tf.random.experimental.stateless_split(seed, 6))
    films = _reframe(films, seeds[0], config)
    films = _expose(films, seeds[1], config.gamma)
    films = _blur(films, seeds[2])
    films = _grain(films, seeds[3], config.noise)
    films = _cut_out(films, seeds[4], config.cutouts)
    return _mix_up(films, labels, seeds[5], config.mixup) if config.mixup else (films, labels)


def _uniform(seed: Any, shape: Any, low: float = -1.0, high: float = 1.0) -> Any:
    return tf.random.stateless_uniform(shape, seed, low, high)


def _column(n: Any) -> Any:
    return tf.stack([n, 1, 1, 1])


def _reframe(films: Any, seed: Any, config: MemberConfig) -> Any:
    """Random resized crop, rotation and mirror image in one bilinear resampling."""
    n = tf.shape(films)[0]
    area, aspect, turn, right, down, mirror = tf.unstack(_uniform(seed, tf.stack([6, n])))
    low = config.crop_area_min
    size = tf.sqrt(low + (1.0 - low) * (area + 1.0) / 2.0)
    stretch = tf.exp(aspect * config.crop_aspect / 2.0)
    width, height = tf.minimum(size * stretch, 1.0), tf.minimum(size / stretch, 1.0)
    angle = turn * float(np.deg2rad(config.rotation_degrees))
    half = (INPUT_SIZE_PX - 1) / 2.0
    flip = tf.where(mirror < 0.0, -1.0, 1.0)
    a0, a1 = tf.cos(angle) * width * flip, -tf.sin(angle) * height
    b0, b1 = tf.sin(angle) * width * flip, tf.cos(angle) * height
    a2 = half + right * (1.0 - width) * half - (a0 + a1) * half
    b2 = half + down * (1.0 - height) * half - (b0 + b1) * half
    zero = tf.zeros_like(a0)
    return tf.raw_ops.ImageProjectiveTransformV3(
        images=films,
        transforms=tf.stack([a0, a1, a2, b0, b1, b2, zero, zero], axis=1),
        output_shape=[INPUT_SIZE_PX, INPUT_SIZE_PX],
        fill_value=0.0,
        interpolation="BILINEAR",
        fill_mode="CONSTANT",
    )


def _expose(films: Any, seed: Any, strength: float) -> Any:
    gamma = tf.exp(_uniform(seed, _column(tf.shape(films)[0])) * strength)
    return tf.pow(tf.clip_by_value(films, 0.0, 1.0), gamma)


def _blur(films: Any, seed: Any) -> Any:
    """Mix in a copy of half the resolution, by a random share."""
    small = tf.nn.avg_pool2d(films, BLUR_FACTOR, BLUR_FACTOR, "SAME")
    soft = tf.image.resize(small, [INPUT_SIZE_PX, INPUT_SIZE_PX])
    share = tf.maximum(_uniform(seed, _column(tf.shape(films)[0])), 0.0)
    return films + share * (soft - films)


def _grain(films: Any, seed: Any, strength: float) -> Any:
    deviation = _uniform(seed, _column(tf.shape(films)[0]), 0.0, strength)
    return films + deviation * tf.random.stateless_normal(tf.shape(films), seed + 1)


def _cut_out(films: Any, seed: Any, count: int) -> Any:
    """Grey rectangles of up to 30 % of a side (DeVries and Taylor 2017)."""
    axis = (tf.range(INPUT_SIZE_PX, dtype=tf.float32) + 0.5) / INPUT_SIZE_PX
    for _ in range(count):
        seed = seed + 1
        size = tf.stack([4, tf.shape(films)[0], 1])
        y, x, high, wide = tf.unstack(_uniform(seed, size, 0.0, 1.0))
        rows = tf.abs(axis - y) < 0.15 * high
        columns = tf.abs(axis - x) < 0.15 * wide
        inside = (rows[:, :, None] & columns[:, None, :])[..., None]
        films = tf.where(inside, tf.reduce_mean(films, axis=(1, 2, 3), keepdims=True), films)
    return films


def _mix_up(films: Any, labels: Any, seed: Any, beta: float) -> tuple[Any, Any]:
    """Mix each film with its neighbour in the batch (Zhang et al. 2018)."""
    n = tf.shape(films)[0]
    one, two = tf.unstack(tf.random.stateless_gamma(tf.stack([2, n]), seed, beta))
    share = one / (one + two + 1e-12)
    share = tf.maximum(share, 1.0 - share)
    films = films * share[:, None, None, None] + tf.roll(films, 1, 0) * (
        1.0 - share[:, None, None, None]
    )
    return films, labels * share + tf.roll(labels, 1, 0) * (1.0 - share)
