"""What goes wrong is a problem by RFC 9457, whatever it is, under the same headers."""

from __future__ import annotations

import asyncio
import json

import pytest

import neumo
from neumo import contract
from neumo._wire.calls import Status
from neumo.testing import FakeTransport, answering
from neumo_serving.gateway.middleware import HEADERS
from support import films
from support.gateway_process import (
    FORM,
    UNHURRIED,
    answer_of,
    answering_from,
    ask,
    form,
    read_answer,
    request,
)

URN = "urn:neumo:problem:"
TUNED, RESIDUAL = (member.name for member in contract.MEMBERS)
CHEST = {TUNED: 0.75, RESIDUAL: 0.125, "lungs": 0.75}
FILM = films.file("PNG")


def is_problem(answer, status, kind):
    """Whether an answer is that problem, complete, in its own media type."""
    assert answer.headers["content-type"] == "application/problem+json"
    assert set(answer.json) == {"type", "title", "status", "detail"}
    assert all(answer.json[key] for key in ("title", "detail"))
    assert "\n" not in answer.json["detail"]
    return (answer.status, answer.json["status"], answer.json["type"]) == (status, status, kind)


@pytest.mark.parametrize(
    ("sent", "status", "kind"),
    [
        (request("/nothing", verb="GET"), 404, "about:blank"),
        (request("/v1/predictions", verb="GET"), 405, "about:blank"),
        (request("/v1/status", verb="DELETE"), 405, "about:blank"),
        (request("/v1/predictions", FILM, {"Content-Type": "text/plain"}), 415, "media-type"),
        (request("/v1/predictions", FILM, {"Content-Encoding": "gzip"}), 415, "media-type"),
        (
            request("/v1/predictions", FILM, {"Content-Type": "multipart/form-data"}),
            400,
            "bad-request",
        ),
        (request("/v1/predictions"), 400, "bad-request"),
        (request("/v1/predictions", b"--edge--\r\n", {"Content-Type": FORM}), 400, "bad-request"),
        (request("/v1/predictions", b"nonsense", {"Content-Type": FORM}), 400, "bad-request"),
        (
            request("/v1/predictions", form(FILM)[0][:-9], {"Content-Type": FORM}),
            400,
            "bad-request",
        ),
        (request("/v1/predictions", *form(FILM, field="film")), 400, "bad-request"),
        (request("/v1/predictions", *form(*[b"x"] * 33)), 422, "too-many"),
        (request("/v1/predictions", b"no film"), 422, "image"),
        (request("/v1/explanations", *form(FILM, FILM)), 422, "too-many"),
        (request("/v1/explanations", b"no film"), 422, "image"),
        (request("/v1/predictions", headers={"Content-Length": str(2**40)}), 413, "too-large"),
        (b"nonsense\r\n\r\n", 400, "bad-request"),
        (b"POST /v1/predictions HTTP/1.1\r\nContent-Length: -1\r\n\r\n", 400, "bad-request"),
    ],
)
def test_a_mistake_of_the_client_is_a_problem(web, sent, status, kind):
    """By its status and its type."""
    answer = asyncio.run(ask(web.port, sent))
    assert is_problem(answer, status, kind if ":" in kind else URN + kind), answer
    assert headers_of(answer) == expected_headers("no-store")


@pytest.mark.parametrize("path", ["/", "/docs", "/openapi.json", "/healthz", "/v1/status"])
def test_every_answer_has_the_security_headers(web, path):
    """Nothing of it is stored but the page itself, which is asked for anew."""
    answer = asyncio.run(ask(web.port, request(path, verb="GET")))
    assert answer.status == 200
    assert headers_of(answer) == expected_headers("no-cache" if path == "/" else "no-store")
    assert "server" not in answer.headers


def headers_of(answer):
    """Those about security."""
    names = [*map(str.lower, HEADERS), "cache-control"]
    return {name: answer.headers.get(name) for name in names}


def expected_headers(cache):
    """As they are sent."""
    return {
        **{name.lower(): text.lower() for name, text in HEADERS.items()},
        "cache-control": cache,
    }


def fails(error, *, with_status=True):
    """A transport on which every call but that for the status fails."""

    def answer(call):
        if with_status and isinstance(call, Status):
            return answering(CHEST)(call)
        raise error

    return FakeTransport(answer)


@pytest.mark.parametrize(
    ("kind", "status", "name"),
    [
        (neumo.Unavailable, 503, "unavailable"),
        (neumo.DeadlineExceeded, 504, "deadline"),
        (neumo.ModelNotFound, 503, "unavailable"),
        (neumo.VersionUnavailable, 503, "unavailable"),
        (neumo.ReleaseMismatch, 503, "release-mismatch"),
        (neumo.InvalidRequest, 502, "contract"),
        (neumo.PermissionDenied, 503, "unavailable"),
        (neumo.BadResponse, 502, "contract"),
    ],
)
@pytest.mark.parametrize("path", ["/v1/predictions", "/v1/explanations"])
def test_a_fault_of_the_model_server_is_a_problem(kind, status, name, path):
    """Its address, and what it said, stay here."""
    error = kind(TUNED, "grpc://secret-host:8500", "secret words")

    answer = answer_of(fails(error), request(path, FILM))
    assert is_problem(answer, status, URN + name), answer
    assert b"secret" not in answer.body
    assert ("retry-after" in answer.headers) == (status == 503)


def test_a_model_that_is_not_the_contracts_is_a_problem():
    """A release of another contract is not asked."""
    answer = answer_of(fails(neumo.ContractError("secret")), request("/v1/predictions", FILM))
    assert is_problem(answer, 502, URN + "contract")


def test_what_is_no_chest_is_a_problem_of_the_film():
    """Where a release has lungs."""
    transport = FakeTransport(answering({**CHEST, "lungs": 0.1}))
    answer = answer_of(transport, request("/v1/explanations", FILM))
    assert is_problem(answer, 422, URN + "not-a-chest")


def test_where_lungs_are_served_their_outline_is_answered():
    """With the share of the heat that lies in them."""
    found = answer_of(FakeTransport(answering(CHEST)), request("/v1/explanations", FILM)).json
    (contour,) = found["lungs"]["contours"]
    assert sorted(contour) == [[32, 64], [32, 192], [224, 64], [224, 192]]
    assert found["heat_in_lungs"] == pytest.approx(0.375)


def test_a_fault_of_the_gateway_is_a_problem_that_says_nothing(caplog):
    """Not even the log quotes it."""
    answer = answer_of(fails(RuntimeError("secret words")), request("/v1/predictions", FILM))
    assert is_problem(answer, 500, URN + "internal")
    assert b"secret" not in answer.body
    assert "RuntimeError" in caplog.text
    assert "secret" not in caplog.text


def test_it_is_not_ready_without_its_models():
    """The page is told so, too, with the limits."""

    async def talk():
        error = neumo.Unavailable("", "grpc://secret-host:8500", "refused")
        async with answering_from(fails(error, with_status=False)) as running:
            ready = await ask(running.port, request("/readyz", verb="GET"))
            status = await ask(running.port, request("/v1/status", verb="GET"))
            return ready, status

    ready, status = asyncio.run(talk())
    assert is_problem(ready, 503, URN + "unavailable")
    assert "retry-after" in ready.headers
    assert (status.json["ready"], status.json["release"], status.json["models"]) == (
        False,
        None,
        [],
    )
    assert status.json["limits"]["max_films"] == UNHURRIED.limits.max_films


def test_every_member_must_be_of_one_release():
    """A release that only one of them has is none."""

    def one_has_another(call):
        return answering(CHEST, release=2 if call.model == TUNED else 1)(call)

    answer = answer_of(FakeTransport(one_has_another), request("/readyz", verb="GET"))
    assert is_problem(answer, 503, URN + "unavailable")


def test_many_who_ask_for_readiness_are_one_question_to_the_server():
    """A second is fresh enough."""
    transport = FakeTransport(answering(CHEST))

    async def talk():
        async with answering_from(transport) as running:
            asked = [ask(running.port, request("/readyz", verb="GET")) for _ in range(20)]
            return await asyncio.gather(*asked)

    assert {answer.status for answer in asyncio.run(talk())} == {200}
    assert len([call for call in transport.asked if call.model == TUNED]) <= 4


def test_a_refused_body_is_read_a_little_so_that_the_answer_arrives(web):
    """A client that sends on before it reads still learns why it was refused."""

    async def talk():
        reader, writer = await asyncio.open_connection("127.0.0.1", web.port)
        body = bytes(2**20)
        writer.write(request("/v1/predictions", body, {"Content-Type": "text/plain"}))
        await writer.drain()
        first = await read_answer(reader)
        writer.write(request("/healthz", verb="GET"))
        second = await read_answer(reader)
        writer.close()
        return first, second

    first, second = asyncio.run(talk())
    assert (first.status, second.status) == (415, 200)
    assert json.loads(second.body) == {"status": "ok"}
