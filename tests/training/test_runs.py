"""Runs of neighbouring numbers, looks and calibration: made numbers whose answers are known."""

import numpy as np
import pandas as pd
import pytest

from neumo.contract import NORMAL, PNEUMONIA
from neumo_training.evaluation import look, runs, thresholds
from neumo_training.evaluation.calibration_line import calibration_line
from neumo_training.evaluation.net_benefit import net_benefit


def films(normal=60, sick=120):
    """A table of one normal series and one of pneumonia, in no order."""
    names = [f"IM-{k:04d}" for k in range(normal)] + [f"person{k}" for k in range(sick)]
    table = pd.DataFrame(
        {
            "name": names,
            "label": [NORMAL] * normal + [PNEUMONIA] * sick,
            "series": ["IM"] * normal + ["person"] * sick,
            "number": [*range(normal), *range(sick)],
        }
    )
    return table.sample(frac=1.0, random_state=0)


def test_the_worst_run_is_found_wherever_its_films_lie_in_the_table():
    """Ten films called wrong, numbers 30 to 39: .6 of the run of 25 around them is right."""
    table = films()
    wrong = (table["label"] == NORMAL) & table["number"].between(30, 39)
    worst = runs.worst(~wrong.to_numpy(), table, NORMAL)
    assert worst.share == pytest.approx(15 / 25)
    assert worst.first <= 31
    assert worst.last >= 40
    assert (worst.series, worst.of, worst.last - worst.first) == ("IM", 60, 24)
    assert runs.worst(~wrong.to_numpy(), table, PNEUMONIA).share == 1.0


def test_a_series_that_is_shorter_than_a_run_has_none():
    """Twenty normal films are no run of 25, and a threshold for runs is not chosen by them."""
    table = films(normal=20)
    labels = (table["label"] == PNEUMONIA).to_numpy(np.float32)
    assert runs.worst(np.ones(len(table), bool), table, NORMAL) is None
    assert runs.shares(np.ones(len(table), bool), table, NORMAL).size == 0
    assert thresholds.best_worst_run(labels * 0.5 + 0.2, labels, table) is None


def test_films_of_a_run_are_drawn_together_and_classes_are_not():
    """60 and 120 films are 3 and 5 runs of 25, each of one class and of neighbours."""
    table = films()
    clusters = pd.Series(runs.clusters(table), index=table.index)
    assert clusters.nunique() == 3 + 5
    assert table.groupby(clusters)["label"].nunique().max() == 1
    spans = table.groupby(clusters)["number"].agg(lambda of: of.max() - of.min())
    assert spans.max() == 24


def test_equal_errors_leave_as_large_a_share_of_either_class():
    """Where one normal and one sick film of four lie on the wrong side, that is the threshold."""
    scores = np.array([0.1, 0.2, 0.3, 0.6, 0.4, 0.7, 0.8, 0.9])
    chosen = thresholds.equal_errors(scores, np.repeat([0.0, 1.0], 4).astype(np.float32))
    assert (chosen.sensitivity, chosen.specificity) == (0.75, 0.75)


def test_the_threshold_of_the_best_worst_run_saves_a_run_that_others_give_up():
    """Normal films 30 to 59 all score .6, sick ones .55 to 1: best balanced would cut below .6."""
    table = films(60, 120).sort_values(["label", "number"])
    labels = np.repeat([0.0, 1.0], [60, 120]).astype(np.float32)
    scores = np.r_[np.full(30, 0.1), np.full(30, 0.6), np.linspace(0.55, 1.0, 120)]
    chosen = thresholds.best_worst_run(scores, labels, table)
    right = (scores > chosen.threshold) == (labels > 0)
    assert runs.worst(right, table, NORMAL).share == 1.0


def test_calibrated_probabilities_have_a_line_of_slope_one():
    """Logits that are halved have a slope of two; classes drawn by them say so."""
    random = np.random.RandomState(0)
    logits = random.normal(scale=2.0, size=20_000)
    labels = (random.rand(len(logits)) < 1 / (1 + np.exp(-logits))).astype(np.float32)
    line = calibration_line(1 / (1 + np.exp(-logits)), labels)
    assert (line.slope, line.intercept) == pytest.approx((1.0, 0.0), abs=0.05)
    assert calibration_line(1 / (1 + np.exp(-logits / 2)), labels).slope == pytest.approx(2, 0.05)


def test_at_the_same_look_a_model_that_sees_nothing_else_is_worth_nothing():
    """AUC .5 within a look for the look itself, 1 for what knows the class; each by hand."""
    seen = np.repeat(np.linspace(0.05, 0.95, 10), 40)
    labels = (np.arange(400) % 40 < 40 * seen).astype(np.float32)
    assert look.matched_auc(seen, labels, seen) == pytest.approx(0.5)
    assert look.matched_auc(labels.astype(float), labels, seen) == 1.0


def test_films_whose_look_belies_their_class_are_drawn_more_often():
    """A normal film that looks sick, and the reverse, within what is allowed."""
    labels = np.array([0, 0, 1, 1], np.float32)
    often = look.inverse_propensity(np.array([0.1, 0.9, 0.9, 0.1]), labels, 0.25, 8.0)
    assert often == pytest.approx([0.25, 1.8, 0.25, 1.8])
    assert look.inverse_propensity(np.array([0.1, 1.0, 0.9, 0.5]), labels, 0.25, 1.5).max() == 1.5


def test_the_numbers_of_a_look_know_a_soft_film_from_a_sharp_one():
    """Fine contrast falls where a film is blurred, and the mean stays."""
    random = np.random.RandomState(1)
    sharp = random.rand(2, 128, 128, 1).astype(np.float16)
    soft = (sharp + np.roll(sharp, 1, 1) + np.roll(sharp, 1, 2)) / 3
    one, other = (look.numbers(films)[0] for films in (sharp, soft))
    at = look.NUMBERS.index
    assert one[at("fine_contrast")] > other[at("fine_contrast")]
    assert one[at("mean")] == pytest.approx(other[at("mean")], abs=0.01)


def test_net_benefit_of_a_perfect_release_is_the_share_of_the_sick():
    """At every threshold probability; calling everyone sick loses more the surer one must be."""
    labels = np.array([0, 0, 0, 1], np.float32)
    curve = net_benefit(labels.astype(float), labels)
    assert {point["of_the_release"] for point in curve} == {0.25}
    assert curve[0]["of_all"] == pytest.approx(0.25 - 0.75 * 0.05 / 0.95)
    assert curve[-1]["of_all"] < 0.0 < curve[0]["of_all"]
