"""Model card and data sheet: every number is the evaluation's, in both languages."""

import copy
import json
import re
from dataclasses import replace
from pathlib import Path

import pytest

from neumo import release
from neumo.errors import ConfigError
from neumo_training.commands import card, evaluate
from neumo_training.evaluation import cohort
from neumo_training.reports import cards
from neumo_training.reports.cards import card_files
from neumo_training.reports.cards.wording import ENGLISH, SPANISH

TEMPLATES = Path(cards.__file__).parent / "templates"
PAIRS = [("model-card.en.md", "model-card.es.md"), ("data-sheet.en.md", "data-sheet.es.md")]
DATA = {
    "fingerprint": "abc",
    "films": {"NORMAL": 1341, "PNEUMONIA": 3875},
    "types": {"bacteria": 2530, "normal": 1341, "virus": 1345},
    "patients": {"NORMAL": 1211, "PNEUMONIA": 1635},
    "patients_with_both_types": 808,
    "duplicates_left_out": 26,
    "development": {"NORMAL": 1099, "PNEUMONIA": 3019},
    "development_curated": 1976,
    "holdout": {"NORMAL": 241, "PNEUMONIA": 831},
    "folds": 3,
}


@pytest.fixture(scope="module")
def manifest(judged):
    """The judged release's manifest, with training data as a real one tells it."""
    return replace(release.newest(judged.store), data=DATA, environment={"tensorflow": "2.20.0"})


def numbers(text):
    """Every number in ``text``, sorted."""
    return sorted(re.findall(r"\d+(?:\.\d+)?", text))


@pytest.mark.parametrize("name", cards.NAMES)
def test_a_template_has_no_number_of_its_own(name):
    """Whatever number a card shows is filled in; SHA-256 is a name."""
    text = (TEMPLATES / name).read_text(encoding="utf-8").replace("SHA-256", "")
    assert not re.search(r"\d", text)


@pytest.mark.parametrize("pair", PAIRS)
def test_both_languages_tell_the_same_numbers(judged, manifest, pair):
    """Not one more, not one less, not another."""
    texts = cards.render(judged.document, manifest)
    english, spanish = (numbers(texts[name]) for name in pair)
    assert len(english) > 30
    assert english == spanish


def leaves(document, path=()):
    """The path of every number in ``document``."""
    if isinstance(document, dict):
        for key, value in document.items():
            yield from leaves(value, (*path, key))
    elif isinstance(document, list):
        for place, value in enumerate(document):
            yield from leaves(value, (*path, place))
    elif isinstance(document, int | float) and not isinstance(document, bool):
        yield path


def changed(document, path):
    """``document`` with the number at ``path`` moved."""
    other = copy.deepcopy(document)
    at = other
    for key in path[:-1]:
        at = at[key]
    at[path[-1]] += 1 if isinstance(at[path[-1]], int) else 0.123
    return other


def is_told(path):
    """Whether the number at ``path`` belongs into the model card, and not into the report alone."""
    part, metric = path[0], path[-2]
    return {
        "thresholds": metric in ("sensitivity", "specificity"),
        "against": path[1] == "difference",
        "corruptions": metric == "auc" and path[1] != "seed",
        "shortcuts": metric in ("auc", "balanced_accuracy"),
    }.get(part, part not in ("schema", "curves", "confusion", "per_film", "geometry", "types"))


def test_a_number_that_changes_in_the_evaluation_changes_in_the_cards(judged, manifest):
    """Each count, and each metric with its interval, reaches both languages' model cards."""
    before = cards.render(judged.document, manifest)
    measured = ("value", "low", "high")
    told = [p for p in leaves(judged.document) if p[0] in ("release", "set", "intervals")]
    told += [p for p in leaves(judged.document) if p[-1] in measured and is_told(p)]
    assert len(told) > 300
    for path in told:
        after = cards.render(changed(judged.document, path), manifest)
        for name in cards.NAMES[:2]:
            assert after[name] != before[name], (name, path)


def test_what_was_not_measured_is_said_so(judged):
    """Without the manifest, without lungs and without masks, words stand for numbers."""
    document = {**judged.document, "lungs": None, "heat": None, "against": None, "resolution": None}
    texts = cards.render(document, None)
    assert "| Dice of the lungs | not measured |" in texts["model-card.en.md"]
    assert "| Dice de los pulmones | no medido |" in texts["model-card.es.md"]
    assert "| folds | not measured |" in texts["data-sheet.en.md"]


@pytest.mark.parametrize("name", cards.NAMES[:2])
def test_the_card_says_what_it_is_not(judged, manifest, name):
    """A research tool for children of 1 to 5 years, not a device, and where it was not tested."""
    text = " ".join(cards.render(judged.document, manifest)[name].split())
    words = {
        "en": ("not a medical device", "of 1 to 5 years", "Not tested on:", "CLAIM 2024"),
        "es": ("no un dispositivo médico", "de 1 a 5 años", "No se probó en:", "TRIPOD+AI"),
    }
    for expected in words[name.split(".")[1]]:
        assert expected in text


def test_the_public_sets_story_is_told_of_the_public_set_alone(judged, manifest):
    """A release from other films does not claim Kermany's physicians."""
    from neumo_training.datasets import splits

    public = {**DATA, "fingerprint": splits.read(splits.COMMITTED).fingerprint}
    own = cards.render(judged.document, manifest)["data-sheet.en.md"]
    kermanys = cards.render(judged.document, replace(manifest, data=public))["data-sheet.en.md"]
    assert "Guangzhou" in kermanys
    assert "Guangzhou" not in own


def test_a_manifest_of_another_release_is_refused(judged, manifest):
    """Numbers of one release never meet the training data of another."""
    models = {name: release.ModelFiles({}) for name in manifest.models}
    with pytest.raises(ConfigError, match="give the manifest of what was judged"):
        cards.render(judged.document, replace(manifest, models=models))


@pytest.mark.parametrize("words", [ENGLISH, SPANISH], ids=["en", "es"])
def test_every_reason_to_leave_a_film_out_has_its_words(words):
    """A reason without any would stand in English in the Spanish card."""
    assert words.excluded.keys() == {
        *(cohort.UNREADABLE, cohort.ELSEWHERE, cohort.DUPLICATE, cohort.CONTRADICTION)
    }


@pytest.mark.parametrize("text", ["no json", "[]", "{}", '{"schema": "9.0", "release": {}}'])
def test_a_file_that_is_no_evaluation_is_one_clear_line(tmp_path, text):
    """Broken JSON, another document and another schema each say what to do."""
    (tmp_path / "evaluation.json").write_text(text)
    with pytest.raises(ConfigError, match="neumo evaluate"):
        card.main([str(tmp_path / "evaluation.json"), "--out", str(tmp_path)])


@pytest.mark.parametrize("lost", ["models", "set"])
def test_an_evaluation_that_lacks_a_part_is_one_clear_line(judged, manifest, lost):
    """Whoever edited it learns what to do."""
    rest = {name: part for name, part in judged.document.items() if name != lost}
    assert rest.keys() != judged.document.keys()
    with pytest.raises(ConfigError, match=rf"not whole .*{lost}.*: run neumo evaluate again"):
        cards.render(rest, manifest)


def test_the_command_writes_the_four_files(judged, manifest, tmp_path):
    """From the evaluation's file and the manifest's, into a folder that need not exist."""
    (tmp_path / "2.json").write_text(manifest.to_json())
    arguments = [judged.out / evaluate.JSON_FILE, "--manifest", tmp_path / "2.json"]
    assert card.main([*map(str, arguments), "--out", str(tmp_path / "cards")]) == 0
    expected = cards.render(judged.document, manifest)
    found = {path.name: path.read_text() for path in (tmp_path / "cards").iterdir()}
    assert found == expected
    assert card_files.read(judged.out / evaluate.JSON_FILE) == json.loads(
        json.dumps(judged.document)
    )
