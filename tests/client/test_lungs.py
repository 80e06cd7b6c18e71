"""Where a release has ``lungs``, films that are no chest radiograph are told apart."""

from __future__ import annotations

import numpy as np
import pytest

import neumo
from neumo import contract
from neumo._wire.answer_types import Answer, ModelMetadata
from neumo._wire.calls import Metadata, Predict, Status
from neumo.model_status import ModelStatus, VersionState, VersionStatus
from neumo.testing import answering
from support.fake_clients import FILM, LUNGS, RESIDUAL, TUNED, client, predicted, rolling
from support.patience import patience

CHEST = {TUNED: 0.75, RESIDUAL: 0.125, LUNGS: 0.75}
NO_CHEST = {**CHEST, LUNGS: 0.25}


def models_asked(transport):
    """Which models were asked for which version, in order."""
    return [(call.model, call.version) for call in predicted(transport)]


def test_lungs_is_asked_beside_the_members_once_it_is_known_to_be_served():
    """The first prediction finds out; from then on the three calls go together."""
    asking, transport = client(answering(CHEST, release=2))
    asking.predict(FILM)
    assert models_asked(transport) == [(TUNED, None), (RESIDUAL, None), (LUNGS, 2)]
    transport.asked.clear()
    prediction = asking.predict(FILM)
    assert models_asked(transport) == [(TUNED, None), (RESIDUAL, None), (LUNGS, None)]
    assert len(transport.asked) == 3
    assert [member.model for member in prediction.members] == [TUNED, RESIDUAL]
    assert set(prediction.timings.wire_seconds) == {TUNED, RESIDUAL, LUNGS}


def test_what_is_no_chest_radiograph_is_refused():
    """Below the threshold that travels with ``lungs`` there is no prediction."""
    with pytest.raises(neumo.NotAChestRadiograph, match="no frontal chest radiograph"):
        client(answering(NO_CHEST))[0].predict(FILM)


def test_without_screening_it_is_a_warning():
    """``screen=False`` lets the film pass, and says so."""
    prediction = client(answering(NO_CHEST), screen=False)[0].predict(FILM)
    assert "not_a_chest_radiograph" in [caution.code for caution in prediction.warnings]


def test_an_explanation_says_how_much_of_the_heat_lies_in_the_lungs():
    """The mask is the model's, in the film's frame."""
    explanation = client(answering(CHEST))[0].explain(FILM)
    assert explanation.lungs.shape == (256, 256)
    assert explanation.lungs.dtype == np.uint8
    assert explanation.heat_in_lungs == pytest.approx(explanation.lungs.mean())
    without = client(answering({TUNED: 0.5, RESIDUAL: 0.5}))[0].explain(FILM)
    assert without.lungs is None
    assert without.heat_in_lungs is None


def test_a_release_without_lungs_is_predicted_without():
    """Release 1 has none, also beside release 2, which has."""
    served = {TUNED: (2, [1, 2]), RESIDUAL: (2, [1, 2]), LUNGS: (2, [2])}
    asking, transport = client(rolling(served), release=1)
    for _ in range(2):
        assert asking.predict(FILM).release == 1
    assert models_asked(transport) == [(TUNED, 1), (RESIDUAL, 1)] * 2


def test_a_rollback_to_a_release_without_lungs_goes_on():
    """The client notices that ``lungs`` is gone, and stops to ask for it."""
    releases = {TUNED: (2, [1, 2]), RESIDUAL: (2, [1, 2]), LUNGS: (2, [2])}
    asking, _ = client(rolling(releases))
    assert asking.predict(FILM).release == 2
    releases.update({TUNED: (1, [1]), RESIDUAL: (1, [1])})
    del releases[LUNGS]
    assert asking.predict(FILM).release == 1


def test_a_release_that_members_lack_is_not_forced_by_lungs():
    """In mid-rollout ``lungs`` is brought to the members' release, or left out."""
    releases = {TUNED: (2, [1, 2]), RESIDUAL: (2, [1, 2]), LUNGS: (2, [2])}
    asking, _ = client(rolling(releases))
    asking.predict(FILM)
    releases[RESIDUAL] = (1, [1])
    assert asking.predict(FILM).release == 1
    releases[LUNGS] = (2, [1, 2])
    assert asking.predict(FILM).release == 1


def test_lungs_that_is_not_the_contracts_is_refused():
    """It is compared before the first film is sent to it."""

    def answer(call):
        if isinstance(call, Metadata) and call.model == LUNGS:
            return ModelMetadata(LUNGS, 1, {})
        return answering(CHEST)(call)

    asking, transport = client(answer)
    with pytest.raises(neumo.ContractError, match="lungs version 1"):
        asking.predict(FILM)
    assert LUNGS not in [model for model, _ in models_asked(transport)]


def test_a_mask_of_another_size_is_a_bad_response():
    """Nothing is drawn from what does not fit."""

    def answer(call):
        found = answering(CHEST)(call)
        if isinstance(found, Answer) and contract.MASK.name in found.outputs:
            found.outputs[contract.MASK.name] = np.full((1, 8, 8), 7, np.uint8)
        return found

    with pytest.raises(neumo.BadResponse, match="mask"):
        client(answer)[0].explain(FILM)


class Pods:
    """Two servers behind one address: ``old`` answers the calls of ``lungs`` that it is to meet.

    The old one holds release 1, which has no ``lungs``, and the new one 1 and 2.
    """

    def __init__(self, *kinds):
        self.kinds = kinds
        old = {TUNED: (1, [1]), RESIDUAL: (1, [1])}
        self._old = rolling(old)
        self.new = {TUNED: (2, [1, 2]), RESIDUAL: (2, [1, 2]), LUNGS: (2, [2])}
        self._new = rolling(self.new)
        self.chest = 1.0

    def __call__(self, call):
        """The answer of one of the two."""
        if call.model == LUNGS and isinstance(call, self.kinds):
            return self._old(call)
        answer = self._new(call)
        if isinstance(answer, Answer) and contract.CHEST.name in answer.outputs:
            answer.outputs[contract.CHEST.name][:] = self.chest
        return answer


@pytest.mark.parametrize("kinds", [(Status,), (Metadata,), (Predict,), (Status, Metadata, Predict)])
def test_an_old_pods_word_in_a_roll_does_not_outlive_it(kinds):
    """Its "no" ends no prediction, and after the roll what is no chest is refused."""
    pods = Pods(*kinds)
    asking, _ = client(pods, timeout=20)
    met = asking.predict(FILM)
    assert (met.release, met.screened) == (2, False)
    assert codes(met) == ["not_screened"]
    pods.kinds, pods.chest = (), 0.0
    with pytest.raises(neumo.NotAChestRadiograph):
        asking.predict(FILM)


def test_an_old_pod_that_is_met_once_costs_no_screening():
    """Only a server that holds the release is believed, and another one is asked."""
    pods, met = Pods(), []

    def answer(call):
        is_first = call.model in {LUNGS, TUNED} and isinstance(call, Status) and len(met) < 2
        if is_first:
            met.append(call)
        pods.kinds = (Status,) if is_first and call.model == LUNGS else ()
        if is_first and call.model == TUNED:
            return rolling({TUNED: (1, [1])})(call)
        return pods(call)

    assert client(answer)[0].predict(FILM).screened
    assert [call.model for call in met] == [LUNGS, TUNED]


def codes(prediction):
    """The codes of its warnings."""
    return [caution.code for caution in prediction.warnings]


def in_state(*states, error=""):
    """A server on which ``lungs`` is in each of ``states`` in turn, the last one for good."""
    left = list(states)

    def answer(call):
        if call.model != LUNGS or (left[0] is VersionState.AVAILABLE and len(left) == 1):
            return answering(CHEST)(call)
        if isinstance(call, Status):
            state = left.pop(0) if len(left) > 1 else left[0]
            return ModelStatus(LUNGS, (VersionStatus(1, state, error),))
        raise neumo.ModelNotFound(LUNGS, "fake://", "Servable not found")

    return answer


ABSENT = answering({TUNED: 0.75, RESIDUAL: 0.125})
MISSING = {
    "failed": (in_state(VersionState.END, error="out of memory"), neumo.VersionUnavailable),
    "absent": (ABSENT, neumo.ModelNotFound),
    "retired": (in_state(VersionState.UNLOADING), neumo.VersionUnavailable),
    "loading": (in_state(VersionState.LOADING), neumo.VersionUnavailable),
}
missing = pytest.mark.parametrize("name", MISSING)


@missing
@pytest.mark.parametrize("screen", [True, False])
def test_a_film_that_was_not_screened_says_so(name, screen):
    """A field and a caution, in predictions and explanations."""
    asking, _ = client(MISSING[name][0], timeout=patience(1), screen=screen)
    prediction, explanation = asking.predict(FILM), asking.explain(FILM)
    for one in (prediction, explanation.prediction):
        assert not one.screened
        assert codes(one) == ["not_screened", "members_disagree"]
    assert explanation.lungs is None
    (many,) = asking.predict_many([FILM])
    assert not many.screened


@missing
def test_where_screening_is_required_there_is_no_answer_without(name):
    """The error is of ``lungs``, and says what is the matter with it."""
    answer, kind = MISSING[name]
    asking, _ = client(answer, timeout=patience(1), screen="required")
    with pytest.raises(kind, match="so films are not screened") as raised:
        asking.predict(FILM)
    assert raised.value.model == LUNGS
    (failed,) = asking.predict_many([FILM])
    assert type(failed.error) is kind


@pytest.mark.parametrize("screen", [True, "required"])
def test_a_loading_lungs_is_waited_for(screen):
    """Beyond the number of retries, within the film's deadline."""
    states = [VersionState.START, *[VersionState.LOADING] * 4, VersionState.AVAILABLE]
    asking, _ = client(in_state(*states), timeout=30, retries=1, screen=screen)
    assert asking.predict(FILM).screened


def test_without_retries_or_screening_a_loading_lungs_is_not_waited_for():
    """``retries=0`` and ``screen=False`` answer at once."""
    for options in ({"retries": 0}, {"screen": False}):
        asking, transport = client(in_state(VersionState.LOADING), timeout=600, **options)
        assert not asking.predict(FILM).screened
        assert sum(isinstance(call, Status) for call in transport.asked) == 1


def test_a_film_that_was_screened_says_so():
    """Also where what was found is let pass."""
    assert client(answering(CHEST))[0].predict(FILM).screened
    assert client(answering(NO_CHEST), screen=False)[0].predict(FILM).screened
    assert codes(client(answering(CHEST))[0].predict(FILM)) == ["members_disagree"]


@pytest.mark.parametrize("screen", ["no", 1, None, "REQUIRED"])
def test_another_word_for_screening_is_refused(screen):
    """One line names the three."""
    with pytest.raises(neumo.ConfigError, match="True, False or 'required'"):
        client(ABSENT, screen=screen)


def without_screen(answer):
    """A server of a release before minor 1, which refuses what it does not have."""

    def older(call):
        if isinstance(call, Predict) and call.signature.name == contract.SCREEN:
            told = 'Serving signature key "screen" not found.'
            raise neumo.InvalidRequest(call.model, "fake://", told)
        found = answer(call)
        if isinstance(call, Metadata):
            found.signatures.pop(contract.SCREEN, None)
        return found

    return older


def test_a_prediction_does_not_fetch_the_mask():
    """A signature without it where the release has one, a filter where not."""
    outputs = {"chest", "threshold", "release"}
    for server, name in ((answering(CHEST), "screen"), (ABOUT_OLD, "serving_default")):
        asking, transport = client(server)
        for _ in range(2):
            asking.predict(FILM)
        asked = [call.signature for call in predicted(transport) if call.model == LUNGS]
        assert [one.name for one in asked] == [name] * 2
        assert all({tensor.name for tensor in one.outputs} == outputs for one in asked)
        transport.asked.clear()
        assert asking.explain(FILM).lungs is not None
        assert contract.MASK in predicted(transport)[-1].signature.outputs


ABOUT_OLD = without_screen(answering(CHEST))


def test_a_rollback_to_a_release_without_the_signature_goes_on():
    """It is asked the old way, from the first film on."""
    servers = [answering(CHEST, release=3)]

    def answer(call):
        return servers[-1](call)

    asking, _ = client(answer)
    assert asking.predict(FILM).release == 3
    servers.append(without_screen(answering(CHEST, release=2)))
    for _ in range(2):
        found = asking.predict(FILM)
        assert (found.release, found.screened) == (2, True)
    servers.append(answering(CHEST, release=4))
    for _ in range(2):
        assert asking.predict(FILM).screened


def asked_by(asking, transport):
    """How many calls the next film takes."""
    transport.asked.clear()
    assert not asking.predict(FILM).screened
    return len(transport.asked)


def test_a_server_without_lungs_is_asked_no_more_for_a_while(monkeypatch):
    """After three films in a row; ten seconds later it may have got one."""
    now = [0.0]
    monkeypatch.setattr("time.monotonic", lambda: now[0])
    served = {TUNED: (1, [1]), RESIDUAL: (1, [1])}
    asking, transport = client(rolling(served), timeout=600)
    asking.predict(FILM)
    assert [asked_by(asking, transport) for _ in range(4)] == [4, 4, 2, 2]
    served[LUNGS] = (1, [1])
    now[0] += 9
    assert asked_by(asking, transport) == 2
    now[0] += 2
    assert asking.predict(FILM).screened


def test_where_screening_is_required_it_is_asked_each_time():
    """A film is refused by what holds now, not by what held."""
    served = {TUNED: (1, [1]), RESIDUAL: (1, [1])}
    asking, _ = client(rolling(served), screen="required")
    for _ in range(4):
        with pytest.raises(neumo.ModelNotFound):
            asking.predict(FILM)
    served[LUNGS] = (1, [1])
    assert asking.predict(FILM).screened


@pytest.mark.parametrize("screen", [True, False])
def test_a_no_is_believed_of_one_release_and_not_in_a_roll(screen):
    """What another release has is asked anew, and of several servers none is believed."""
    served = {TUNED: (1, [1]), RESIDUAL: (1, [1])}
    asking, transport = client(rolling(served), screen=screen)
    for _ in range(4):
        asking.predict(FILM)
    assert asked_by(asking, transport) == 2
    served.update({TUNED: (2, [1, 2]), RESIDUAL: (1, [1, 2])})  # two pods, in the middle of a roll
    assert asked_by(asking, transport) > 3
    served.update({RESIDUAL: (2, [1, 2]), LUNGS: (2, [2])})
    assert asking.predict(FILM).screened
    served.update({TUNED: (1, [1]), RESIDUAL: (1, [1])})
    del served[LUNGS]
    assert asked_by(asking, transport) > 2
