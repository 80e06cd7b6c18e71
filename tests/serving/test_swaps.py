"""Versions change under load, and memory comes back; the long form is benchmarks/swaps.py."""

from __future__ import annotations

import grpc
import numpy as np
import pytest

from neumo.testing import EmbeddedServer
from support.toy_model import MODEL, predict_request, save_toy
from support.version_swaps import Answer, Load, Sightings, put, resident_mib, swap, watched

pytestmark = pytest.mark.slow

X = np.array([[1.0, 2.0]], np.float32)
SWAPS = 4
RATE = 50.0


def test_no_request_fails_and_none_is_answered_by_a_version_that_is_not_available(tmp_path):
    """While the only served version is replaced again and again."""
    source = save_toy(tmp_path, 1)
    store = tmp_path / MODEL
    store.mkdir()
    put(store, source, 1)
    flags = [f"--model_name={MODEL}", f"--model_base_path={store}"]
    flags += ["--file_system_poll_wait_seconds=1", "--grpc_max_threads=65"]
    with (
        EmbeddedServer(flags) as server,
        grpc.insecure_channel(server.grpc_url.removeprefix("grpc://")) as channel,
    ):
        load = Load(channel, predict_request({"x": X}).SerializeToString())
        load.run(RATE, 2.0)
        before = resident_mib(server.process.pid)
        with watched(channel, MODEL) as sightings:
            swapping = swap(store, source, 2, SWAPS, 2.0)
            answers = load.run(RATE, 2.0 * SWAPS)
            swapping.join()
        after = resident_mib(server.process.pid)
    assert [one.error for one in answers if one.error] == []
    assert [one for one in answers if sightings.is_wrong(one)] == []
    assert len({one.version for one in answers}) >= SWAPS - 1
    assert after < before * 1.10


def test_the_watch_would_see_an_answer_of_a_version_that_is_not_available():
    """Before it was AVAILABLE and after it was not any more; in between it is right."""
    sightings = Sightings()
    sightings.not_yet_s[2] = 10.0
    sightings.no_more_s[2] = 20.0
    assert sightings.is_wrong(Answer(8.0, 8.0, 9.0, 2))
    assert not sightings.is_wrong(Answer(9.0, 9.0, 11.0, 2))
    assert not sightings.is_wrong(Answer(19.0, 19.0, 21.0, 2))
    assert sightings.is_wrong(Answer(21.0, 21.0, 22.0, 2))
