"""What was tried for a shipped release: its table, the report's section and the card's sentence."""

from dataclasses import asdict, replace

import pytest

from neumo import release
from neumo.errors import ConfigError
from neumo_training.evaluation import ablations
from neumo_training.evaluation.ablations import Trial
from neumo_training.evaluation.assessment import Assessment
from neumo_training.reports import cards, key_names
from neumo_training.reports.evaluation_page import page

TRIALS = [
    Trial(2, "members", "a mirror", "auc", 0.98, 0.9812, 0.0007, 0.0016, kept=False),
    Trial(2, "members", "a mirror", "brier", 0.05, 0.049, -0.002, 0.0, kept=False),
    Trial(2, "limit", "drawn lungs", "auc", 0.98, 0.99, 0.008, 0.012, kept=False),
    Trial(2, "training", "larger masks", "dice", 0.94, 0.95, None, None, kept=True),
]
HEADING = "What was tried for this release"


@pytest.fixture
def table(tmp_path):
    """The path of a table of ``TRIALS`` and of one more of release 1."""
    path = tmp_path / "tried.csv"
    path.write_text(ablations.to_csv([*TRIALS, replace(TRIALS[0], release=1)]))
    return path


def with_trials(document):
    """``document`` as if ``TRIALS`` were of the release that it judges."""
    return {**document, "tried": [asdict(trial) for trial in TRIALS]}


def test_every_row_of_the_committed_table_can_be_shown():
    """Its part and metric have their words, and an interval holds its difference."""
    trials = ablations.read()
    assert trials
    for trial in trials:
        assert trial.part in key_names.TRIED
        assert trial.metric in key_names.TRIED_METRICS
        if trial.low is not None and trial.high is not None:
            rounding = 1e-5
            less = trial.value - trial.reference
            assert trial.low - rounding <= less <= trial.high + rounding


def test_the_committed_table_has_a_row_once():
    """A second figure for the same choice would contradict the first."""
    keys = [(t.release, t.part, t.tried, t.metric) for t in ablations.read()]
    assert len(set(keys)) == len(keys)


def test_a_table_is_read_as_it_was_written(table):
    """Numbers, empty intervals and whether it was kept."""
    assert ablations.read(table)[:-1] == TRIALS


@pytest.mark.parametrize("bad", ["kept=maybe", "value=", "low=none"])
def test_a_bad_row_is_named_by_its_line(table, bad):
    """One line that says where."""
    name, value = bad.split("=")
    head, first, *rest = table.read_text().splitlines()
    cells = first.split(",")
    cells[head.split(",").index(name)] = value
    table.write_text("\n".join([head, ",".join(cells), *rest]))
    with pytest.raises(ConfigError, match=r"tried\.csv, line 2: not a row"):
        ablations.read(table)


def test_a_shipped_release_has_its_own_rows(toys, table):
    """Those of its number, and not those of another release."""
    assert ablations.of(release.newest(toys), toys, table) == TRIALS


def test_another_release_of_the_same_number_has_none(toys, table):
    """Its files differ from the shipped one's."""
    own = release.newest(toys)
    other = replace(own, models={name: release.ModelFiles({}) for name in own.models})
    assert ablations.of(other, toys, table) == []


def test_a_release_that_is_not_shipped_has_none(toys, table, tmp_path):
    """Rows of its number do not make them its own."""
    assert ablations.of(release.newest(toys), tmp_path, table) == []


def test_the_report_on_another_release_shows_none(judged):
    """The toys' release 2 is not neumo's, neither in JSON nor on the page."""
    assert judged.document["tried"] == []
    assert HEADING not in judged.page


def test_the_page_shows_each_choice_once_with_its_difference(judged):
    """A choice's metrics stand in one row, beside whether it was kept."""
    shown = page(Assessment(with_trials(judged.document), ()), with_names=False)
    assert HEADING in shown
    assert shown.count("a mirror") == 1
    assert "0.9812 (+0.0012: +0.0007 to +0.0016)" in shown
    assert "<td>0.9500 (+0.0100)</td><td>yes</td>" in shown


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("model-card.en.md", "2 other choices, of which the release keeps 1; "),
        ("model-card.es.md", "2 alternativas, de las que la versión conserva 1; "),
    ],
)
def test_a_card_counts_the_choices_and_tells_the_best_that_was_not_kept(judged, name, said):
    """From the evaluation alone, without what is only a limit."""
    text = cards.render(with_trials(judged.document), None)[name]
    assert said in text
    assert "+0.0012" in text


def test_a_card_of_another_release_tells_of_none(judged):
    """What nobody tried is not measured."""
    text = cards.render(judged.document, None)["model-card.en.md"]
    assert "Tried for this release: not measured" in text
