"""A film's fine and coarse contrasts brought to one balance: devices differ in it, lungs do not.

Localised energy-based normalisation (Philipsen et al. 2015): the film is split into Gaussian bands,
and each is scaled so that inside the lungs' box it has the energy that it has in a usual film.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from neumo_training.networks.framing import FILM_SIZE_PX

SIGMAS_PX = (1.0, 2.0, 4.0, 8.0, 16.0)
"""Where one band ends and the next begins, in pixels of a film of 192; the rest is a band, too."""
# The mean of the two classes' medians over the 4,118 development films.
REFERENCE = (0.084, 0.102, 0.161, 0.212, 0.268, 0.698)
"""Standard deviation of each band inside the box, in shares of the film's there."""
GAIN_MAX = 4.0
"""No band is made so many times stronger, or weaker: a blank film's would be nothing but noise."""
MIDDLE, SPREAD = 0.5, 0.15
"""What a film's mean and standard deviation inside the box become: 3.3 of these fit into 0..1."""


def levelled(films: Any, box: Any) -> Any:
    """``films`` float32 [n, 192, 192, 1] with usual energies inside ``box``, the same shape."""
    inside = _inside(box)
    bands, energies = _split(films[..., 0], inside)
    shares = energies / _whole(films[..., 0], inside)
    wanted = tf.constant(REFERENCE, tf.float32)
    gains = tf.clip_by_value(tf.math.divide_no_nan(wanted, shares), 1.0 / GAIN_MAX, GAIN_MAX)
    mixed = tf.add_n([band * gains[:, k, None, None] for k, band in enumerate(bands)])
    mean = _mean(mixed, inside)
    spread = _spread(mixed, inside, mean)
    return (MIDDLE + SPREAD * (mixed - mean) / spread)[..., None]


def energies(films: Any, box: Any) -> Any:
    """Each band's standard deviation inside ``box`` in shares of the film's, float32 [n, 6]."""
    inside = _inside(box)
    return _split(films[..., 0], inside)[1] / _whole(films[..., 0], inside)


def _split(films: Any, inside: Any) -> tuple[list[Any], Any]:
    """The bands of ``films`` [n, h, w], which add up to them, and their energies [n, bands]."""
    bands, sharper = [], films
    for sigma in SIGMAS_PX:
        rows = tf.constant(_gaussian(sigma))
        # As matrices: a kernel of 97 pixels costs a convolution more than the two products.
        softer = tf.einsum("oh,nhw,pw->nop", rows, films, rows)
        bands.append(sharper - softer)
        sharper = softer
    bands.append(sharper)
    found = [_spread(band, inside, _mean(band, inside))[:, 0, 0] for band in bands]
    return bands, tf.stack(found, axis=1)


def _whole(films: Any, inside: Any) -> Any:
    return _spread(films, inside, _mean(films, inside))[:, 0]


def _mean(films: Any, inside: Any) -> Any:
    return tf.reduce_sum(films * inside, axis=(1, 2), keepdims=True)


def _spread(films: Any, inside: Any, mean: Any) -> Any:
    # 1e-8 (of a range of 1): a blank film has no variance.
    return tf.sqrt(tf.reduce_sum((films - mean) ** 2 * inside, axis=(1, 2), keepdims=True) + 1e-8)


def _inside(box: Any) -> Any:
    """Weights [n, 192, 192] that sum to 1: even where ``box`` is, none elsewhere."""
    middle = (tf.range(FILM_SIZE_PX, dtype=tf.float32) + 0.5) / FILM_SIZE_PX
    rows = tf.cast((middle > box[:, 0:1]) & (middle < box[:, 2:3]), tf.float32)
    columns = tf.cast((middle > box[:, 1:2]) & (middle < box[:, 3:4]), tf.float32)
    both = rows[:, :, None] * columns[:, None, :]
    return both / tf.reduce_sum(both, axis=(1, 2), keepdims=True)


def _gaussian(sigma: float) -> npt.NDArray[np.float32]:
    """The matrix [192, 192] that blurs a side; at the film's edge the weights still sum to 1."""
    at = np.arange(FILM_SIZE_PX)
    weights = np.exp(-((at[:, None] - at[None, :]) ** 2) / (2.0 * sigma**2))
    return np.asarray(weights / weights.sum(axis=1, keepdims=True), np.float32)
