"""Probabilities mean what they say."""

import numpy as np
import pytest

from neumo_training.evaluation.calibration_line import calibration_line
from neumo_training.fitting import calibration


def test_platts_scaling_finds_what_made_the_labels():
    """Labels drawn from 2 x logit - 1 give that scale and offset back."""
    random = np.random.RandomState(1)
    logits = random.normal(0, 2, 20000)
    labels = (random.rand(20000) < calibration.sigmoid(2 * logits - 1)).astype(np.float32)
    weights = np.full(20000, 1 / 20000)
    assert calibration.platt(logits, labels, weights) == pytest.approx((2, -1), abs=0.1)


def test_films_told_apart_without_an_error_get_a_finite_scale():
    """Platt's targets keep a perfect fold's probabilities inside 0 and 1."""
    logits = np.array([-3.0, -2.0, 2.0, 3.0])
    scale, _ = calibration.platt(logits, np.float32([0, 0, 1, 1]), np.full(4, 0.25))
    assert 0.0 < scale < 10.0


def test_a_weight_counts_as_so_many_films():
    """A film of weight two is two films."""
    random = np.random.RandomState(2)
    logits = random.normal(0, 1, 4000)
    labels = (random.rand(4000) < calibration.sigmoid(logits)).astype(np.float32)
    doubled = np.where(labels > 0, 2, 1)
    heavy = calibration.platt(logits, labels, doubled / doubled.sum())
    rows = np.repeat(np.arange(4000), doubled)
    twice = calibration.platt(logits[rows], labels[rows], np.full(len(rows), 1 / len(rows)))
    assert heavy == pytest.approx(twice, abs=0.01)


def test_logits_far_from_calibrated_are_brought_back():
    """Where all films are surely called NORMAL, what made the labels is found still."""
    random = np.random.RandomState(3)
    true = random.normal(0, 1, 20000)
    labels = (random.rand(20000) < calibration.sigmoid(true)).astype(np.float32)
    found = calibration.platt(6 * true - 20, labels, np.full(20000, 1 / 20000))
    assert found == pytest.approx((1 / 6, 20 / 6), rel=0.1)


def test_the_mean_of_members_is_calibrated_where_members_that_are_leave_it_too_unsure():
    """Two members that see the finding through noise of their own: the mean's slope becomes 1."""
    random = np.random.RandomState(0)
    finding = random.normal(scale=3.0, size=4000)
    half = finding + random.normal(scale=2.0, size=(2, 4000))
    labels = (random.rand(4000) < calibration.sigmoid(finding)).astype(np.float32)
    even = np.full(4000, 1 / 4000)
    each = [calibration.platt(row, labels, even) for row in half]
    together = calibration.platt_of_the_mean(half, labels)
    slopes = [
        calibration_line(
            np.mean(
                [calibration.sigmoid(a * z + b) for z, (a, b) in zip(half, fit, strict=True)], 0
            ),
            labels,
        ).slope
        for fit in (each, together)
    ]
    assert slopes[0] > 1.3
    assert slopes[1] == pytest.approx(1.0, abs=0.1)
