"""Who may ask: tokens, users that a proxy names, pages of other sites, and how often."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from hashlib import sha256
from ipaddress import ip_network

import pytest
from starlette.datastructures import Headers

from neumo import contract
from neumo.testing import FakeTransport, answering
from neumo_serving.gateway import auth
from neumo_serving.gateway.gateway_settings import AccessRules, Limits
from neumo_serving.gateway.problems import Refusal
from neumo_serving.gateway.rate_limit import MAX_CLIENTS, Rates
from support import films
from support.gateway_process import UNHURRIED, answer_of, answering_from, ask, request

FILM = films.file("PNG")
SCORES = {member.name: 0.5 for member in contract.MEMBERS}
TOKENS = AccessRules(token_digests=tuple(sha256(t).digest() for t in (b"sesame", b"newer")))
LOCAL = (ip_network("127.0.0.0/8"),)
BY_PROXY = AccessRules(user_header="X-User", proxies=LOCAL)
BY_NO_PROXY = AccessRules(user_header="X-User", proxies=(ip_network("10.0.0.0/8"),))


def statuses(settings, *sent):
    """The statuses of the answers to some requests, one after the other."""

    async def talk():
        async with answering_from(FakeTransport(answering(SCORES)), settings) as running:
            return [await ask(running.port, one) for one in sent]

    return [answer.status for answer in asyncio.run(talk())]


def film(**headers):
    """A film sent with some headers."""
    return request("/v1/predictions", FILM, {k.replace("_", "-"): v for k, v in headers.items()})


def test_where_a_token_is_wanted_only_it_opens_the_api():
    """Any of those that are accepted, so that one can follow another."""
    sent = [
        film(),
        film(Authorization="Bearer wrong"),
        film(Authorization="Basic sesame"),
        film(Authorization="Bearer "),
        film(Authorization="Bearer sesame"),
        film(Authorization="bearer newer"),
    ]
    found = statuses(replace(UNHURRIED, access=TOKENS), *sent)
    assert found == [401, 401, 401, 401, 200, 200]


def test_a_refusal_for_want_of_a_token_says_what_is_wanted():
    """As RFC 9110 has it."""
    settings = replace(UNHURRIED, access=TOKENS)
    answer = answer_of(
        FakeTransport(answering(SCORES)), request("/v1/status", verb="GET"), settings
    )
    assert answer.status == 401
    assert answer.headers["www-authenticate"] == "bearer"


def test_the_page_and_the_probes_want_no_token():
    """A browser has none before the page has asked for it, and Kubernetes never."""
    paths = ("/docs", "/openapi.json", "/healthz", "/readyz")
    found = statuses(
        replace(UNHURRIED, access=TOKENS), *(request(path, verb="GET") for path in paths)
    )
    assert found == [200] * 4


def test_a_user_is_one_that_a_trusted_proxy_names():
    """The header of anybody else counts for nothing."""
    by_proxy = statuses(replace(UNHURRIED, access=BY_PROXY), film(), film(X_User="ana"))
    by_none = statuses(replace(UNHURRIED, access=BY_NO_PROXY), film(X_User="ana"))
    assert (by_proxy, by_none) == ([401, 200], [401])


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Sec-Fetch-Site": "same-origin", "Origin": "http://localhost"}, 200),
        ({"Sec-Fetch-Site": "none"}, 200),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "same-site"}, 403),
        ({"Sec-Fetch-Site": "cross-site", "Origin": "http://localhost"}, 403),
        ({"Origin": "http://localhost"}, 200),
        ({"Origin": "https://localhost"}, 200),
        ({"Origin": "https://elsewhere"}, 403),
        ({"Origin": "null"}, 403),
        ({"Origin": "http://[broken"}, 403),
        ({}, 200),
    ],
)
def test_a_page_of_another_site_cannot_send_films(headers, status):
    """Programs, which send neither header, can."""
    assert statuses(UNHURRIED, request("/v1/predictions", FILM, headers)) == [status]


@pytest.mark.parametrize(
    ("peer", "forwarded", "expected"),
    [
        ("192.0.2.1", "198.51.100.7", "192.0.2.1"),
        ("127.0.0.1", "198.51.100.7", "198.51.100.7"),
        ("127.0.0.1", "203.0.113.9, 198.51.100.7", "198.51.100.7"),
        ("127.0.0.1", "198.51.100.7, 127.0.0.2", "127.0.0.2"),
        ("127.0.0.1", "198.51.100.7, forged", "127.0.0.1"),
        ("127.0.0.1", "198.51.100.7:4711", "198.51.100.7"),
        ("127.0.0.1", "[2001:db8::1]:443", "2001:db8::/64"),
        ("127.0.0.1", "2001:db8::1", "2001:db8::/64"),
        ("127.0.0.1", "", "127.0.0.1"),
        ("::ffff:127.0.0.1", "198.51.100.7", "198.51.100.7"),
        ("2001:db8::1", "", "2001:db8::/64"),
        ("2001:db8::ffff", "", "2001:db8::/64"),
    ],
)
def test_a_client_is_the_address_that_the_proxy_saw(peer, forwarded, expected):
    """With its port or without; what a client puts before it in the header counts for nothing."""
    headers = Headers({"X-Forwarded-For": forwarded})
    assert auth.client(headers, peer, AccessRules(proxies=LOCAL)) == expected


def test_a_client_that_sends_too_many_films_is_told_when_to_come_back():
    """Films count, not requests; another client is not affected."""
    now = [0.0]
    rates = Rates(2.0, 3, lambda: now[0])
    rates.take("a")
    rates.charge("a", 4)
    with pytest.raises(Refusal) as refused:
        rates.take("a")
    assert refused.value.problem.status == 429
    assert refused.value.problem.headers["Retry-After"] == "2"
    rates.take("b")
    now[0] += 2.0
    rates.take("a")


def test_clients_that_were_quiet_for_longest_are_forgotten():
    """Their number does not fill the memory."""
    rates = Rates(0.001, 1)
    for number in range(MAX_CLIENTS + 1):
        rates.take(str(number))
    rates.take("0")
    with pytest.raises(Refusal):
        rates.take(str(MAX_CLIENTS))


def test_the_rate_is_each_clients():
    """Told apart by the proxy's X-Forwarded-For."""
    settings = replace(
        UNHURRIED, access=AccessRules(proxies=LOCAL), limits=Limits(rate=0.001, burst=1)
    )
    sent = [film(X_Forwarded_For=client) for client in ("192.0.2.1", "192.0.2.1", "192.0.2.2")]
    assert statuses(settings, *sent) == [200, 429, 200]
