"""What the shipped release's ``lungs`` refuses, by what needs no download.

``tests/benchmarks/refusals.py`` has more sources, the table by kinds, and turned films.
"""

from __future__ import annotations

import functools

import pytest

from neumo import release
from neumo.contract import LUNGS
from support.nonchest import chest_films, packaged, refusal_table, sources

REFUSED_OF_OTHERS_MIN = 0.95
REFUSED_OF_CHESTS_MAX = 0.01
OTHERS_MIN = 300
FILMS = 400
"""So many of the films that training may see, evenly through their names."""


@pytest.fixture(scope="module")
def lungs():
    """``lungs`` of the newest shipped release, in this process."""
    manifest = release.newest(release.shipped())
    if LUNGS.name not in manifest.models:
        pytest.skip(f"release {manifest.release}, the newest shipped, has no lungs")
    return refusal_table.saved_model(release.shipped() / LUNGS.name / str(manifest.release))


@functools.cache
def gathered(source):
    """The pictures of one source, read once."""
    return refusal_table.read(sources.OFFLINE[source]())


@pytest.fixture(scope="module")
def films(val_films):
    """The chest films on this machine, part by part; the locked hold-out is not read."""
    folder = val_films[0].parents[2]
    return chest_films.parts(folder, holdout=False, say=print, at_most=FILMS)


def judged(name, found, lungs):
    """The row of ``found``."""
    return refusal_table.count(name, found, lungs.chest(found.pixels) >= lungs.threshold)


@pytest.fixture(scope="module", autouse=True)
def _pydicom_data():
    pytest.importorskip("data_store", reason="no pydicom-data")


@pytest.mark.parametrize("source", sources.OFFLINE)
def test_the_sdk_reads_what_is_judged(source):
    """Every picture, but for the one file of pydicom-data that is cut off."""
    assert gathered(source).unread == source.startswith("pydicom-data")


def test_the_judged_pictures_are_many():
    """At least 300 that differ."""
    distinct = {one.tobytes() for name in sources.OFFLINE for one in gathered(name).pixels}
    assert len(distinct) >= OTHERS_MIN


def test_nearly_all_that_is_no_chest_film_is_refused(lungs):
    """Documents, charts, other parts of the body, noise, blank films, pydicom-data's others."""
    rows = [judged(name, gathered(name), lungs) for name in sources.OFFLINE]
    assert refusal_table.total(rows).share >= REFUSED_OF_OTHERS_MIN, rows


def test_nearly_no_chest_film_is_refused(lungs, films):
    """At most 1 % of the children's films."""
    assert judged("films", films[chest_films.DEVELOPMENT], lungs).share <= REFUSED_OF_CHESTS_MAX


def test_no_film_of_original_size_is_refused(lungs, films):
    """The 16 validation films come straight from the detector."""
    assert judged("val", films[chest_films.VALIDATION], lungs).refused == 0


def test_the_demos_film_is_not_refused(lungs):
    """An adult's chest film, whatever its compression."""
    found = refusal_table.read(packaged.pydicom_data(chest=True))
    assert judged("pydicom-data", found, lungs).refused == 0
