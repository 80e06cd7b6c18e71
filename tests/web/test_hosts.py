"""By which names a gateway may be asked: a page of another site cannot make its own lead here."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from neumo import contract
from neumo.testing import FakeTransport, answering
from neumo_serving.gateway import hosts
from neumo_serving.gateway.gateway_settings import AccessRules
from neumo_serving.gateway.problems import Refusal
from support.gateway_process import UNHURRIED, answering_from, ask, request

SCORES = {member.name: 0.5 for member in contract.MEMBERS}


def status(given, allowed=(), *, is_local=False, is_guarded=False):
    """The status that hosts in a request's head are refused with; 0: they are not."""
    try:
        hosts.check(list(given), frozenset(allowed), is_local=is_local, is_guarded=is_guarded)
    except Refusal as refused:
        return refused.problem.status
    return 0


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        *(("localhost", 0), ("localhost:8080", 0), ("127.0.0.1:8080", 0), ("[::1]:8080", 0)),
        *(("LOCALHOST.", 0), ("page.localhost", 0), ("127.0.0.2", 0)),
        *(("evil.example", 421), ("gateway", 421), ("192.0.2.1", 421), ("localhost.evil.net", 421)),
        *(("", 400), ("a b", 400), ("a/b", 400), ("user@localhost", 400), ("localhost:x", 400)),
    ],
)
def test_on_this_machine_alone_only_its_own_names_are_taken(host, expected):
    """With a port or without."""
    assert status([host], is_local=True) == expected


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        *(("192.0.2.1:8080", 0), ("[2001:db8::1]", 0), ("gateway:80", 0), ("localhost", 0)),
        ("evil.example", 421),
    ],
)
def test_elsewhere_addresses_and_names_without_a_dot_are_taken(host, expected):
    """Neither can be a name that somebody else made to lead here."""
    assert status([host]) == expected


def test_where_a_token_is_wanted_any_name_is_taken_unless_some_are_named():
    """Another site's page has none to send."""
    assert status(["neumo.example.org"], is_guarded=True) == 0
    assert status(["neumo.example.org"], ["other.example.org"], is_guarded=True) == 421


def test_named_hosts_are_taken_beside_addresses():
    """Probes come by address; a star takes any."""
    named = ["neumo.example.org"]
    told = [status([one], named) for one in ("NEUMO.example.org:443", "192.0.2.1", "gateway")]
    assert told == [0, 0, 421]
    assert status(["evil.example"], ["*"]) == 0


def test_a_request_without_a_host_or_with_two_is_refused():
    """A proxy before it might believe the other one."""
    assert status([]) == status(["localhost", "localhost"]) == 400


def asked(*sent, settings=UNHURRIED, operators=False):
    """The answers to some requests."""

    async def talk():
        async with answering_from(FakeTransport(answering(SCORES)), settings) as running:
            port = running.operators_port if operators else running.port
            return [await ask(port, one) for one in sent]

    return asyncio.run(talk())


@pytest.mark.parametrize("path", ["/v1/status", "/healthz", "/", "/docs"])
def test_no_answer_goes_to_another_name(path):
    """Nor does the users' port tell metrics at all."""
    evil = request(path, headers={"Host": "evil.example"}, verb="GET")
    two = request(path, headers={"Host": "localhost\r\nHost: localhost"}, verb="GET")
    none = f"GET {path} HTTP/1.1\r\n\r\n".encode()
    assert [one.status for one in asked(evil, two, none)] == [421, 400, 400]
    assert asked(request("/metrics", verb="GET"))[0].status == 404


def test_the_operators_port_takes_no_other_name_though_users_need_a_token():
    """As it wants none itself."""
    guarded = replace(UNHURRIED, host="192.0.2.1", access=AccessRules(token_digests=(b"x",)))
    evil, ours = (
        request("/metrics", headers={"Host": host}, verb="GET")
        for host in ("evil.example", "127.0.0.1:8081")
    )
    found = asked(evil, ours, settings=guarded, operators=True)
    assert [one.status for one in found] == [421, 200]


def test_the_operators_port_answers_nothing_of_the_users():
    """No page, no films."""
    paths = ("/", "/v1/status", "/v1/predictions", "/docs")
    found = asked(*(request(path, verb="GET") for path in paths), operators=True)
    assert [one.status for one in found] == [404] * 4


def test_a_path_with_a_slash_too_many_is_not_led_elsewhere():
    """A redirect would echo the Host."""
    (answer,) = asked(request("/docs/", verb="GET"))
    assert answer.status == 404
    assert "location" not in answer.headers
