"""Who may ask: tokens, users that a proxy names, pages of other sites, and how often."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from hashlib import sha256
from ipaddress import ip_network

import pytest
from starlette.datastructures import Headers

from neumo import contract
from neumo._transports.credentials import request_id_now
from neumo.testing import FakeTransport, answering
from neumo_serving.gateway import auth, token_file
from neumo_serving.gateway import tokens as tokens_module
from neumo_serving.gateway.gateway_settings import AccessRules, Limits
from neumo_serving.gateway.problems import Refusal
from neumo_serving.gateway.rate_limit import MAX_CLIENTS, Rates
from neumo_serving.gateway.tokens import Tokens
from support import films
from support.gateway_process import UNHURRIED, answer_of, answering_from, ask, form, request

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


def test_who_does_not_come_by_the_proxy_is_not_asked_for_a_token():
    """Where there is none that he could have, the problem is another."""
    answer = answer_of(
        FakeTransport(answering(SCORES)), film(), replace(UNHURRIED, access=BY_PROXY)
    )
    assert answer.json["type"] == "urn:neumo:problem:sign-in"


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


def test_who_writes_addresses_before_the_proxys_own_is_still_one_client():
    """Though they are addresses of the proxies' network, or there are several proxies."""
    rules = AccessRules(proxies=(ip_network("10.0.0.0/8"),))
    forged = [Headers({"X-Forwarded-For": f"8.8.8.{n}, 10.20.30.40"}) for n in range(5)]
    assert {auth.client(one, "10.0.0.1", rules) for one in forged} == {"10.20.30.40"}
    two = replace(rules, proxy_hops=2)
    forged = [Headers({"X-Forwarded-For": f"8.8.8.{n}, 192.0.2.7, 10.0.0.2"}) for n in range(5)]
    assert {auth.client(one, "10.0.0.1", two) for one in forged} == {"192.0.2.7"}
    # By fewer proxies than there are, it did not come by all of them.
    assert auth.client(Headers({"X-Forwarded-For": "8.8.8.8"}), "10.0.0.1", two) == "10.0.0.1"


class Counted:
    """Wrong tokens, and a clock."""

    def __init__(self):
        self.count = 0
        self.now = 0.0

    def inc(self):
        """One more."""
        self.count += 1


def checked(tokens, token, client="192.0.2.1"):
    """The status that a token is refused with; 0: it is not."""
    try:
        asyncio.run(tokens.check(token, client))
    except Refusal as refused:
        return refused.problem.status
    return 0


OLD, NEW = "the-old-token-of-it", "the-new-token-of-it"


def test_tokens_are_read_again_when_their_file_has_changed(tmp_path, monkeypatch, caplog):
    """One that cannot be used leaves the tokens from before, and is told; no restart is needed."""
    monkeypatch.setattr(tokens_module, "WRONG_WAITS_S", 0.0)
    file, told = tmp_path / "tokens", Counted()
    file.write_text(OLD)
    rules = AccessRules(token_file.read(file), token_file=file)
    tokens = Tokens(rules, told.inc, lambda: told.now)
    found = [checked(tokens, OLD), checked(tokens, NEW)]
    for text in (f"{OLD}\n{NEW}\n", f"{NEW}\n", "short\n"):
        file.write_text(text)
        told.now += 2
        found += [checked(tokens, OLD), checked(tokens, NEW)]
    assert found == [0, 401, 0, 0, 401, 0, 401, 0]
    assert "fewer than 16 letters" in caplog.text
    assert NEW not in caplog.text


def test_wrong_tokens_are_slowed_counted_and_logged(monkeypatch, caplog):
    """One line a minute for a client; beyond some at a time it is refused at once."""
    told = Counted()
    waits = []
    sleep = asyncio.sleep

    async def waiting(seconds):
        waits.append(seconds)
        await sleep(0.05)

    monkeypatch.setattr(tokens_module.asyncio, "sleep", waiting)
    tokens = Tokens(TOKENS, told.inc, lambda: told.now)

    async def many():
        wrong = [tokens.check("wrong", "192.0.2.1") for _ in range(12)]
        return [one.problem.status for one in await asyncio.gather(*wrong, return_exceptions=True)]

    found = asyncio.run(many())
    assert sorted(found) == [401] * tokens_module.WRONG_AT_ONCE + [429] * 2
    assert waits == [tokens_module.WRONG_WAITS_S] * tokens_module.WRONG_AT_ONCE
    assert told.count == 12
    assert [record.message for record in caplog.records] == ["wrong tokens come from 192.0.2.1"]
    # Without a token nothing was tried.
    assert (checked(tokens, ""), told.count) == (401, 12)


@pytest.mark.parametrize("path", ["/", "/docs", "/healthz", "/v1/status", "/page/app.js"])
def test_head_is_answered_as_get_without_a_body(path):
    """With its length and its headers."""

    async def talk():
        async with answering_from(FakeTransport(answering(SCORES))) as running:
            got = await ask(running.port, request(path, verb="GET"))
            reader, writer = await asyncio.open_connection("127.0.0.1", running.port)
            writer.write(request(path, headers={"Connection": "close"}, verb="HEAD"))
            head = await reader.read()
            writer.close()
            return got, head

    got, head = asyncio.run(talk())
    assert head.startswith(b"HTTP/1.1 200 ")
    assert head.endswith(b"\r\n\r\n")
    assert f"content-length: {got.headers['content-length']}\r\n".encode() in head.lower()


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ("image/jpg", "write image/jpeg"),
        ("application/x-www-form-urlencoded", "-H 'Content-Type: application/octet-stream'"),
    ],
)
def test_a_content_type_that_people_write_is_answered_with_what_they_mean(given, words):
    """Curl's own type, too."""
    answer = answer_of(FakeTransport(answering(SCORES)), film(Content_Type=given))
    assert answer.status == 415
    assert words in answer.json["detail"]


@pytest.mark.parametrize(
    ("given", "is_kept"),
    [
        ("ward-3/film.17", True),
        ("x" * 128, True),
        ("x" * 129, False),
        ("a b", False),
        ('"forged', False),
        ("", False),
    ],
)
def test_a_requests_id_comes_back_and_goes_on_to_the_models(given, is_kept):
    """One that is not valid, or none, is replaced."""
    transport = Heard(answering(SCORES))
    found = answer_of(transport, film(X_Request_Id=given))
    two = answer_of(transport, request("/v1/predictions", *with_id(form(FILM, FILM), given)))
    for told in (one.headers["x-request-id"] for one in (found, two)):
        assert (told == given.lower()) == is_kept
        assert 0 < len(told) <= 128
        assert told in transport.ids
    # What is asked before the first film, about the models themselves, is its request's, too.
    assert len(transport.ids) == (1 if is_kept else 2)


class Heard(FakeTransport):
    """Keeps the ids with which it is asked."""

    def __init__(self, answer):
        super().__init__(answer)
        self.ids = set()

    def start(self, call, timeout_s):
        """Answer ``call``."""
        self.ids.add(request_id_now())
        return super().start(call, timeout_s)


def with_id(sent, given):
    """A form with the id in its head."""
    body, headers = sent
    return body, {**headers, "X-Request-Id": given}


def test_a_requests_id_stands_in_the_log_and_in_every_refusal(caplog):
    """So that what a user tells can be found."""

    def broken(call):
        raise RuntimeError

    answer = answer_of(FakeTransport(broken), film(X_Request_Id="ward-3"))
    assert (answer.status, answer.headers["x-request-id"]) == (500, "ward-3")
    assert "(request ward-3)" in caplog.text
    refused = answer_of(FakeTransport(broken), request("/nothing", verb="GET"))
    assert len(refused.headers["x-request-id"]) == 32
