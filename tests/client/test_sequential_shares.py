"""Shares judged after every film: the error rate holds however often they are looked at."""

from __future__ import annotations

import random

import pytest

from neumo.verification.sequential_shares import Likeness, interval, judged, of_all

ALPHA = 0.05
LIMIT = 0.02
RUNS = 200
FILMS = 1000


def ever(share, state, seed):
    """Whether a share is ever judged to be ``state``, looked at after each of many films."""
    chance = random.Random(seed)
    total = 0
    for n in range(1, FILMS + 1):
        total += chance.random() < share
        # What an ending depends on changes only with a hit, or slowly: every tenth look is a look.
        if (n % 10 == 0 or n < 50) and judged("flips", n, total, LIMIT, ALPHA).state is state:
            return True
    return False


@pytest.mark.parametrize("wrong", [Likeness.DIFFERENT, Likeness.SAME])
def test_a_share_at_the_limit_is_judged_wrongly_no_more_often_than_alpha(wrong):
    """Though it is looked at all the time: a test of a fixed size would err far more often."""
    erred = sum(ever(LIMIT, wrong, seed) for seed in range(RUNS))
    # Three standard deviations above alpha: these seeds are always the same.
    assert erred <= RUNS * ALPHA + 3 * (RUNS * ALPHA * (1 - ALPHA)) ** 0.5


@pytest.mark.parametrize(
    ("share", "state"), [(0.0, Likeness.SAME), (0.1, Likeness.DIFFERENT), (0.5, Likeness.DIFFERENT)]
)
def test_a_share_well_off_the_limit_is_told_within_a_thousand_films(share, state):
    """On whichever side it is."""
    assert ever(share, state, seed=7)


@pytest.mark.parametrize(("n", "total"), [(1, 0.0), (1, 1.0), (10, 3.0), (1000, 12.5)])
def test_the_interval_holds_the_mean_and_lies_within_0_and_1(n, total):
    """Also where nothing, or everything, was counted, and for sums of fractions."""
    low, high = interval(n, total, ALPHA)
    assert 0.0 <= low <= total / n <= high <= 1.0
    assert low < high


def test_more_films_of_the_same_share_make_it_narrower():
    """And without films nothing is believed or doubted."""
    assert interval(0, 0.0, ALPHA) == (0.0, 1.0)
    (low, high), (narrow_low, narrow_high) = interval(100, 5, ALPHA), interval(10_000, 500, ALPHA)
    assert low < narrow_low < 0.05 < narrow_high < high


def test_a_comparison_is_the_same_where_all_shares_are_and_different_where_one_is():
    """Without any share nothing is decided."""
    same, different = judged("a", 1000, 0, LIMIT, ALPHA), judged("b", 100, 50, LIMIT, ALPHA)
    undecided = judged("c", 1, 0, LIMIT, ALPHA)
    assert of_all((same, same)) is Likeness.SAME
    assert of_all((same, undecided)) is Likeness.UNDECIDED
    assert of_all((same, undecided, different)) is Likeness.DIFFERENT
    assert of_all(()) is Likeness.UNDECIDED


@pytest.mark.parametrize(("n", "total", "alpha"), [(1, 2.0, 0.05), (1, -1.0, 0.05), (1, 0.0, 0.0)])
def test_what_cannot_be_a_sum_is_refused(n, total, alpha):
    """Nor can an error rate be none."""
    with pytest.raises(ValueError, match=r"sum|alpha"):
        interval(n, total, alpha)


def test_the_reason_says_the_share_its_interval_and_the_limit():
    """In one line that an operator can read."""
    reason = judged("flips", 400, 40, LIMIT, ALPHA).reason
    assert reason.startswith("flips: 0.1 of 400 films, ")
    assert reason.endswith("above the limit 0.02")
