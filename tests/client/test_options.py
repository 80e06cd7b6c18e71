"""``with_options``: other terms over the same connections."""

from __future__ import annotations

import asyncio

import pytest

import neumo
from neumo.testing import FakeTransport, Metadata, answering, slow
from support.fake_clients import FILM, LUNGS, RESIDUAL, TUNED, predicted, rolling

SERVED = {TUNED: (2, [1, 2]), RESIDUAL: (2, [1, 2]), LUNGS: (2, [2])}


class Closing(FakeTransport):
    """Counts how often it is closed."""

    closed = 0

    def close(self):
        """Count."""
        self.closed += 1


def test_a_pinned_release_beside_the_newest():
    """Each client keeps its own terms; the transport is one."""
    transport = Closing(rolling(SERVED))
    with neumo.Client(transport=transport) as client:
        older = client.with_options(release=1)
        assert [one.predict(FILM).release for one in (client, older, client)] == [2, 1, 2]
        older.close()
        assert transport.closed == 0
        assert client.predict(FILM).release == 2
    assert transport.closed == 1


def test_another_timeout():
    """It is the other client's alone."""
    transport = FakeTransport(slow(rolling(SERVED), 0.15))
    with neumo.Client(transport=transport, timeout=30) as client:
        client.check()
        with pytest.raises(neumo.DeadlineExceeded, match=r"0\.05 s"):
            client.with_options(timeout=0.05).predict(FILM)
        assert client.predict(FILM).release == 2


def test_other_screening():
    """What was learned of ``lungs`` is shared."""
    transport = FakeTransport(answering({TUNED: 0.7, RESIDUAL: 0.6, LUNGS: 0.0}))
    with neumo.Client(transport=transport) as client:
        with pytest.raises(neumo.NotAChestRadiograph):
            client.predict(FILM)
        transport.asked.clear()
        found = client.with_options(screen=False).predict(FILM)
        assert "not_a_chest_radiograph" in [caution.code for caution in found.warnings]
        assert len(transport.asked) == len(predicted(transport)) == 3


def test_the_contract_is_compared_once_for_both():
    """Whichever client is the first to ask; of another release it is compared anew."""
    transport = FakeTransport(rolling(SERVED))
    with neumo.Client(transport=transport) as client:

        def compared():
            members = {TUNED, RESIDUAL}
            return sum(
                isinstance(call, Metadata) and call.model in members for call in transport.asked
            )

        for _ in range(2):
            client.with_options(timeout=60).predict(FILM)
            client.predict(FILM)
        assert compared() == 2
        client.with_options(release=1).predict(FILM)
        assert compared() == 4


def test_labels_give_way_to_a_release():
    """Both pin."""
    transport = FakeTransport(rolling(SERVED))
    with neumo.Client(transport=transport, labels="stable") as client:
        assert client.with_options(release=1).predict(FILM).release == 1
    assert [(call.version, call.label) for call in predicted(transport)][:2] == [(1, None)] * 2


def test_asyncio_alike():
    """The connections stay the first one's."""

    async def asked():
        transport = Closing(rolling(SERVED))
        async with neumo.AsyncClient(transport=transport) as client:
            async with client.with_options(release=1, timeout=5) as older:
                assert (await older.predict(FILM)).release == 1
            assert transport.closed == 0
            assert (await client.predict(FILM)).release == 2
        assert transport.closed == 1

    asyncio.run(asked())


@pytest.mark.parametrize("client", [neumo.Client, neumo.AsyncClient])
@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"timeout": 1e10}, "timeout is 10000000000.0: give at most 1,000,000 seconds"),
        ({"timeout": 0}, "give a number of seconds above 0"),
        ({"release": 0}, "give a whole number from 1"),
        ({"screen": "no"}, "True, False or 'required'"),
    ],
)
def test_what_cannot_be_is_refused_as_by_a_new_client(client, options, told):
    """By one line, here and there."""
    transport = FakeTransport(rolling(SERVED))
    with pytest.raises(neumo.ConfigError, match=told):
        client(transport=transport).with_options(**options)
    with pytest.raises(neumo.ConfigError, match=told):
        client(transport=transport, **options)
