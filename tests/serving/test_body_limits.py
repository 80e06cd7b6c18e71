"""How much of requests the REST port holds (rest_api/body_limits.py); no network."""

from __future__ import annotations

import asyncio
import zlib

import pytest

from neumo_serving.request_faults import Fault
from neumo_serving.rest_api import body_limits
from neumo_serving.rest_api.body_limits import Bodies


def receiving(*messages):
    """An ASGI application's ``receive``."""
    left = list(messages)

    async def receive():
        return left.pop(0)

    return receive


def piece(body, more=False):
    """A part of a request's body."""
    return {"type": "http.request", "body": body, "more_body": more}


async def read(held, *messages):
    """The body in ``messages``."""
    async with held.read(receiving(*messages)) as body:
        return body


def test_pieces_are_put_together():
    """Empty ones, too."""
    messages = [piece(b"a", True), piece(b"", True), piece(b"b")]
    assert asyncio.run(read(Bodies(), *messages)) == b"ab"
    assert asyncio.run(read(Bodies(), piece(b""))) == b""


def test_a_client_that_leaves_is_cancelled():
    """Nothing is answered to nobody."""
    with pytest.raises(Fault) as raised:
        asyncio.run(read(Bodies(), piece(b"a", True), {"type": "http.disconnect"}))
    assert raised.value.code == "CANCELLED"


def test_a_body_that_is_too_large_is_not_read_to_its_end(monkeypatch):
    """It is RESOURCE_EXHAUSTED at the piece that is too much."""
    monkeypatch.setattr(body_limits, "MAX_BODY_BYTES", 3)
    with pytest.raises(Fault) as raised:
        asyncio.run(read(Bodies(), piece(b"ab", True), piece(b"cd", True)))
    assert raised.value.code == "RESOURCE_EXHAUSTED"


def test_a_client_that_falls_silent_is_given_up_on(monkeypatch):
    """After as long as upstream's HTTP library waits."""
    monkeypatch.setattr(body_limits, "PIECE_WITHIN_S", 0.01)

    async def silent():
        await asyncio.sleep(60)

    async def wait():
        async with Bodies().read(silent):
            raise AssertionError("there is no body")

    with pytest.raises(Fault) as raised:
        asyncio.run(wait())
    assert raised.value.code == "DEADLINE_EXCEEDED"


def test_bodies_are_held_up_to_a_bound_and_given_back(monkeypatch):
    """However many clients send at once; the next may come when one was answered."""
    monkeypatch.setattr(body_limits, "MAX_HELD_BYTES", 5)
    held = Bodies()

    async def two_at_once():
        async with held.read(receiving(piece(b"abc"))):
            with pytest.raises(Fault) as raised:
                await read(held, piece(b"abc"))
            assert raised.value.code == "UNAVAILABLE"
        return await read(held, piece(b"abc"))

    assert asyncio.run(two_at_once()) == b"abc"


def test_no_more_is_unpacked_than_the_limit(monkeypatch):
    """A bomb stops there and counts as empty, as upstream has it."""
    monkeypatch.setattr(body_limits, "MAX_UNPACKED_BYTES", 1000)

    def packed(size):
        packer = zlib.compressobj(wbits=31)
        return packer.compress(bytes(size)) + packer.flush()

    assert body_limits.unpacked(packed(999)) == bytes(999)
    assert body_limits.unpacked(packed(10**7)) == b""
