"""Metrics, thresholds and intervals, against numbers worked out by hand."""

import numpy as np
import pytest
from sklearn.metrics import average_precision_score, roc_auc_score

from neumo_training import evaluation
from neumo_training.evaluation import curves
from neumo_training.evaluation.resampling import resample
from neumo_training.evaluation.scoring import weighted_metrics

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
    assert evaluation.at_sensitivity(SCORES, LABELS, 0.97).threshold == pytest.approx(0.3)


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
    same = evaluation.differences((SCORES, 0.5), (SCORES, 0.5), LABELS, PATIENTS)["auc"]
    assert (same.value, same.low, same.high) == (0.0, 0.0, 0.0)


def tied(count=200):
    """Scores of two decimals, so that many tie, their labels, and patients of four films each."""
    random = np.random.RandomState(3)
    labels = (np.arange(count) % 3 > 0).astype(np.float32)
    scores = np.round(np.clip(random.normal(0.35 + 0.3 * labels, 0.2), 0.0, 1.0), 2)
    return scores, labels, (np.arange(count) // 4).astype(str)


def test_ranking_metrics_are_scikit_learns_also_where_scores_tie():
    """AUC and average precision agree with another implementation."""
    scores, labels, _ = tied()
    found = evaluation.metrics(scores, labels, 0.5)
    assert found["auc"] == pytest.approx(roc_auc_score(labels, scores))
    assert found["average_precision"] == pytest.approx(average_precision_score(labels, scores))
    assert evaluation.area(scores, labels) == found["auc"]


def test_a_resample_is_the_metrics_of_the_films_drawn():
    """Weighting films gives what repeating them gives, for every metric."""
    scores, labels, patients = tied()
    resamples = resample(patients, labels, draws=5)
    drawn = resamples.measured(lambda w: weighted_metrics(scores, labels, 0.5, w))
    for draw, counts in enumerate(resamples.counts[:, resamples.cluster]):
        rows = np.repeat(np.arange(len(labels)), counts)
        expected = evaluation.metrics(scores[rows], labels[rows], 0.5)
        assert {name: values[draw] for name, values in drawn.items()} == pytest.approx(expected)


def test_every_draw_has_as_many_patients_of_each_class():
    """Patients are drawn whole, each class's on their own; a seed draws the same."""
    _, labels, patients = tied()
    first, second = (resample(patients, labels, draws=50) for _ in range(2))
    np.testing.assert_array_equal(first.counts, second.counts)
    for label in (0, 1):
        clusters = np.unique(first.cluster[labels == label])
        assert set(first.counts[:, clusters].sum(axis=1)) == {len(clusters)}


def test_a_paired_difference_is_surer_than_two_intervals():
    """Two models that err on the same films differ by little, and surely."""
    scores, labels, patients = tied()
    better = np.clip(scores + 0.05 * labels, 0.0, 1.0)
    apart = [evaluation.with_intervals(s, labels, patients, 0.5)["auc"] for s in (scores, better)]
    found = evaluation.differences((better, 0.5), (scores, 0.5), labels, patients)["auc"]
    assert found.value == pytest.approx(apart[1].value - apart[0].value)
    assert found.low > 0.0
    assert found.high - found.low < apart[0].high - apart[0].low


def test_the_band_of_the_roc_curve_lies_around_it():
    """Its ends are fixed, and between them the interval holds the curve."""
    scores, labels, patients = tied()
    band = curves.roc_band(scores, labels, patients)
    assert band["tpr"][-1] == band["low"][-1] == 1.0
    assert band["tpr"] == sorted(band["tpr"])
    for low, value, high in zip(band["low"], band["tpr"], band["high"], strict=True):
        assert low <= value <= high


def test_reliability_counts_every_film_once():
    """The bins' means, weighted by their films, are the mean probability and the prevalence."""
    scores, labels, patients = tied()
    bins = curves.reliability(scores, labels, patients)
    films = np.array([b["films"] for b in bins])
    assert films.sum() == len(scores)
    assert films @ [b["mean_probability"] for b in bins] == pytest.approx(scores.sum())
    assert films @ [b["share_pneumonia"]["value"] for b in bins] == pytest.approx(labels.sum())


def test_precision_at_a_recall_is_the_best_that_reaches_it():
    """At recall 1 every sick film is called, and one normal film of three is, too."""
    curve = curves.precision_recall(SCORES, LABELS)
    assert curve["precision"][-1] == pytest.approx(3 / 4)
    assert curve["precision"][0] == 1.0
