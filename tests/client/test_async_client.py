"""``AsyncClient`` drives the same plans as ``Client``: what asyncio adds is judged here."""

from __future__ import annotations

import asyncio
import io
import time
from concurrent.futures import Future

import pytest
from PIL import Image

import neumo
from neumo import contract
from neumo._images.film_readers import AT_ONCE
from neumo._wire.calls import Predict
from neumo.release import phantom
from neumo.testing import FakeTransport, answering
from support.patience import patience

TUNED, RESIDUAL = (member.name for member in contract.MEMBERS)
FILM = phantom.draw(1, 1)[0]
WORKING = answering({TUNED: 0.75, RESIDUAL: 0.125}, threshold=0.4, release=3)


def client(answer=WORKING, **options):
    """An asynchronous client of a server in memory."""
    return neumo.AsyncClient(transport=FakeTransport(answer), **options)


class Silent:
    """A transport that never answers a Predict call."""

    target = "silent://"

    def __init__(self):
        self.started = []
        self._checks = FakeTransport(WORKING)

    def start(self, call, timeout_s):
        """A future that stays open."""
        if not isinstance(call, Predict):
            return self._checks.start(call, timeout_s)
        self.started.append(Future())
        return self.started[-1]

    def close(self):
        """Nothing to release."""


def png(film):
    """A PNG of ``film``."""
    buffer = io.BytesIO()
    Image.fromarray(film[:, :, 0]).save(buffer, "PNG")
    return buffer.getvalue()


def test_it_answers_as_the_blocking_client_does():
    """Prediction, explanation, status and check are the same."""
    blocking = neumo.Client(transport=FakeTransport(WORKING))

    async def ask():
        async with client() as asking:
            await asking.check()
            explanation = await asking.explain(FILM)
            return await asking.predict(FILM), explanation, await asking.status()

    prediction, explanation, status = asyncio.run(ask())
    expected = blocking.predict(FILM)
    assert (prediction.label, prediction.probability) == (expected.label, expected.probability)
    assert prediction.members == expected.members
    assert explanation.heatmap.tobytes() == blocking.explain(FILM).heatmap.tobytes()
    assert status == blocking.status()


def test_many_films_are_answered_in_order_with_failures_in_their_place():
    """From a plain and from an asynchronous iterable."""

    async def films():
        for film in (FILM, b"not a film", FILM):
            yield film

    async def ask(sources):
        return [answer async for answer in client().predict_many(sources)]

    for sources in ([FILM, b"not a film", FILM], films()):
        first, second, third = asyncio.run(ask(sources))
        assert isinstance(first, neumo.Prediction)
        assert isinstance(third, neumo.Prediction)
        assert isinstance(second, neumo.Failure)
        assert second.source_index == 1


def test_films_are_taken_only_as_places_become_free():
    """An endless source is read ahead only as far as films are read and asked at a time."""
    taken = []

    def endless():
        while True:
            taken.append(FILM)
            yield FILM

    async def ask():
        answers = client().predict_many(endless(), concurrency=3)
        for _ in range(4):
            await anext(answers)
        await answers.aclose()

    asyncio.run(ask())
    assert len(taken) <= 4 + 3 + AT_ONCE


def test_an_error_of_the_source_comes_after_the_answers_before_it():
    """Nothing that was asked is lost."""
    got = []

    def films():
        yield FILM
        yield FILM
        raise OSError("the archive is gone")

    async def ask():
        async for answer in client().predict_many(films()):
            got.append(answer)  # noqa: PERF401 - what came before the error is kept

    with pytest.raises(OSError, match="the archive is gone"):
        asyncio.run(ask())
    assert [type(answer) for answer in got] == [neumo.Prediction] * 2


def test_a_cancelled_task_gives_its_calls_up():
    """The calls on the wire are cancelled with it."""
    transport = Silent()

    async def ask():
        task = asyncio.create_task(neumo.AsyncClient(transport=transport).predict(FILM))
        while len(transport.started) < 2:
            await asyncio.sleep(0.01)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(ask())
    assert all(future.cancelled() for future in transport.started)


def test_a_silent_server_is_given_up_at_the_deadline():
    """The calls end, and the error names the seconds allowed."""
    transport = Silent()
    with pytest.raises(neumo.DeadlineExceeded, match=f"no answer within {patience(1):g} s"):
        asyncio.run(neumo.AsyncClient(transport=transport, timeout=patience(1)).predict(FILM))
    assert all(future.cancelled() for future in transport.started)


def test_a_film_that_reads_slowly_is_given_up_at_the_deadline():
    """The event loop is not held up by the file."""

    class Slow(io.BytesIO):
        def read(self, size=-1):
            time.sleep(0.3)
            return super().read(size)

    with pytest.raises(neumo.DeadlineExceeded, match=r"not read within 0\.05 s"):
        asyncio.run(client(timeout=0.05).predict(Slow(png(FILM))))


def test_a_fault_that_passes_is_retried():
    """With the event loop's own sleep."""
    left = [1]

    def answer(call):
        if isinstance(call, Predict) and left:
            left.pop()
            raise neumo.Unavailable(call.model, "fake://", "connection reset")
        return WORKING(call)

    assert asyncio.run(client(answer).predict(FILM)).release == 3


def test_both_members_failing_raises_one_error_and_hides_none():
    """The event loop has nothing left to complain of."""
    complaints = []

    def complain(_, context):
        complaints.append(context)

    def answer(call):
        if isinstance(call, Predict):
            raise neumo.InvalidRequest(call.model, "fake://", "no")
        return WORKING(call)

    async def ask():
        asyncio.get_running_loop().set_exception_handler(
            lambda _, context: complaints.append(context)
        )
        with pytest.raises(neumo.InvalidRequest, match=TUNED):
            await client(answer).predict(FILM)

    asyncio.run(ask())
    assert not complaints


@pytest.mark.parametrize("concurrency", [0, 65])
def test_a_concurrency_that_cannot_be_is_refused(concurrency):
    """As the blocking client does."""

    async def ask():
        await anext(client().predict_many([], concurrency=concurrency))

    with pytest.raises(neumo.ConfigError, match="1 to 64"):
        asyncio.run(ask())
