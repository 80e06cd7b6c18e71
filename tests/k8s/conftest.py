"""The application's pod, which the tests on a cluster share, and where they say what they saw."""

from __future__ import annotations

import sys

import pytest

from support.cluster import application
from support.cluster.kubectl import need_cluster


@pytest.fixture(autouse=True)
def _cluster(request):
    if request.node.get_closest_marker("cluster"):
        need_cluster()


@pytest.fixture(scope="session")
def app():
    """A pod of an application in another namespace."""
    need_cluster()
    with application.application() as one:
        yield one


@pytest.fixture
def tell(capsys):
    """Prints a figure where whoever runs the tests sees it."""

    def say(text):
        with capsys.disabled():
            sys.stdout.write(f"\n  {text}")
            sys.stdout.flush()

    return say
