"""Metrics, thresholds and intervals, against numbers worked out by hand."""

import numpy as np
import pytest

from neumo_training import evaluation

SCORES = np.array([0.1, 0.2, 0.6, 0.4, 0.7, 0.9])
LABELS = np.array([0, 0, 0, 1, 1, 1], np.float32)
PATIENTS = np.array(["a", "b", "c", "d", "e", "f"])


def test_metrics_at_a_threshold():
    """Sensitivity, specificity and the rest are what a hand count gives."""
    found = evaluation.metrics(SCORES, LABELS, 0.5)
    assert found["sensitivity"] == pytest.approx(2 / 3)
    assert found["specificity"] == pytest.approx(2 / 3)
    assert found["auc"] == pytest.approx(8 / 9)
    assert found["accuracy"] == pytest.approx(4 / 6)


def test_a_score_equal_to_the_threshold_is_normal():
    """PNEUMONIA is strictly above the threshold, in metrics as in the SDK."""
    assert evaluation.metrics(SCORES, LABELS, 0.4)["sensitivity"] == pytest.approx(2 / 3)


def test_the_best_threshold_lies_in_the_middle_of_its_gap():
    """Halfway between the two neighbouring scores, so that rounding cannot flip either."""
    chosen = evaluation.best_balanced(SCORES, LABELS)
    assert chosen.threshold == pytest.approx(0.3)
    assert chosen.sensitivity == 1.0
    assert chosen.specificity == pytest.approx(2 / 3)


def test_a_sensitivity_goal_is_reached_with_the_highest_threshold():
    """All three sick films are called at .97, with the fewest false alarms."""
    assert evaluation.at_sensitivity(SCORES, LABELS).threshold == pytest.approx(0.3)


def test_every_roc_point_holds_with_strictly_above():
    """Each threshold of the curve, applied as the SDK does, gives the curve's own point."""
    curve = evaluation.roc(SCORES, LABELS)
    for false, true, threshold in zip(*curve.values(), strict=True):
        called = SCORES.astype(np.float32) > np.float32(threshold)
        assert called[LABELS == 1].mean() == pytest.approx(true)
        assert called[LABELS == 0].mean() == pytest.approx(false)


def test_calibration_error_of_certain_and_right_scores_is_zero():
    """Scores of 0 and 1 that are all right have nothing to be calibrated."""
    assert evaluation.metrics(LABELS.astype(float), LABELS, 0.5)["ece"] == 0.0


def test_intervals_hold_the_value_and_widen_with_clustered_patients():
    """Films of one patient count as one: the same films of fewer patients say less."""
    rng = np.random.RandomState(0)
    labels = np.repeat([0.0, 1.0], 60).astype(np.float32)
    shared = np.repeat(rng.normal(size=24), 5)
    scores = 1 / (1 + np.exp(-(labels * 1.5 - 0.75 + shared)))
    alone = np.arange(120).astype(str)
    clustered = np.repeat(np.arange(24), 5).astype(str)
    wide = evaluation.with_intervals(scores, labels, clustered, 0.5)["auc"]
    narrow = evaluation.with_intervals(scores, labels, alone, 0.5)["auc"]
    assert wide.low <= wide.value <= wide.high
    assert wide.high - wide.low > narrow.high - narrow.low


def test_a_model_does_not_differ_from_itself():
    """The paired bootstrap of equal scores is exactly zero."""
    same = evaluation.difference(SCORES, SCORES, LABELS, PATIENTS)
    assert (same.value, same.low, same.high) == (0.0, 0.0, 0.0)
