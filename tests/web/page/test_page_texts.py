"""Both languages have every text."""

import json
import re

import pytest

from neumo import cautions, contract
from neumo_serving.gateway import problems, static_files

TEXTS = {
    language: json.loads((static_files.FOLDER / f"{language}.json").read_text(encoding="utf-8"))
    for language in ("es", "en")
}
SCRIPTS = {path.name: path.read_text(encoding="utf-8") for path in static_files.FOLDER.glob("*.js")}


def test_languages_have_the_same_texts():
    """A text that one language has the other has too, with the same {places} in it."""
    assert TEXTS["es"].keys() == TEXTS["en"].keys()
    for key, text in TEXTS["es"].items():
        places = re.findall(r"\{\w+\}", text)
        assert sorted(places) == sorted(re.findall(r"\{\w+\}", TEXTS["en"][key])), key


@pytest.mark.parametrize("code", sorted(caution.code for caution in cautions.ALL))
def test_every_caution_is_translated(code):
    """Each warning that the SDK gives has its words."""
    assert f"warning_{code}" in TEXTS["es"]


@pytest.mark.parametrize("kind", sorted(problems.STATUSES))
def test_every_problem_is_translated(kind):
    """Each problem that the gateway answers has a title and advice."""
    assert {f"problem_{kind}", f"problem_{kind}_advice"} <= TEXTS["es"].keys()


def test_every_model_and_label_is_named():
    """Members and labels have names for people."""
    assert {f"model_{member.name}" for member in contract.MEMBERS} <= TEXTS["es"].keys()
    labels = {contract.decide(probability, 0.5) for probability in (0.0, 1.0)}
    assert {f"verdict_{label}" for label in labels} <= TEXTS["es"].keys()


def test_every_text_asked_for_is_there():
    """The page and its scripts name no text that is missing."""
    page = (static_files.FOLDER / "index.html").read_text(encoding="utf-8")
    asked = set(re.findall(r'data-(?:text|label)="(\w+)"', page))
    for script in SCRIPTS.values():
        asked |= set(re.findall(r'\btext\("([\w-]+)"', script))
    assert asked <= TEXTS["es"].keys()


def test_every_text_is_used():
    """No text is left over: each is asked for whole, or by the beginning that a code completes."""
    page = (static_files.FOLDER / "index.html").read_text(encoding="utf-8")
    everything = page + "".join(SCRIPTS.values())
    beginnings = tuple(re.findall(r"`(\w+_)\$\{", everything))
    spare = [
        key
        for key in TEXTS["es"]
        if not re.search(rf"""["'`]{key}["'`]""", everything) and not key.startswith(beginnings)
    ]
    assert spare == []


@pytest.mark.parametrize("name", sorted(p.name for p in static_files.FOLDER.iterdir()))
def test_nothing_comes_from_elsewhere(name):
    """No file names another site, and none has a script or a style inline."""
    text = (static_files.FOLDER / name).read_text(encoding="utf-8")
    assert not re.search(r"https?://(?!www\.w3\.org/2000/svg)", text)
    assert not re.search(r"<script(?! type=\"module\" src=)|<style|\sstyle=|\son\w+=\"", text)
