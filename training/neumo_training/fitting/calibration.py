"""From logits to probabilities that mean what they say."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Numbers = npt.NDArray[np.float64]
ITERATIONS = 50
HALVINGS = 40


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


def sigmoid(logits: Numbers) -> Numbers:
    """1 / (1 + exp(-logits)), float64."""
    # By tanh: exp overflows with a warning, and warnings fail the tests.
    return np.asarray(0.5 * (1.0 + np.tanh(0.5 * logits)), np.float64)
