"""Fakes for applications' tests: slow, per film, failing n times, and what is wrong with one."""

from __future__ import annotations

import asyncio

import numpy as np
import pytest

import neumo
from neumo.testing import FakeTransport, answering, failing, slow
from support.fake_clients import FILM, LUNGS, RESIDUAL, TUNED

WORKING = answering({TUNED: 0.75, RESIDUAL: 0.25, LUNGS: 1.0})


def test_a_slow_fake_outlasts_a_timeout():
    """The client gives up in time."""
    with (
        neumo.Client(transport=FakeTransport(slow(WORKING, 600.0)), timeout=0.3) as client,
        pytest.raises(neumo.DeadlineExceeded),
    ):
        client.predict(FILM)


def test_a_slow_fake_holds_up_no_event_loop():
    """Others run meanwhile."""

    async def asked():
        ticks = 0

        async def tick():
            nonlocal ticks
            while True:
                await asyncio.sleep(0.01)
                ticks += 1

        ticking = asyncio.create_task(tick())
        async with neumo.AsyncClient(transport=FakeTransport(slow(WORKING, 0.3))) as client:
            await client.predict(FILM)
        ticking.cancel()
        return ticks

    assert asyncio.run(asked()) > 0


def test_a_call_to_a_slow_fake_can_be_cancelled():
    """At once."""

    async def asked():
        async with neumo.AsyncClient(transport=FakeTransport(slow(WORKING, 600.0))) as client:
            await asyncio.wait_for(client.predict(FILM), 0.2)

    with pytest.raises(TimeoutError):
        asyncio.run(asked())


def test_a_fake_that_fails_a_few_times():
    """Films' calls only, so that the contract is compared; then it answers."""
    error = neumo.Unavailable(TUNED, "fake://", "busy")
    transport = FakeTransport(failing(WORKING, 2, error))
    with neumo.Client(transport=transport) as client:
        assert client.predict(FILM).probability == 0.5
    with (
        neumo.Client(transport=FakeTransport(failing(WORKING, 1)), retries=0) as client,
        pytest.raises(neumo.Unavailable, match="failed by this fake"),
    ):
        client.predict(FILM)


def test_a_fake_that_answers_by_the_film():
    """Each of a batch its own; ``lungs``, too."""
    scores = {TUNED: lambda film: film.mean() / 255, RESIDUAL: 0.0, LUNGS: lambda f: f[0, 0, 0] > 0}
    films = [np.full((256, 256), level, np.uint8) for level in (51, 0, 255)]
    with neumo.Client(transport=FakeTransport(answering(scores))) as client:
        first, second, third = client.predict_many(films, batch_size=3)
    assert first.probability == pytest.approx(0.1)
    assert third.probability == pytest.approx(0.5)
    assert isinstance(second.error, neumo.NotAChestRadiograph)


def test_an_answer_of_another_kind_is_said():
    """Not where it is used."""
    with (
        neumo.Client(transport=FakeTransport(lambda _: "rubbish")) as client,
        pytest.raises(TypeError, match="the fake's answer to Metadata is of type str: give a Mod"),
    ):
        client.predict(FILM)
