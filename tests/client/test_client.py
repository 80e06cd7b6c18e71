"""What the client makes of the members' answers; the server is one in memory."""

from __future__ import annotations

import io
import threading
import time
from concurrent.futures import Future

import numpy as np
import pytest
from PIL import Image

import neumo
from neumo import contract
from neumo._images.film_readers import AT_ONCE
from neumo._wire.answer_types import Answer, ModelMetadata
from neumo._wire.calls import Metadata, Predict, Status
from neumo.model_status import ModelStatus, VersionState, VersionStatus
from neumo.testing import answering
from support.fake_clients import FILM, LUNGS, RESIDUAL, TUNED, client, rolling
from support.patience import patience

DISAGREEING = {TUNED: 0.75, RESIDUAL: 0.125}


def versions_asked(transport):
    """The pinned version of each Predict call, in order."""
    return [(c.model, c.version) for c in transport.asked if isinstance(c, Predict)]


def test_the_probability_is_the_mean_of_the_members():
    """Both members are asked, and their mean is compared with their threshold."""
    prediction = client(answering(DISAGREEING, threshold=0.4, release=3))[0].predict(FILM)
    assert prediction.probability == 0.4375
    assert prediction.label == contract.PNEUMONIA
    assert prediction.release == 3
    assert prediction.threshold == pytest.approx(0.4)
    assert [(m.model, m.version, m.probability) for m in prediction.members] == [
        (TUNED, 3, 0.75),
        (RESIDUAL, 3, 0.125),
    ]


def test_a_probability_at_the_threshold_is_normal():
    """PNEUMONIA is said strictly above the threshold only."""
    both = dict.fromkeys((TUNED, RESIDUAL), 0.5)
    assert client(answering(both, threshold=0.5))[0].predict(FILM).label == contract.NORMAL


def test_members_on_different_sides_of_the_threshold_are_a_warning():
    """A prediction whose members disagree says so."""
    prediction = client(answering(DISAGREEING, threshold=0.4))[0].predict(FILM)
    assert not prediction.unanimous
    assert "members_disagree" in [warning.code for warning in prediction.warnings]


def test_the_models_are_asked_about_the_films_pixels():
    """What is sent is the contract's uint8 [1, 256, 256, 1]."""
    asking, transport = client(answering(DISAGREEING))
    asking.predict(FILM)
    for call in transport.asked:
        if isinstance(call, Predict):
            assert call.inputs["image"].dtype == np.uint8
            np.testing.assert_array_equal(call.inputs["image"][0], FILM)


def test_an_explanation_carries_the_mean_heat_map_in_the_films_frame():
    """Heat maps of any size become one of 256 x 256."""
    explanation = client(answering(DISAGREEING))[0].explain(FILM)
    assert explanation.heatmap.shape == explanation.film.shape == (256, 256)
    np.testing.assert_allclose(explanation.heatmap, 0.4375, atol=1e-6)
    assert explanation.prediction.probability == 0.4375


def test_two_releases_are_brought_to_the_older_one():
    """In mid-rollout the member ahead is asked again for the release that both have."""
    asking, transport = client(rolling({TUNED: (2, [1, 2]), RESIDUAL: (1, [1])}))
    prediction = asking.predict(FILM)
    assert prediction.release == 1
    assert {m.version for m in prediction.members} == {1}
    assert versions_asked(transport)[2:] == [(TUNED, 1)]


def test_a_retired_release_is_not_asked_for_twice():
    """Where the older release is gone from one member, the newer one is tried."""
    asking, transport = client(rolling({TUNED: (2, [2]), RESIDUAL: (1, [1, 2])}))
    assert asking.predict(FILM).release == 2
    assert versions_asked(transport)[2:] == [(TUNED, 1), (RESIDUAL, 2)]


def test_releases_are_never_mixed():
    """Without a release in common there is an error, not an average."""
    asking, _ = client(rolling({TUNED: (2, [2]), RESIDUAL: (1, [1])}))
    with pytest.raises(neumo.ReleaseMismatch, match="neither release is ready for both"):
        asking.predict(FILM)


def test_a_pinned_release_is_what_is_asked_for():
    """``release=`` reaches both calls, and a server without it is named."""
    asking, transport = client(rolling({TUNED: (2, [1, 2]), RESIDUAL: (2, [1, 2])}), release=1)
    assert asking.predict(FILM).release == 1
    assert versions_asked(transport) == [(TUNED, 1), (RESIDUAL, 1)]
    asking, _ = client(rolling({TUNED: (2, [2]), RESIDUAL: (2, [2])}), release=1)
    with pytest.raises(neumo.VersionUnavailable, match="version 1 is not served"):
        asking.predict(FILM)


def test_a_version_that_failed_to_load_says_why():
    """NOT_FOUND is resolved by asking for the status."""

    def answer(call):
        if isinstance(call, Status):
            failed = VersionStatus(4, VersionState.END, "no such op: Foo")
            return ModelStatus(call.model, (failed,))
        raise neumo.ModelNotFound(call.model, "fake://", "Servable not found")

    with pytest.raises(neumo.VersionUnavailable, match=r"version 4 failed \(no such op: Foo\)"):
        client(answer)[0].predict(FILM)


def test_a_model_that_is_not_served_is_not_found():
    """A server with one member only is no neumo server."""
    with pytest.raises(neumo.ModelNotFound, match=RESIDUAL):
        client(answering({TUNED: 0.5}))[0].predict(FILM)


def test_members_with_different_thresholds_are_refused():
    """Weights of two exports under one number are a broken release."""

    def answer(call):
        return answering(DISAGREEING, threshold=0.4 if call.model == TUNED else 0.3)(call)

    with pytest.raises(neumo.ContractError, match="different thresholds"):
        client(answer)[0].predict(FILM)


def test_a_version_that_carries_another_release_is_refused():
    """The folder's number and the number in the weights must agree."""

    def answer(call):
        found = answering(DISAGREEING, release=2)(call)
        if isinstance(call, Predict):
            return Answer(call.model, 1, found.outputs)
        return found

    with pytest.raises(neumo.ContractError, match="weights are of release 2"):
        client(answer)[0].predict(FILM)


def test_the_contract_is_checked_before_the_first_prediction_and_once():
    """A server whose signatures differ is refused before a film is sent."""
    asking, transport = client(answering({**DISAGREEING, LUNGS: 1.0}))
    for _ in range(2):
        asking.predict(FILM)
    kinds = [type(call).__name__ for call in transport.asked]
    learned = ["Status", "Metadata", "Predict"]
    assert kinds == ["Metadata"] * 2 + ["Predict"] * 2 + learned + ["Predict"] * 3

    def answer(call):
        if isinstance(call, Metadata):
            return ModelMetadata(call.model, 1, {})
        raise AssertionError("a film was sent")

    with pytest.raises(neumo.ContractError, match="signature serving_default is missing"):
        client(answer)[0].predict(FILM)


@pytest.mark.parametrize("value", [float("nan"), 1.5, -0.1])
def test_a_number_that_is_no_probability_is_refused(value):
    """Nothing is made of a broken model's answer."""
    with pytest.raises(neumo.ContractError, match="not a probability"):
        client(answering({TUNED: value, RESIDUAL: 0.5}))[0].predict(FILM)


def test_an_answer_without_an_output_is_a_bad_response():
    """A proxy or another model behind the name is told apart."""

    def answer(call):
        return Answer(call.model, 1, {}) if isinstance(call, Predict) else whole(call)

    whole = answering(DISAGREEING)
    with pytest.raises(neumo.BadResponse, match="lacks the output release"):
        client(answer)[0].predict(FILM)


def test_many_films_are_answered_in_order_with_failures_in_their_place():
    """A bad image is a ``Failure`` where its prediction would be, and not the end."""
    asking, _ = client(answering(DISAGREEING))
    first, second, third = asking.predict_many([FILM, b"not a film", FILM])
    assert isinstance(first, neumo.Prediction)
    assert isinstance(third, neumo.Prediction)
    assert isinstance(second, neumo.Failure)
    assert second.source_index == 1
    assert isinstance(second.error, neumo.ImageError)


def test_films_are_taken_only_as_places_become_free():
    """An endless source is read ahead only as far as films are read and asked at a time."""
    taken = []

    def endless():
        while True:
            taken.append(FILM)
            yield FILM

    answers = client(answering(DISAGREEING))[0].predict_many(endless(), concurrency=3)
    for _ in range(4):
        next(answers)
    answers.close()
    assert len(taken) <= 4 + 3 + AT_ONCE


def test_an_error_of_the_source_comes_after_the_answers_before_it():
    """Nothing that was asked is lost when the iterable of films fails."""

    def films():
        yield FILM
        yield FILM
        raise OSError("the archive is gone")

    got = []
    with pytest.raises(OSError, match="the archive is gone"):
        got.extend(client(answering(DISAGREEING))[0].predict_many(films()))
    answers = client(answering(DISAGREEING))[0].predict_many(films())
    assert isinstance(next(answers), neumo.Prediction)
    assert isinstance(next(answers), neumo.Prediction)
    with pytest.raises(OSError, match="the archive is gone"):
        next(answers)


@pytest.mark.parametrize("concurrency", [0, 65])
def test_a_concurrency_that_cannot_be_is_refused(concurrency):
    """One line names the limits."""
    with pytest.raises(neumo.ConfigError, match="1 to 64"):
        client(answering(DISAGREEING))[0].predict_many([], concurrency=concurrency)


class Silent:
    """A transport that never answers."""

    target = "silent://"

    def __init__(self):
        self.started = []

    def start(self, call, timeout_s):
        """A future that stays open."""
        future = Future()
        self.started.append(future)
        return future

    def close(self):
        """Nothing to release."""


def test_a_silent_server_is_given_up_at_the_deadline():
    """The calls end, are cancelled, and the error names the seconds allowed."""
    transport = Silent()
    with pytest.raises(neumo.DeadlineExceeded, match=f"no answer within {patience(1):g} s"):
        neumo.Client(transport=transport, timeout=patience(1)).predict(FILM)
    assert all(future.cancelled() for future in transport.started)


def test_reading_the_film_counts_towards_the_deadline():
    """A film that is not read in time is not sent, and the caller is back at the deadline."""

    class Slow(io.BytesIO):
        def read(self, size=-1):
            time.sleep(3600)
            return super().read(size)

    png = io.BytesIO()
    Image.fromarray(FILM[:, :, 0]).save(png, "PNG")
    asking, transport = client(answering(DISAGREEING), timeout=0.01)
    with pytest.raises(neumo.DeadlineExceeded, match="not read within"):
        asking.predict(Slow(png.getvalue()))
    assert not transport.asked


def test_when_one_member_fails_the_other_call_is_given_up():
    """The sibling is cancelled, and the fault of the member that failed is raised."""

    class OneFails(Silent):
        def start(self, call, timeout_s):
            future = super().start(call, timeout_s)
            if call.model == RESIDUAL:
                future.set_exception(neumo.Unavailable(call.model, self.target, "gone"))
            return future

    transport = OneFails()
    with pytest.raises(neumo.Unavailable, match=f"{RESIDUAL} at silent://: gone"):
        neumo.Client(transport=transport).predict(FILM)
    assert transport.started[0].cancelled()


def test_one_client_serves_many_threads():
    """Eight threads share a client and each gets its own film's answer."""

    def answer(call):
        if isinstance(call, Predict):
            level = float(call.inputs["image"].mean()) / 255
            return answering(dict.fromkeys((TUNED, RESIDUAL), level))(call)
        return answering(DISAGREEING)(call)

    asking, got = client(answer)[0], {}

    def ask(level):
        film = np.full((256, 256), level, np.uint8)
        got[level] = [asking.predict(film).probability for _ in range(20)]

    threads = [threading.Thread(target=ask, args=(level,)) for level in range(0, 256, 36)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for level, probabilities in got.items():
        np.testing.assert_allclose(probabilities, level / 255, atol=1e-6)


def test_the_status_lists_every_model_that_is_there():
    """A model that a release lacks is left out, the members are listed."""
    status = client(answering(DISAGREEING, release=5))[0].status()
    assert [(one.model, one.versions[0].version) for one in status] == [(TUNED, 5), (RESIDUAL, 5)]
    assert all(one.versions[0].ready for one in status)
