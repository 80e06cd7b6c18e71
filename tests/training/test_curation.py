"""What each curation policy keeps of the films, and how often it draws them."""

import numpy as np
import pytest

from neumo.errors import ConfigError
from neumo_training.datasets import curation
from support.film_tables import normals_and_persons, table

TWINS = [
    ("NORMAL", "normal", "IM", 1, "normal-1", "same"),
    ("NORMAL", "normal", "IM", 2, "normal-2", "same"),
    ("NORMAL", "normal", "IM", 3, "normal-3", "both"),
    ("PNEUMONIA", "virus", "person", 1, "person-1", "both"),
    ("PNEUMONIA", "virus", "person", 2, "person-2", "p2"),
]


def patient_with(count):
    """A normal film, and a patient with ``count`` films of pneumonia."""
    person = [("PNEUMONIA", "virus", "person", 1, "person-1", f"v{n}") for n in range(count)]
    return table([("NORMAL", "normal", "IM", 1, "normal-1", "n"), *person])


def test_one_image_of_each_patient_and_type_is_kept():
    """Of a patient with both infections one film of each is kept, of others the first."""
    rows = [("PNEUMONIA", t, "person", 1, "person-1", f"{t}{i}") for t in "vb" for i in range(3)]
    kept = curation.one_per_patient(table(rows))
    assert list(kept["name"]) == ["000.jpeg", "003.jpeg"]


def test_balancing_draws_as_many_of_each_class_reproducibly():
    """The larger class is cut to the smaller one's size, by the seed."""
    films = normals_and_persons(10).iloc[5:]
    kept = curation.balanced(films, seed=1)
    assert set(kept["label"].value_counts()) == {5}
    assert kept.equals(curation.balanced(films, seed=1))
    assert not kept.equals(curation.balanced(films, seed=2))


@pytest.mark.parametrize("policy", curation.POLICIES)
def test_every_policy_leaves_out_duplicates_and_contradictions(policy):
    """Of identical files the first stays; of identical files with both labels none does."""
    assert list(curation.curate(table(TWINS), policy, 0)["sha256"]) == ["same", "p2"]


@pytest.mark.parametrize("policy", curation.POLICIES)
def test_the_steps_say_what_each_leaves_out(policy):
    """What others must not see goes first, then contradictions, then duplicates."""
    films = table([*TWINS, ("NORMAL", "normal", "IM", 9, "normal-9", "tested")])
    films.loc[films["sha256"] == "tested", "also_in"] = "test"
    steps = curation.steps(films, policy, 0)
    assert [(step.name, len(step.kept)) for step in steps[:3]] == [
        ("other parts", 5),
        ("contradictions", 3),
        ("duplicates", 2),
    ]
    assert steps[-1].kept.equals(curation.curate(films, policy, 0))


def test_the_default_keeps_one_film_per_patient_and_type_and_balances():
    """The original's curation is the first policy."""
    kept = curation.curate(patient_with(5), curation.POLICIES[0], 0)
    assert list(kept["label"]) == ["NORMAL", "PNEUMONIA"]


def test_all_weighted_keeps_every_film():
    """The second policy cuts neither repeated patients nor the larger class."""
    assert len(curation.curate(patient_with(5), curation.ALL_WEIGHTED, 0)) == 6


@pytest.mark.parametrize("policy", curation.POLICIES)
def test_the_index_of_the_films_is_kept(policy):
    """A caller finds the kept films among its own by their index."""
    films = normals_and_persons(10).iloc[3:15]
    kept = curation.curate(films, policy, 0)
    assert kept.equals(films.loc[kept.index])


@pytest.mark.parametrize("policy", curation.POLICIES)
def test_each_class_is_drawn_half_of_the_time(policy):
    """The weights sum to 1, half for each class, whatever the films' numbers."""
    films = normals_and_persons(10).iloc[7:]
    drawn = curation.weights(films, policy)
    assert drawn.dtype == np.float64
    assert drawn[films["label"] == "NORMAL"].sum() == pytest.approx(0.5)
    assert drawn.sum() == pytest.approx(1.0)


def test_a_patient_with_four_films_is_drawn_twice_as_often_as_one_with_one():
    """All-weighted: a film weighs 1/sqrt(the films of its patient)."""
    films = table(
        [
            ("NORMAL", "normal", "IM", 1, "normal-1", "n"),
            *[("PNEUMONIA", "virus", "person", 1, "person-1", f"v{n}") for n in range(4)],
            ("PNEUMONIA", "virus", "person", 2, "person-2", "w"),
        ]
    )
    drawn = curation.weights(films, curation.ALL_WEIGHTED)
    assert drawn[1:5].sum() == pytest.approx(2 * drawn[5])


def test_one_per_patient_draws_all_films_of_a_class_alike():
    """The original's policy knows no weights within a class."""
    drawn = curation.weights(patient_with(4), curation.ONE_PER_PATIENT)
    assert drawn == pytest.approx([0.5, *[0.125] * 4])


@pytest.mark.parametrize(
    "use", [lambda films, p: curation.curate(films, p, 0), curation.weights], ids=["films", "draws"]
)
def test_an_unknown_policy_is_one_line_that_lists_them(use):
    """A misspelt policy is told which there are."""
    with pytest.raises(ConfigError, match=r"^no curation policy 'all'; .*all-weighted$"):
        use(normals_and_persons(3), "all")


@pytest.mark.parametrize("policy", curation.POLICIES)
def test_a_class_of_which_nothing_is_left_is_one_clear_line(policy):
    """Where every normal film is also filed as pneumonia there is nothing to learn from."""
    with pytest.raises(ConfigError, match="no film of class NORMAL is left"):
        curation.curate(table(TWINS[2:]), policy, 0)
