"""How releases are numbered: what neumo ships and what users make never collide."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from neumo import release
from neumo.errors import ConfigError

NOON = datetime(2026, 11, 24, 12, 0, 5, tzinfo=UTC)


@pytest.fixture
def store(tmp_path):
    """A folder with the manifests of the shipped release 1 and of one's own from noon."""
    (tmp_path / release.MANIFEST_FOLDER).mkdir()
    for number in (1, 20261124120005):
        (tmp_path / release.MANIFEST_FOLDER / f"{number}.json").write_text("{}")
    return tmp_path


def test_a_release_of_ones_own_is_numbered_by_the_time_in_utc(tmp_path):
    """Whoever makes one, and wherever, gets another number, above all that neumo ships."""
    lima = NOON.astimezone(timezone(timedelta(hours=-5)))
    assert release.next_number(tmp_path, lima) == 20261124120005
    assert release.next_number(tmp_path, lima) > release.FIRST_OWN


def test_a_number_is_above_all_that_are_there(store):
    """Also where a clock runs behind, or two are made in one second."""
    assert release.next_number(store, NOON) == 20261124120006
    assert release.next_number(store, NOON - timedelta(days=400)) == 20261124120006


def test_the_next_number_may_be_used(store):
    """What is offered is allowed."""
    release.check_number(store, release.next_number(store, NOON))


@pytest.mark.parametrize("forced", [False, True])
def test_a_number_that_exists_is_refused_whatever_is_forced(store, forced):
    """A release never changes."""
    with pytest.raises(ConfigError, match=r"release 1 is in .*, and a release never changes"):
        release.check_number(store, 1, forced=forced)


@pytest.mark.parametrize("forced", [False, True])
@pytest.mark.parametrize("number", [0, -1, 2**53])
def test_a_number_that_cannot_be_served_is_refused(tmp_path, number, forced):
    """Versions start at 1, and above 2^53 JSON would change them."""
    with pytest.raises(ConfigError, match=r"is from 1 to 9007199254740991$"):
        release.check_number(tmp_path, number, forced=forced)


def test_the_numbers_that_neumo_ships_are_kept_free(tmp_path):
    """A release of one's own called 2 would meet neumo's release 2."""
    with pytest.raises(ConfigError, match="below 1,000,000 are the ones that neumo ships"):
        release.check_number(tmp_path, 2)
    release.check_number(tmp_path, 2, forced=True)


def test_a_number_below_the_newest_is_refused_unless_forced(store):
    """The two newest are served: an older one might never be."""
    with pytest.raises(ConfigError, match="has the newer release 20261124120005"):
        release.check_number(store, 1_000_000)
    release.check_number(store, 1_000_000, forced=True)
