"""The reader of bodies that both HTTP servers have (asgi/body_pieces.py); no network."""

from __future__ import annotations

import asyncio

import pytest

from neumo_serving.asgi.body_pieces import Gone, Silent, pieces


def piece(body, more=False):
    """A part of a request's body."""
    return {"type": "http.request", "body": body, "more_body": more}


async def read(*messages, within_s=10.0):
    """The pieces in ``messages``; after them the client is silent."""
    left = list(messages)

    async def receive():
        return left.pop(0) if left else await asyncio.sleep(60)

    return [one async for one in pieces(receive, within_s)]


@pytest.mark.parametrize(
    ("messages", "expected"),
    [
        ([piece(b"")], []),
        ([piece(b"a")], [b"a"]),
        ([piece(b"a", True), piece(b"", True), piece(b"b")], [b"a", b"b"]),
        ([{"type": "http.request"}], []),
    ],
)
def test_it_gives_what_is_sent_and_ends_with_it(messages, expected):
    """Without the empty ones; ASGI lets both keys be left out."""
    assert asyncio.run(read(*messages)) == expected


def test_it_tells_a_client_that_left_from_one_that_is_silent():
    """The servers answer the second only."""
    with pytest.raises(Gone):
        asyncio.run(read(piece(b"a", True), {"type": "http.disconnect"}))
    with pytest.raises(Silent):
        asyncio.run(read(piece(b"a", True), within_s=0.01))
