"""From logits to probabilities that mean what they say."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Numbers = npt.NDArray[np.float64]
ITERATIONS = 50
HALVINGS = 40
_STEP = 1e-4
_LEAST = 1e-7
"""A mean of 0 or 1 would have an infinite cross-entropy."""


def platt(
    logits: Numbers, labels: npt.NDArray[np.float32], weights: Numbers
) -> tuple[float, float]:
    """The scale and offset of least cross-entropy (Platt 1999), by Newton's method.

    A step that would raise the cross-entropy is halved: far from calibrated, a whole one leaps
    past the minimum and never returns. ``weights`` [n] sum to 1. The targets are Platt's, a
    little inside 0 and 1, so that films that are told apart without an error still give a finite
    scale.
    """
    sick = labels > 0
    high = (sick.sum() + 1.0) / (sick.sum() + 2.0)
    low = 1.0 / ((~sick).sum() + 2.0)
    targets = np.where(sick, high, low)
    design = np.stack([logits, np.ones_like(logits)], axis=1)
    # From "as they are": scale 1, offset 0.
    at = np.array([1.0, 0.0])

    def loss(at: Numbers) -> float:
        calibrated = design @ at
        return float(weights @ (np.logaddexp(0.0, calibrated) - targets * calibrated))

    for _ in range(ITERATIONS):
        guess = sigmoid(design @ at)
        gradient = design.T @ (weights * (guess - targets))
        curvature = (design * (weights * guess * (1.0 - guess))[:, None]).T @ design
        # Where every guess is 0 or 1 there is no curvature to divide by.
        step = np.linalg.solve(curvature + 1e-9 * np.eye(2), gradient)
        shares = 0.5 ** np.arange(HALVINGS)
        # The default: no share of the step is lower, so the minimum is reached.
        at = next((at - k * step for k in shares if loss(at - k * step) <= loss(at)), at)
    return float(at[0]), float(at[1])


def platt_of_the_mean(
    logits: Numbers, labels: npt.NDArray[np.float32]
) -> list[tuple[float, float]]:
    """Scale and offset of each row of ``logits`` [members, n], so that their *mean* is calibrated.

    Members that are calibrated each leave their mean too unsure: all numbers are fitted together,
    by the cross-entropy of the mean of the probabilities, every film with the same weight. The
    prior is thus the share of pneumonia among these films.
    """
    count, films = logits.shape
    sick = labels > 0
    each = np.full(films, 1.0 / films)
    start = np.ravel([platt(row, labels, each) for row in logits])

    def loss(at: Numbers) -> tuple[float, Numbers]:
        scales, offsets = at.reshape(count, 2).T
        each = sigmoid(scales[:, None] * logits + offsets[:, None])
        mean = np.clip(each.mean(axis=0), _LEAST, 1.0 - _LEAST)
        by_mean = np.where(sick, -1.0 / mean, 1.0 / (1.0 - mean)) / films
        by_logit = by_mean * each * (1.0 - each) / count
        gradient = np.stack([(by_logit * logits).sum(axis=1), by_logit.sum(axis=1)], axis=1)
        return float(-np.where(sick, np.log(mean), np.log1p(-mean)).mean()), gradient.ravel()

    at, steps = start, _STEP * np.eye(2 * count)
    for _ in range(ITERATIONS):
        least, gradient = loss(at)
        # Of so few numbers the curvature by differences is as good as one by hand.
        curvature = np.stack([loss(at + one)[1] - gradient for one in steps]) / _STEP
        # It need be no bowl far from the minimum: only its bowls are gone down by their width.
        values, vectors = np.linalg.eigh((curvature + curvature.T) / 2.0)
        step = vectors @ ((vectors.T @ gradient) / np.maximum(np.abs(values), 1e-6))
        shares = 0.5 ** np.arange(HALVINGS)
        at = next((at - k * step for k in shares if loss(at - k * step)[0] <= least), at)
    return [(float(scale), float(offset)) for scale, offset in at.reshape(count, 2)]


def sigmoid(logits: Numbers) -> Numbers:
    """1 / (1 + exp(-logits)), float64."""
    # By tanh: exp overflows with a warning, and warnings fail the tests.
    return np.asarray(0.5 * (1.0 + np.tanh(0.5 * logits)), np.float64)
