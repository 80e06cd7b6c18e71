"""How much is accepted, what happens beyond it, and how it ends."""

from __future__ import annotations

import asyncio
import signal
from dataclasses import replace

import pytest

from neumo import contract
from neumo.testing import FakeTransport, answering
from neumo_serving.gateway import upload_bodies
from neumo_serving.gateway.admission import AT_ONCE_OF_A_REQUEST, Held, Places
from neumo_serving.gateway.gateway_settings import Limits
from neumo_serving.gateway.problems import Refusal
from support import films
from support.gateway_process import (
    FORM,
    UNHURRIED,
    Line,
    answer_of,
    answering_from,
    ask,
    form,
    gateway,
    read_answer,
    request,
)
from support.patience import patience
from support.stuck_transport import Stuck

FILM = films.file("PNG")
SCORES = {member.name: 0.5 for member in contract.MEMBERS}
SMALL = Limits(
    max_films=3, max_film_bytes=300_000, max_request_bytes=500_000, films_at_once=2, rate=0
)


def limited(limits):
    """Settings with these limits."""
    return replace(UNHURRIED, limits=limits)


def chunked(*pieces, headers=()):
    """The bytes of a request whose length is not told beforehand."""
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers)
    head = f"POST /v1/predictions HTTP/1.1\r\nHost: localhost\r\n{lines}"
    body = b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces)
    return f"{head}Transfer-Encoding: chunked\r\n\r\n".encode() + body + b"0\r\n\r\n"


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (request("/v1/predictions", bytes(300_001)), 413),
        (chunked(bytes(200_000), bytes(100_001)), 413),
        (request("/v1/predictions", *form(bytes(300_001))), 413),
        (request("/v1/predictions", *form(bytes(260_000), bytes(260_000))), 413),
        (chunked(*form(bytes(260_000), bytes(260_000))[:1], headers=[("Content-Type", FORM)]), 413),
        (request("/v1/predictions", *form(*[b"x"] * 4)), 422),
        (request("/v1/predictions", *form(FILM, FILM)), 200),
        (chunked(FILM[:1000], FILM[1000:]), 200),
    ],
)
def test_a_request_is_bounded_in_its_films_and_its_bytes(sent, status):
    """Each film, all together, and their number, whether or not its length is told."""
    assert len(FILM) < 250_000

    assert answer_of(FakeTransport(answering(SCORES)), sent, limited(SMALL)).status == status


def test_a_gateway_that_is_full_refuses_at_once_and_says_when_to_come_back():
    """Nobody queues; when there is room again, it answers."""
    transport = Stuck(SCORES)

    async def talk():
        async with answering_from(transport, limited(SMALL)) as running:
            asked = [
                asyncio.create_task(ask(running.port, request("/v1/predictions", FILM)))
                for _ in range(SMALL.films_at_once)
            ]
            await transport.holds(2 * SMALL.films_at_once)
            refused = await ask(running.port, request("/v1/predictions", FILM))
            alive = await ask(running.port, request("/healthz", verb="GET"))
            transport.release()
            answered = [(await one).status for one in asked]
            after = await ask(running.port, request("/v1/predictions", FILM))
            return refused, alive.status, answered, after.status

    refused, alive, answered, after = asyncio.run(talk())
    assert refused.status == 429
    assert refused.json["type"] == "urn:neumo:problem:busy"
    assert int(refused.headers["retry-after"]) >= 1
    assert (alive, answered, after) == (200, [200, 200], 200)


def test_a_client_that_leaves_takes_its_work_with_it():
    """The calls to the models are given up, and the place is free again."""
    transport = Stuck(SCORES)

    async def talk():
        async with answering_from(transport, limited(replace(SMALL, films_at_once=1))) as running:
            _, writer = await asyncio.open_connection("127.0.0.1", running.port)
            writer.write(request("/v1/predictions", FILM))
            await transport.holds(2)
            writer.close()
            while not all(future.cancelled() for future, _ in transport.waiting):
                await asyncio.sleep(0.005)
            transport.is_stuck = False
            while (
                found := await ask(running.port, request("/v1/predictions", FILM))
            ).status == 429:
                await asyncio.sleep(0.01)
            return found.status

    assert asyncio.run(talk()) == 200


@pytest.mark.parametrize("path", ["/v1/predictions", "/v1/explanations"])
def test_one_deadline_holds_for_the_whole_request(path):
    """Models that keep silent are not waited for longer."""
    answer = answer_of(Stuck(SCORES), request(path, FILM), limited(replace(SMALL, deadline_s=0.5)))
    assert answer.status == 504
    assert answer.json["type"] == "urn:neumo:problem:deadline"


def test_films_that_are_in_time_are_answered_though_others_are_not():
    """Those have the problem in their places."""
    transport = Stuck(SCORES)

    async def talk():
        settings = limited(replace(SMALL, deadline_s=1.0, films_at_once=1))
        async with answering_from(transport, settings) as running:
            asked = asyncio.create_task(
                ask(running.port, request("/v1/predictions", *form(b"no film", FILM, FILM)))
            )
            await transport.holds(2)
            return await asked

    answer = asyncio.run(talk())
    assert answer.status == 200
    problems = [result["problem"]["type"].rpartition(":")[2] for result in answer.json["results"]]
    assert problems == ["image", "deadline", "deadline"]


@pytest.mark.parametrize(
    ("limits", "within_s"), [(replace(SMALL, deadline_s=0.3), 10.0), (SMALL, 0.3)]
)
def test_an_upload_that_comes_too_slowly_is_ended(monkeypatch, limits, within_s):
    """By the request's deadline, or because nothing came for a while."""
    monkeypatch.setattr(upload_bodies, "PIECE_WITHIN_S", within_s)

    async def talk():
        async with answering_from(FakeTransport(answering(SCORES)), limited(limits)) as running:
            reader, writer = await asyncio.open_connection("127.0.0.1", running.port)
            writer.write(request("/v1/predictions", FILM)[:-5])
            answer = await read_answer(reader)
            writer.close()
            return answer

    answer = asyncio.run(talk())
    assert answer.status == 408
    assert answer.json["type"] == "urn:neumo:problem:deadline"


def test_a_request_of_many_films_leaves_places_for_others():
    """It gets a few, or what is left."""
    places = Places(AT_ONCE_OF_A_REQUEST + 1)
    with places.take(32) as many:
        assert many == AT_ONCE_OF_A_REQUEST
        with places.take(32) as few:
            assert few == 1
            with pytest.raises(Refusal), places.take(1):
                pass
    assert places.taken == 0


def test_uploads_fill_no_more_memory_than_is_set_aside():
    """Of all, and of one client; what ends makes room."""
    held = Held(100, 60)
    with held.by("a") as first, held.by("b") as second:
        first.add(60)
        with pytest.raises(Refusal) as refused:
            first.add(1)
        assert refused.value.problem.status == 429
        with pytest.raises(Refusal):
            second.add(41)
    with held.by("a") as again:
        again.add(60)
    assert held.total_bytes == 0


def test_it_finishes_what_it_is_answering_when_told_to_stop():
    """It is unready at once, and answers until connections are to close."""
    transport = Stuck(SCORES)

    async def talk():
        settings = replace(limited(SMALL), drain_wait_s=0.5)
        async with answering_from(transport, settings) as running:
            idle = Line(running.port)
            assert (await idle.ask(request("/readyz", verb="GET"))).status == 200
            asked = asyncio.create_task(ask(running.port, request("/v1/predictions", FILM)))
            await transport.holds(2)
            running.server.stop()
            unready = await idle.ask(request("/readyz", verb="GET"))
            idle.close()
            asyncio.get_running_loop().call_later(1.0, transport.release)
            return unready.status, (await asked).status

    assert asyncio.run(talk()) == (503, 200)


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_the_process_with_status_0(neumo_server, number):
    """Nothing but what it is doing is said."""
    with gateway(neumo_server.grpc_url) as running:
        assert asyncio.run(ask(running.port, request("/v1/predictions", FILM))).status == 200
        running.process.send_signal(number)
        assert running.process.wait(patience(30)) == 0
    said = [line.partition(": ")[2].split(":")[0] for line in running.said]
    assert said == ["operators", "ready", "stopping"]
