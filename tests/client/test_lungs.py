"""Where a release has ``lungs``, films that are no chest radiograph are told apart."""

from __future__ import annotations

import numpy as np
import pytest

import neumo
from neumo import contract
from neumo._wire.answer_types import Answer, ModelMetadata
from neumo._wire.calls import Metadata
from neumo.testing import answering
from support.fake_clients import FILM, LUNGS, RESIDUAL, TUNED, client, predicted, rolling

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
