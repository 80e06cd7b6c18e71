"""What the shipped release's ``lungs`` refuses, by what needs no download.

``tests/benchmarks/refusals.py`` has more sources, the table by kinds, and turned films.
"""

from __future__ import annotations

import numpy as np
import pytest

from neumo import release
from neumo.contract import LUNGS
from neumo_serving import shipped
from nonchest import chest_films, judging, packaged, sources

REFUSED_OF_OTHERS_MIN = 0.95
REFUSED_OF_CHESTS_MAX = 0.01
OTHERS_MIN = 300
FILMS = 400
"""So many of the films that training may see, evenly through their names."""


@pytest.fixture(scope="module")
def lungs():
    """``lungs`` of the newest shipped release, in this process."""
    manifest = release.newest(shipped.folder())
    if LUNGS.name not in manifest.models:
        pytest.skip(f"release {manifest.release}, the newest shipped, has no lungs")
    return judging.saved_model(shipped.folder() / LUNGS.name / str(manifest.release))


@pytest.fixture(scope="module")
def others():
    """Every source of pictures that are no chest film."""
    pytest.importorskip("data_store", reason="no pydicom-data")
    return {name: judging.read(gather()) for name, gather in sources.OFFLINE.items()}


@pytest.fixture(scope="module")
def films(val_films):
    """The chest films on this machine, part by part; the locked hold-out is not read."""
    folder = val_films[0].parents[2]
    return chest_films.parts(folder, holdout=False, say=print)


def judged(name, found, lungs):
    """The row of ``found``."""
    return judging.count(name, found, lungs.chest(found.pixels) >= lungs.threshold)


def test_the_judged_pictures_are_many_and_readable(others):
    """At least 300 distinct ones that the SDK reads; pydicom-data has one that is cut off."""
    rows = [
        judging.count(n, found, np.zeros(len(found.kinds), bool)) for n, found in others.items()
    ]
    assert judging.total(rows).distinct >= OTHERS_MIN
    unread = {row.source: row.unread for row in rows if row.unread}
    assert unread == {"pydicom-data, no chest": 1}


def test_nearly_all_that_is_no_chest_film_is_refused(lungs, others):
    """Documents, charts, other parts of the body, noise, blank films, pydicom-data's others."""
    rows = [judged(name, found, lungs) for name, found in others.items()]
    assert judging.total(rows).share >= REFUSED_OF_OTHERS_MIN, rows


def test_nearly_no_chest_film_is_refused(lungs, films):
    """At most 1 % of the children's films."""
    sample = chest_films.turned(films[chest_films.DEVELOPMENT], FILMS, quarters=0)
    assert judged("films", sample, lungs).share <= REFUSED_OF_CHESTS_MAX


def test_no_film_of_original_size_is_refused(lungs, films):
    """The 16 validation films come straight from the detector."""
    assert judged("val", films[chest_films.VALIDATION], lungs).refused == 0


def test_the_demos_film_is_not_refused(lungs):
    """An adult's chest film, whatever its compression."""
    pytest.importorskip("data_store", reason="no pydicom-data")
    found = judging.read(packaged.pydicom_data(chest=True))
    assert judged("pydicom-data", found, lungs).refused == 0
