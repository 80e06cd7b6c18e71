"""``labels=`` pins what the server's configuration calls so."""

from __future__ import annotations

import asyncio

import pytest

import neumo
from neumo._wire import rest_json
from neumo._wire.calls import Metadata, Predict
from neumo.testing import FakeTransport, answering
from support.fake_clients import FILM, LUNGS, RESIDUAL, TUNED, client, predicted

WORKING = answering({TUNED: 0.75, RESIDUAL: 0.125}, release=3)


def asked(transport, kind):
    """The label of each call of ``kind``, by model."""
    return {call.model: call.label for call in transport.asked if isinstance(call, kind)}


@pytest.mark.parametrize("kind", [Predict, Metadata])
def test_one_label_pins_both_members(kind):
    """The check of the contract is about the same versions as the predictions."""
    asking, transport = client(WORKING, labels="stable")
    assert asking.predict(FILM).release == 3
    assert asked(transport, kind) == {TUNED: "stable", RESIDUAL: "stable"}


def test_each_member_may_have_its_own():
    """A model without a label is left to the server's policy."""
    asking, transport = client(WORKING, labels={TUNED: "canary"})
    asking.predict(FILM)
    assert asked(transport, Predict) == {TUNED: "canary", RESIDUAL: None}


def test_labels_go_with_asynchronous_calls_too():
    """The plans are the same."""
    transport = FakeTransport(WORKING)
    asyncio.run(neumo.AsyncClient(transport=transport, labels="stable").predict(FILM))
    assert asked(transport, Predict) == {TUNED: "stable", RESIDUAL: "stable"}


def test_labels_that_point_to_two_releases_do_not_mix_them():
    """While labels are moved one by one, the older release answers for both."""

    def answer(call):
        release = getattr(call, "version", None) or (2 if call.model == TUNED else 1)
        return answering({TUNED: 0.5, RESIDUAL: 0.5}, release=release)(call)

    asking, transport = client(answer, labels="stable")
    assert asking.predict(FILM).release == 1
    assert [(c.model, c.version, c.label) for c in predicted(transport)][2:] == [(TUNED, 1, None)]


def test_lungs_is_asked_for_the_members_release():
    """Labels are the members'; the server may know none for ``lungs``."""
    scores = {TUNED: 0.75, RESIDUAL: 0.125, LUNGS: 1.0}
    asking, transport = client(answering(scores, release=3), labels="stable")
    for _ in range(2):
        asking.predict(FILM)
    assert {(c.version, c.label) for c in predicted(transport) if c.model == LUNGS} == {(3, None)}


def test_a_label_that_the_server_does_not_know_is_named():
    """It is a version that is not there, rather than a malformed request."""

    def answer(call):
        detail = "INVALID_ARGUMENT: Unrecognized servable version label: nightly"
        raise neumo.InvalidRequest(call.model, "fake://", detail)

    with pytest.raises(neumo.VersionUnavailable, match="no version has the label 'nightly'"):
        client(answer, labels="nightly")[0].predict(FILM)


@pytest.mark.parametrize(
    ("options", "line"),
    [
        ({"labels": "stable", "release": 1}, "both given"),
        ({"labels": {"resnet": "stable"}}, "the members are pneumonia_tuned, pneumonia_residual"),
        ({"labels": ""}, "give a text such as 'stable'"),
    ],
)
def test_labels_that_cannot_be_are_refused(options, line):
    """One line says what to give."""
    with pytest.raises(neumo.ConfigError, match=line):
        client(WORKING, **options)


def test_rest_has_a_path_for_a_label():
    """Its grammar is ``/labels/LABEL``."""
    assert rest_json.rest_path("m", None, "a b") == "/v1/models/m/labels/a%20b"
    assert rest_json.rest_path("m", 2, "a") == "/v1/models/m/versions/2"
