"""Many films in one call: batches, order, memory and progress."""

from __future__ import annotations

import asyncio
import gc
import threading
import tracemalloc

import numpy as np
import pytest
from PIL import Image

import neumo
from neumo._wire.answer_types import Answer
from neumo._wire.calls import Predict
from neumo.testing import FakeTransport, answering
from support.fake_clients import RESIDUAL, TUNED, client, predicted
from support.patience import patience

FLAT = answering({TUNED: 0.75, RESIDUAL: 0.125})


def by_brightness(call):
    """A server whose probability is the film's brightness."""
    found = FLAT(call)
    if isinstance(call, Predict):
        brightness = call.inputs["image"].mean(axis=(1, 2, 3)).astype(np.float32) / 255
        return Answer(call.model, 1, {**found.outputs, "probability": brightness})
    return found


def grey(level):
    """A film of one brightness."""
    return np.full((300, 200), level, np.uint8)


def sizes(transport):
    """How many films each Predict call carried."""
    return [len(call.inputs["image"]) for call in predicted(transport)]


@pytest.mark.parametrize("batch_size", [1, 3, 16])
def test_answers_come_in_order_whatever_the_batch(batch_size):
    """Each film gets its own row of the batch's answer."""
    asking, _ = client(by_brightness)
    levels = list(range(0, 250, 25))
    answers = list(asking.predict_many(map(grey, levels), batch_size=batch_size))
    np.testing.assert_allclose([a.probability for a in answers], np.array(levels) / 255, atol=1e-6)


def test_films_are_sent_in_batches_of_the_size_chosen():
    """Both members get the same batches; the last one is what is left."""
    asking, transport = client(by_brightness)
    list(asking.predict_many(map(grey, range(7)), batch_size=3, concurrency=1))
    assert sizes(transport) == [3, 3, 3, 3, 1, 1]


def test_a_bad_film_in_a_batch_is_a_failure_in_its_place():
    """The others of its batch are answered."""
    asking, transport = client(by_brightness)
    answers = list(asking.predict_many([grey(10), b"no film", grey(30)], batch_size=3))
    assert isinstance(answers[1], neumo.Failure)
    assert answers[1].source_index == 1
    assert isinstance(answers[1].error, neumo.ImageError)
    np.testing.assert_allclose([a.probability * 255 for a in answers[::2]], [10, 30], atol=1e-4)
    assert set(sizes(transport)) == {2}


def test_a_batch_that_fails_is_a_failure_for_each_of_its_films():
    """Each keeps the index of its source."""
    left = [1]

    def answer(call):
        if isinstance(call, Predict) and left:
            left.pop()
            raise neumo.InvalidRequest(call.model, "fake://", "no")
        return by_brightness(call)

    answers = list(client(answer)[0].predict_many(map(grey, range(4)), batch_size=2, concurrency=1))
    assert [type(a) for a in answers] == [neumo.Failure] * 2 + [neumo.Prediction] * 2
    assert [a.source_index for a in answers[:2]] == [0, 1]


def test_a_number_that_is_no_probability_spoils_only_its_own_film():
    """The rest of the batch is sound."""

    def answer(call):
        found = by_brightness(call)
        if isinstance(call, Predict):
            found.outputs["probability"][0] = np.nan
        return found

    first, second = client(answer)[0].predict_many([grey(1), grey(2)], batch_size=2)
    assert isinstance(first.error, neumo.ContractError)
    assert isinstance(second, neumo.Prediction)


def test_a_folder_is_one_call_with_progress(tmp_path):
    """Its films are those of ``neumo.films_in``, in that order."""
    for level in (30, 10, 20):
        Image.fromarray(grey(level)).save(tmp_path / f"{level}.png")
    (tmp_path / "notes.txt").write_text("not a film")
    seen = []
    answers = list(
        client(by_brightness)[0].predict_many(tmp_path, progress=lambda *told: seen.append(told))
    )
    np.testing.assert_allclose([a.probability * 255 for a in answers], [10, 20, 30], atol=1e-4)
    assert seen == [(1, 3), (2, 3), (3, 3)]
    assert [path.name for path in neumo.films_in(tmp_path)] == ["10.png", "20.png", "30.png"]


def test_the_total_of_an_endless_source_is_not_known():
    """Progress is told without it."""
    seen = []
    films = (grey(level) for level in (1, 2))
    list(client(FLAT)[0].predict_many(films, progress=lambda *told: seen.append(told)))
    assert seen == [(1, None), (2, None)]


@pytest.mark.parametrize("one", ["film.png", b"the bytes of a film"])
def test_one_film_where_several_are_wanted_is_one_line(one):
    """A text would otherwise be read letter by letter."""
    with pytest.raises(neumo.ConfigError, match=r"where several (films )?are wanted"):
        client(FLAT)[0].predict_many(one)


def test_a_folder_without_films_says_so(tmp_path):
    """Before anything is asked."""
    with pytest.raises(neumo.ImageError, match="no image in this folder"):
        client(FLAT)[0].predict_many(tmp_path)


@pytest.mark.parametrize("batch_size", [0, 1025])
def test_a_batch_size_that_cannot_be_is_refused(batch_size):
    """One line names the limits."""
    with pytest.raises(neumo.ConfigError, match="1 to 1024"):
        client(FLAT)[0].predict_many([], batch_size=batch_size)


def test_films_are_read_while_others_are_asked_about():
    """No call need be answered before more films are taken than are asked about at a time."""
    one_more = threading.Event()

    def films():
        for number in range(12):
            if number == 2 * 2:
                one_more.set()
            yield grey(number)

    def answer(call):
        if isinstance(call, Predict):
            assert one_more.wait(patience(20))
        return FLAT(call)

    asking, _ = client(answer)
    assert len(list(asking.predict_many(films(), batch_size=2, concurrency=2))) == 12


@pytest.mark.slow
def test_ten_thousand_films_need_no_more_memory_than_a_few():
    """What was answered is let go of."""
    asking, _ = client(FLAT)

    def peak(count):
        gc.collect()
        tracemalloc.start()
        films = (np.full((256, 256), number % 251, np.uint8) for number in range(count))
        answered = sum(1 for _ in asking.predict_many(films, batch_size=8))
        highest = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert answered == count
        return highest

    keep = FakeTransport.start

    def forgetful(self, call, timeout_s):
        started = keep(self, call, timeout_s)
        self.asked.clear()
        return started

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(FakeTransport, "start", forgetful)
        few = peak(200)
        assert peak(10_000) < few + 32 * 2**20


def test_asyncio_batches_alike():
    """The same films, answers, batches and progress."""
    asking = neumo.AsyncClient(transport=FakeTransport(by_brightness))
    seen = []

    async def ask():
        films = [grey(10), b"no film", grey(30), grey(40)]
        answers = asking.predict_many(
            films, batch_size=3, concurrency=1, progress=lambda *told: seen.append(told)
        )
        return [answer async for answer in answers]

    answers = asyncio.run(ask())
    assert isinstance(answers[1], neumo.Failure)
    del answers[1]
    np.testing.assert_allclose([a.probability * 255 for a in answers], [10, 30, 40], atol=1e-4)
    assert seen == [(n, 4) for n in range(1, 5)]
