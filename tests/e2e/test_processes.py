"""A client that is shared with forked children, before the shipped release: none hangs or mixes."""

from __future__ import annotations

import asyncio
import multiprocessing
import warnings

import pytest

import neumo
from neumo.release import phantom
from support.patience import patience

pytestmark = pytest.mark.slow

FILMS = list(phantom.draw(3, 4))
_CLIENTS = {}


def _ask(index):
    return index, _CLIENTS["blocking"].predict(FILMS[index]).probability


def _ask_awaiting(index):
    return index, asyncio.run(_CLIENTS["awaiting"].predict(FILMS[index])).probability


@pytest.mark.parametrize("transport", ["grpc", "rest"])
def test_children_answer_as_the_parent(served, transport):
    """Three processes, each with a quarter of the films at a time, of both clients."""
    url = served.grpc_url if transport == "grpc" else served.http_url
    options = {"timeout": patience(60), "screen": False}
    with neumo.Client(url, **options) as client:
        _CLIENTS.update(blocking=client, awaiting=neumo.AsyncClient(url, **options))
        truth = [client.predict(film).probability for film in FILMS]
        with warnings.catch_warnings():
            # Python 3.12 warns of a fork beside threads, which is what is tested.
            warnings.simplefilter("ignore", DeprecationWarning)
            with multiprocessing.get_context("fork").Pool(3) as pool:
                for ask in (_ask, _ask_awaiting):
                    answers = pool.map_async(ask, list(range(4)) * 6, chunksize=1)
                    for index, probability in answers.get(patience(240)):
                        assert probability == pytest.approx(truth[index], abs=1e-6)
        assert client.predict(FILMS[0]).probability == pytest.approx(truth[0], abs=1e-6)
