"""Which answer is about which source, as they come or in order, and what JSON says of them."""

from __future__ import annotations

import asyncio
import io
import json
import threading
import time

import numpy as np
import pytest
from PIL import Image

import neumo
from neumo._wire.calls import Predict
from neumo.testing import FakeTransport, answering
from support.fake_clients import LUNGS, RESIDUAL, TUNED
from support.patience import patience

GREY = {TUNED: lambda film: film.mean() / 255, RESIDUAL: lambda film: film.mean() / 255}
SERVED = answering({**GREY, LUNGS: 1.0})
names = pytest.mark.parametrize("name", ["Client", "AsyncClient"])
methods = pytest.mark.parametrize("method", ["predict_many", "explain_many"])


def grey(level):
    """A film of one brightness."""
    return np.full((256, 256), level, np.uint8)


def many(name, sources, answer=SERVED, method="predict_many", seen=None, **options):
    """What comes of ``sources``, by either client; ``seen`` is told each at once."""
    transport = FakeTransport(answer)
    told = (lambda _: None) if seen is None else seen
    if name == "Client":
        answers = []
        for one in getattr(neumo.Client(transport=transport), method)(sources, **options):
            told(one)
            answers.append(one)
        return answers

    async def asked():
        answers = []
        async with neumo.AsyncClient(transport=transport) as client:
            async for one in getattr(client, method)(sources, **options):
                told(one)
                answers.append(one)
        return answers

    return asyncio.run(asked())


def predicted(one):
    """The prediction in a prediction or an explanation."""
    return one.prediction if isinstance(one, neumo.Explanation) else one


@names
@methods
@pytest.mark.parametrize("batch_size", [1, 3])
def test_explanations_of_many_come_as_predictions_do(name, method, batch_size):
    """In order, with failures in their places."""
    films = [grey(10), b"no film", grey(30), grey(40)]
    answers = many(name, films, method=method, batch_size=batch_size)
    kind = neumo.Explanation if method == "explain_many" else neumo.Prediction
    assert [type(one) for one in answers] == [kind, neumo.Failure, kind, kind]
    levels = [predicted(answers[n]).probability * 255 for n in (0, 2, 3)]
    np.testing.assert_allclose(levels, [10, 30, 40], atol=1e-3)


@names
@methods
def test_each_answer_says_which_source_it_is_about(name, method, tmp_path):
    """Its place, and the path where it is one; films in memory are not kept."""
    path, bad = tmp_path / "a.png", tmp_path / "Doe^Jane.png"
    Image.fromarray(grey(99)).save(path)
    bad.write_bytes(b"no film")
    answers = [predicted(one) for one in many(name, [path, grey(1), str(bad), b""], method=method)]
    assert [one.source_index for one in answers] == [0, 1, 2, 3]
    assert [one.source for one in answers] == [path, None, bad, None]
    for one in answers:
        assert ".png" not in repr(one)
        assert ".png" not in json.dumps(one.to_dict())


@names
@methods
@pytest.mark.parametrize("batch_size", [1, 2])
def test_answers_come_as_they_are_known(name, method, batch_size):
    """A slow film holds up none that comes after it; in order it does."""
    go_on = threading.Event()

    def answer(call):
        if isinstance(call, Predict) and call.inputs["image"].max() == 7:
            go_on.wait(patience(20))
        return SERVED(call)

    levels = [7, 7, *range(20, 40)]
    seen = []

    def told(one):
        seen.append(predicted(one).source_index)
        if len(seen) >= len(levels) - 2:
            go_on.set()

    options = {"method": method, "batch_size": batch_size, "concurrency": 4}
    answers = many(name, map(grey, levels), answer, seen=told, ordered=False, **options)
    assert sorted(seen) == list(range(len(levels)))
    assert {0, 1} == set(seen[-2:])
    for one in map(predicted, answers):
        assert one.probability * 255 == pytest.approx(levels[one.source_index], abs=1e-3)


@names
def test_what_the_sources_raise_comes_after_the_answers_before_it(name):
    """As they come, too."""

    def films():
        yield grey(1)
        yield grey(2)
        raise OSError("the disk is gone")

    seen = []
    with pytest.raises(OSError, match="the disk is gone"):
        many(name, films(), seen=seen.append, ordered=False, concurrency=1)
    assert len(seen) == 2


def test_asyncio_gives_an_answer_while_the_next_source_is_waited_for():
    """The film that was taken is not held up by one that may never come."""

    async def asked():
        go_on = asyncio.Event()

        async def films():
            yield grey(1)
            await asyncio.wait_for(go_on.wait(), patience(20))
            yield grey(2)

        count = 0
        async with neumo.AsyncClient(transport=FakeTransport(SERVED)) as client:
            async for one in client.predict_many(films(), ordered=False):
                assert isinstance(one, neumo.Prediction)
                go_on.set()
                count += 1
        return count

    assert asyncio.run(asked()) == 2


@names
def test_a_film_that_is_slow_to_read_holds_up_no_other(name):
    """Its file may lie on a drive that is gone."""
    go_on = threading.Event()

    class Slow(io.BytesIO):
        def read(self, *size):
            assert go_on.wait(patience(20))
            return super().read(*size)

    seen = []

    def told(one):
        seen.append(one.source_index)
        if len(seen) == 5:
            go_on.set()

    sources = [Slow(b"no film"), *map(grey, range(5))]
    answers = many(name, sources, seen=told, ordered=False, concurrency=2)
    assert seen[-1] == 0
    assert isinstance(answers[-1].error, neumo.ImageError)


class Broken(io.BytesIO):
    """A file that raises when it is read."""

    def __init__(self, error):
        super().__init__()
        self._error = error

    def read(self, *_):
        """Raise."""
        raise self._error


BROKEN = [OSError(5, "Input/output error"), ValueError("closed"), KeyError("k"), StopIteration()]


@names
@methods
@pytest.mark.parametrize("error", BROKEN, ids=lambda error: type(error).__name__)
def test_a_source_that_raises_when_it_is_read_is_a_failure(name, method, error):
    """The others are answered."""
    answers = many(name, [grey(1), Broken(error), grey(2)], method=method)
    assert isinstance(answers[1], neumo.Failure)
    assert isinstance(answers[1].error, neumo.ImageError)
    assert len(answers) == 3


@names
@pytest.mark.parametrize("option", ["concurrency", "batch_size"])
@pytest.mark.parametrize("number", [2.5, "3", True, None, 0, -1, 2000, float("nan")])
def test_a_number_of_films_that_is_none_is_refused(name, option, number):
    """One line names the bounds, before anything is asked."""
    with pytest.raises(neumo.ConfigError, match=f"{option} is .*: give a whole number from 1 to"):
        many(name, [], **{option: number})


def test_json_of_a_prediction():
    """Numbers and texts alone, and all of them."""
    with neumo.Client(transport=FakeTransport(SERVED)) as client:
        prediction = client.predict(grey(51))
    found = json.loads(json.dumps(prediction.to_dict()))
    assert found["label"] == "NORMAL"
    assert found["probability"] == pytest.approx(0.2)
    assert (found["screened"], found["source_index"]) == (True, 0)
    assert [member["model"] for member in found["members"]] == [TUNED, RESIDUAL]
    assert set(found["timings"]["wire_seconds"]) == {TUNED, RESIDUAL, LUNGS}
    fields = set(neumo.Prediction.__dataclass_fields__) - {"source"}
    assert set(found) == fields


def test_json_of_an_explanation_and_of_a_failure():
    """Pictures as rows; an error as its kind and its line."""
    with neumo.Client(transport=FakeTransport(SERVED)) as client:
        explained, failed = client.explain_many([grey(51), b"no film"])
    found = json.loads(json.dumps(explained.to_dict()))
    assert found["prediction"] == json.loads(json.dumps(explained.prediction.to_dict()))
    np.testing.assert_array_equal(found["film"], explained.film)
    np.testing.assert_array_equal(found["lungs"], explained.lungs)
    np.testing.assert_allclose(found["heatmap"], explained.heatmap, atol=1e-6)
    told = json.loads(json.dumps(failed.to_dict()))
    assert told["source_index"] == 1
    assert told["error"] == {"type": "ImageError", "text": str(failed.error)}


def test_whoever_stops_early_leaves_no_call_behind():
    """The threads of what was under way end at once."""

    def answer(call):
        if isinstance(call, Predict):
            time.sleep(30)
        return SERVED(call)

    before = set(threading.enumerate())
    client = neumo.Client(transport=FakeTransport(answer), timeout=600)
    answers = client.predict_many(map(grey, range(8)), concurrency=4)
    asking = threading.Thread(target=lambda: next(answers, None), daemon=True)
    asking.start()
    asking.join(0.5)
    client.close()
    assert all(thread.daemon for thread in set(threading.enumerate()) - before)
