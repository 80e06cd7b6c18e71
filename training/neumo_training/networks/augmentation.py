"""Random changes that leave the finding: TensorFlow ops on a batch, reproducible from a seed.

Framing, exposure and sharpness differ between this set's classes and between hospitals; these
are what a model must not rely on. Films are float32 [n, h, w, 1] in 0..1; a seed is int [2].
"""

from __future__ import annotations

from typing import Any

import numpy as np
import tensorflow as tf

BLUR_FACTOR = 2


def view(
    box: Any, seed: Any, *, zoom: float, stretch: float, shift: float, rotation_degrees: float
) -> tuple[Any, Any]:
    """A random look at ``box`` and around it: ``framing.sample``'s middle and axes.

    The frame is e to the plus or minus ``zoom`` of the box's sides, stretched one against the
    other by e to the plus or minus ``stretch``, moved by up to ``shift`` of them, turned, and half
    of the time mirrored.
    """
    n = tf.shape(box)[0]
    # One draw for all six: two from one seed would be the same numbers.
    size, aspect, turn, down, right, mirror = tf.unstack(uniform(seed, tf.stack([6, n])))
    high = (box[:, 2] - box[:, 0]) * tf.exp(size * zoom - aspect * stretch / 2.0)
    wide = (box[:, 3] - box[:, 1]) * tf.exp(size * zoom + aspect * stretch / 2.0)
    middle = (box[:, :2] + box[:, 2:]) / 2.0 + shift * tf.stack([down * high, right * wide], axis=1)
    return middle, _axes(high, wide, turn * float(np.deg2rad(rotation_degrees)), mirror)


def look_inside(
    box: Any, seed: Any, *, area_min: float, aspect: float, rotation_degrees: float
) -> tuple[Any, Any]:
    """A random look at a part of ``box``: ``framing.sample``'s middle and axes.

    The part has ``area_min`` to all of the box's area, sides stretched one against the other by e
    to the plus or minus ``aspect``, and lies inside it; it is turned, and mirrored half the time.
    """
    n = tf.shape(box)[0]
    area, skew, turn, down, right, mirror = tf.unstack(uniform(seed, tf.stack([6, n])))
    size = tf.sqrt(area_min + (1.0 - area_min) * (area + 1.0) / 2.0)
    stretch = tf.exp(skew * aspect / 2.0)
    # A stretched frame that is longer than the box would show what members never see.
    y, x = tf.minimum(size / stretch, 1.0), tf.minimum(size * stretch, 1.0)
    high, wide = box[:, 2] - box[:, 0], box[:, 3] - box[:, 1]
    moved = tf.stack([down * (1.0 - y) * high, right * (1.0 - x) * wide], axis=1) / 2.0
    middle = (box[:, :2] + box[:, 2:]) / 2.0 + moved
    return middle, _axes(y * high, x * wide, turn * float(np.deg2rad(rotation_degrees)), mirror)


def _axes(high: Any, wide: Any, angle: Any, mirror: Any) -> Any:
    # A heart on the right is no other finding.
    flip = tf.where(mirror < 0.0, -1.0, 1.0)
    cos, sin = tf.cos(angle), tf.sin(angle)
    return tf.stack([cos * high, sin * wide * flip, -sin * high, cos * wide * flip], axis=1)


def uniform(seed: Any, shape: Any, low: float = -1.0, high: float = 1.0) -> Any:
    """Even random numbers."""
    # Stateless: a run that goes on draws what it would have drawn without the kill.
    return tf.random.stateless_uniform(shape, seed, low, high)


def expose(films: Any, seed: Any, strength: float) -> Any:
    """Gamma of e to the plus or minus ``strength``."""
    gamma = tf.exp(uniform(seed, _column(films)) * strength)
    # A power of what is below 0 would be NaN.
    return tf.pow(tf.clip_by_value(films, 0.0, 1.0), gamma)


def blur(films: Any, seed: Any) -> Any:
    """Mix in a copy of half the resolution, by a random share; half of the films stay sharp."""
    # Training films were squashed to 224 pixels; what users send is sharper.
    small = tf.nn.avg_pool2d(films, BLUR_FACTOR, BLUR_FACTOR, "SAME")
    soft = tf.image.resize(small, films.shape[1:3])
    share = tf.maximum(uniform(seed, _column(films)), 0.0)
    return films + share * (soft - films)


def grain(films: Any, seed: Any, strength: float) -> Any:
    """Gaussian noise of up to ``strength``."""
    deviation = uniform(seed, _column(films), 0.0, strength)
    # Another seed than the strength's, or the two would be bound to each other.
    return films + deviation * tf.random.stateless_normal(tf.shape(films), seed + 1)


def cut_out(films: Any, seed: Any, count: int) -> Any:
    """Grey rectangles of up to 30 % of a side (DeVries and Taylor 2017)."""
    side = films.shape[1]
    axis = (tf.range(side, dtype=tf.float32) + 0.5) / side
    for _ in range(count):
        seed = seed + 1
        size = tf.stack([4, tf.shape(films)[0], 1])
        y, x, high, wide = tf.unstack(uniform(seed, size, 0.0, 1.0))
        rows = tf.abs(axis - y) < 0.15 * high
        columns = tf.abs(axis - x) < 0.15 * wide
        inside = (rows[:, :, None] & columns[:, None, :])[..., None]
        # The film's mean, which standardising makes 0: a hole that says nothing.
        films = tf.where(inside, tf.reduce_mean(films, axis=(1, 2, 3), keepdims=True), films)
    return films


def mix_up(films: Any, labels: Any, seed: Any, beta: float) -> tuple[Any, Any]:
    """Mix each film and label with its neighbour in the batch (Zhang et al. 2018)."""
    n = tf.shape(films)[0]
    # Two gammas make a Beta, of which TensorFlow has no stateless one.
    gamma_a, gamma_b = tf.unstack(tf.random.stateless_gamma(tf.stack([2, n]), seed, beta))
    # At a beta of .2 both may underflow to 0.
    share = gamma_a / (gamma_a + gamma_b + 1e-12)
    # The larger part is the film's own, so that a batch shows every film that it drew.
    share = tf.maximum(share, 1.0 - share)
    spread = share[:, None, None, None]
    films = films * spread + tf.roll(films, 1, 0) * (1.0 - spread)
    return films, labels * share + tf.roll(labels, 1, 0) * (1.0 - share)


def _column(films: Any) -> Any:
    return tf.stack([tf.shape(films)[0], 1, 1, 1])
