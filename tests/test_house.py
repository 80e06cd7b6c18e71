"""The house stays as it was put: ``python tests/house.py`` prints the same figures."""

import pytest

import house


@pytest.fixture(scope="module")
def edges():
    """What each module imports of the four packages."""
    return house.graph()


def test_a_name_means_one_thing():
    """No module's name stands in two packages with two meanings."""
    assert house.names_of_two() == {}


def test_nothing_imports_itself_in_a_circle(edges):
    """Neither files nor folders do."""
    assert house.circles(edges) == []
    assert house.circles(house.between_folders(edges)) == []


def test_the_other_rooms_import_public_modules_only(edges):
    """What lies below an underscore is the SDK's own."""
    assert house.private_imports(edges) == set()


def test_the_sdk_has_seven_floors_at_most(edges):
    """From the contract at the bottom to the commands at the top."""
    assert max(house.floors(edges).values()) <= 7


def test_a_prediction_passes_eighteen_files_at_most():
    """Whoever reads ``Client.predict`` to its end opens no more."""
    assert len(house.passed_by_predict()) <= 18
