"""A port that speaks another protocol than the URL's: the error says which to use."""

from __future__ import annotations

import asyncio

import pytest

import neumo
from neumo._transports import status_codes
from neumo.testing import FakeTransport, answering
from support.fake_clients import RESIDUAL, TUNED
from support.grey_servers import GreyServer, served_by_grpc, served_by_rest
from support.patience import patience


def blocking(url):
    """The models' status by ``Client``."""
    with neumo.Client(url, timeout=patience(10)) as client:
        return client.status()


def awaiting(url):
    """The same by ``AsyncClient``."""

    async def asked():
        async with neumo.AsyncClient(url, timeout=patience(10)) as client:
            return await client.status()

    return asyncio.run(asked())


@pytest.mark.parametrize("ask", [blocking, awaiting])
@pytest.mark.parametrize(
    ("scheme", "served", "told"),
    [
        ("http", served_by_grpc, "gRPC is spoken there, not REST: use a grpc:// URL"),
        ("grpc", served_by_rest, "no gRPC is spoken there: use gRPC's port (8500), or http://"),
        ("https", served_by_grpc, "no TLS is spoken there: use a grpc:// or http:// URL"),
        ("https", served_by_rest, "no TLS is spoken there: use a grpc:// or http:// URL"),
        ("grpcs", served_by_grpc, "no TLS is spoken there: use a grpc:// or http:// URL"),
        ("grpcs", served_by_rest, "no TLS is spoken there: use a grpc:// or http:// URL"),
    ],
)
def test_swapped_ports_and_schemes(scheme, served, told, ask):
    """At once, by one line without the other protocol's bytes."""
    with served(GreyServer("127.0.0.1")) as port, pytest.raises(neumo.BadResponse) as caught:
        ask(f"{scheme}://127.0.0.1:{port}")
    assert told in str(caught.value)
    assert str(caught.value).isprintable()


def test_what_a_server_says_is_shown_without_control_characters():
    """A terminal obeys them."""
    assert status_codes.brief("a\x1b[31m <b>red</b>\x00 word") == "a\ufffd[31m red \ufffd word"


@pytest.mark.parametrize("kind", [neumo.Client, neumo.AsyncClient])
@pytest.mark.parametrize("method", ["predict_many", "explain_many"])
@pytest.mark.parametrize(
    ("sources", "told"),
    [
        ("/nowhere/films", "no such folder"),
        (None, "not a NoneType: give a list, or a folder"),
        (7, "not a int"),
        (b"film", "one film where several"),
    ],
)
def test_what_is_no_collection_of_films(kind, method, sources, told):
    """It is said before the first answer is asked for."""
    client = kind(transport=FakeTransport(answering({TUNED: 0.5, RESIDUAL: 0.5})))
    with pytest.raises(neumo.ConfigError, match=told):
        getattr(client, method)(sources)
