"""Hostile uploads harm nobody: whatever comes in, ordinary requests are answered meanwhile."""

from __future__ import annotations

import asyncio
import contextlib
import io
import resource
from collections.abc import Awaitable
from dataclasses import replace
from ipaddress import ip_network
from pathlib import Path

import pytest
from PIL import Image

from neumo import contract
from neumo.testing import FakeTransport, answering
from neumo_serving.gateway import http_protocol
from neumo_serving.gateway.gateway_settings import AccessRules
from support import films, hostile_uploads
from support.gateway_process import (
    FORM,
    UNHURRIED,
    Line,
    answering_from,
    ask,
    form,
    gateway,
    read_answer,
    request,
)

MIB = 2**20
# A text beside the pixels, however long, is no reason to refuse them: it is not unpacked.
ANSWERED = dict.fromkeys(("GIF of 20000 frames", "PNG with 80 MiB of text"), (200, ""))
NO_CHEST = dict.fromkeys(
    [
        "PNG whose pixels unpack to a hundred times its size",
        "TIFF whose strip unpacks to a hundred times its size",
    ],
    (422, "not-a-chest"),
)
"""They, too, hold a picture of an ordinary size, so the models are asked."""
MOST_MIB = 1536
FILM = films.file("PNG")
SCORES = {member.name: 0.5 for member in contract.MEMBERS}


def kind(answer):
    """Which problem an answer is, if it is one."""
    return answer.json.get("type", "").rpartition(":")[2]


def beside_ordinary(web, attack: Awaitable):
    """What comes of ``attack``, and the statuses of ordinary requests that were made meanwhile."""

    async def ordinary(ended):
        line, statuses = Line(web.port), []
        while not ended.is_set() or not statuses:
            statuses.append((await line.ask(request("/v1/predictions", FILM))).status)
        line.close()
        return statuses

    async def both():
        ended = asyncio.Event()
        asked = asyncio.create_task(ordinary(ended))
        try:
            found = await attack
        finally:
            ended.set()
        return found, await asked

    return asyncio.run(both())


def largest_mib(web):
    """The most memory that the gateway has had so far."""
    status = Path(f"/proc/{web.process.pid}/status").read_text()
    line = next(line for line in status.splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) // 1024


@pytest.fixture(scope="module")
def corpus():
    """Every hostile file, by what it is."""
    return hostile_uploads.corpus()


def test_no_hostile_file_harms_the_gateway_or_others(web, corpus):
    """Each is refused as what it is, six at a time, in bounded memory."""

    async def attack():
        found, waiting = {}, list(corpus.items())

        async def send():
            line = Line(web.port)
            while waiting:
                name, content = waiting.pop()
                found[name] = await line.ask(request("/v1/predictions", content))
            line.close()

        await asyncio.gather(*(send() for _ in range(6)))
        return found

    found, ordinary = beside_ordinary(web, attack())
    assert set(found) == set(corpus)
    told = {name: (answer.status, kind(answer)) for name, answer in found.items()}
    assert told == dict.fromkeys(corpus, (422, "image")) | ANSWERED | NO_CHEST
    assert set(ordinary) == {200}
    assert largest_mib(web) < MOST_MIB


@pytest.mark.slow
def test_large_films_take_neither_the_memory_nor_the_time_of_others(web):
    """They are read one at a time; who brings more than wait already is told to come back."""
    content = io.BytesIO()
    Image.new("RGBA", (8000, 7999)).save(content, "PNG")
    large = content.getvalue()
    assert len(large) < MIB

    async def attack():
        sent = request("/v1/predictions", large)
        return await asyncio.gather(*(ask(web.port, sent) for _ in range(7)))

    found, ordinary = beside_ordinary(web, attack())
    statuses = [answer.status for answer in found]
    assert set(statuses) <= {422, 429}
    assert 422 in statuses
    assert {kind(answer) for answer in found if answer.status == 422} == {"not-a-chest"}
    assert set(ordinary) == {200}
    assert largest_mib(web) < MOST_MIB


def test_hostile_files_in_one_form_are_problems_in_their_places(web, corpus):
    """The film among them is answered."""
    sent = [*[corpus[name] for name in corpus if name not in ANSWERED | NO_CHEST][:20], FILM]
    answer = asyncio.run(ask(web.port, request("/v1/predictions", *form(*sent))))
    assert answer.status == 200
    *bad, good = answer.json["results"]
    assert {result["problem"]["status"] for result in bad} == {422}
    assert good["problem"] is None


SENT_MIB = 200
"""So much of the gigabyte is sent at most: the answer has to come without the rest."""
HEADS = {
    "with its length told": f"Content-Length: {1024 * MIB}\r\n",
    "in chunks": "Transfer-Encoding: chunked\r\n",
    "in chunks, as a form": f"Transfer-Encoding: chunked\r\nContent-Type: {FORM}\r\n",
}


@pytest.mark.parametrize("head", HEADS.values(), ids=HEADS)
def test_a_body_of_a_gigabyte_is_refused_before_it_fills_the_memory(web, head):
    """Whether or not its length is told, a fifth of it is enough for the answer."""

    async def attack():
        reader, writer = await asyncio.open_connection("127.0.0.1", web.port)
        writer.write(f"POST /v1/predictions HTTP/1.1\r\nHost: localhost\r\n{head}\r\n".encode())
        answer = asyncio.create_task(read_answer(reader))
        piece = bytes(MIB)
        if "chunked" in head:
            piece = b"%x\r\n%s\r\n" % (MIB, piece)
            if FORM in head:
                start = form(b"")[0].partition(b"--edge--")[0][:-2]
                writer.write(b"%x\r\n%s\r\n" % (len(start), start))
        sent = 0
        while sent < SENT_MIB and not answer.done():
            writer.write(piece)
            await writer.drain()
            sent += 1
        found = await answer
        writer.close()
        return found

    answer, ordinary = beside_ordinary(web, attack())
    assert answer.status == 413
    assert answer.json["type"] == "urn:neumo:problem:too-large"
    assert set(ordinary) == {200}
    assert largest_mib(web) < MOST_MIB


@pytest.mark.slow
def test_clients_that_send_slowly_do_not_hold_others_up(web):
    """Neither heads nor bodies that drip; a head that does not end is not waited for."""

    async def drip(start):
        reader, writer = await asyncio.open_connection("127.0.0.1", web.port)
        writer.write(start)
        ended = asyncio.create_task(reader.read())
        try:
            while not ended.done():
                writer.write(b"x")
                await asyncio.wait([ended], timeout=0.5)
            return await ended
        finally:
            ended.cancel()
            writer.transport.abort()

    async def attack():
        head = b"POST /v1/predictions HTTP/1.1\r\nHost: localhost\r\nX-Slow: "
        body = request("/v1/predictions", bytes(MIB))[: -MIB // 2]
        slow = asyncio.gather(*(drip(body) for _ in range(100)), return_exceptions=True)
        ended = await asyncio.gather(*(drip(head) for _ in range(200)), return_exceptions=True)
        slow.cancel()
        await asyncio.wait([slow])
        return ended

    ended, ordinary = beside_ordinary(web, attack())
    assert {b"" if isinstance(one, OSError) else one for one in ended} == {b""}
    assert set(ordinary) == {200}


@pytest.mark.slow
def test_clients_that_do_not_read_do_not_hold_others_up(web):
    """Their answers wait in the connection, their places are free."""

    async def attack():
        writers = []
        for _ in range(40):
            _, writer = await asyncio.open_connection("127.0.0.1", web.port, limit=1)
            writer.write(request("/v1/explanations", FILM))
            writers.append(writer)
            await asyncio.sleep(0.05)
        # On a slow machine the last ones are still being asked about; then their places are free.
        while (answer := await ask(web.port, request("/v1/explanations", FILM))).status == 429:
            await asyncio.sleep(0.2)
        for writer in writers:
            writer.transport.abort()
        return answer

    answer, ordinary = beside_ordinary(web, attack())
    assert answer.status == 200
    assert set(ordinary) == {200}


FLOOD = 1000


@pytest.mark.slow
def test_a_thousand_idle_and_a_thousand_slow_connections_lock_nobody_out(neumo_server):
    """Each answered once, or without an end to its head: a film is answered all the same."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 4096), hard))

    async def idle(port):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(request("/healthz", verb="GET"))
        # Those before it may have given way meanwhile, and so may this one.
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            await read_answer(reader)
        return writer

    async def slow(port):
        _, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"GET /healthz HTTP/1.1\r\nX-Slow: ")
        return writer

    async def talk(running):
        opened, found = [], []
        for open_one in (idle, slow):
            for _ in range(FLOOD // 50):
                opened += await asyncio.gather(*(open_one(running.port) for _ in range(50)))
                alive = await ask(running.port, request("/healthz", verb="GET"))
                found.append(alive.status)
            found.append((await ask(running.port, request("/v1/predictions", FILM))).status)
        for writer in opened:
            writer.transport.abort()
        return found

    try:
        with gateway(neumo_server.grpc_url) as running:
            assert set(asyncio.run(talk(running))) == {200}
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_of_one_address_so_many_connections_are_kept_and_no_more(monkeypatch):
    """The one that was idle for longest gives way, never the newcomer; a proxy's may be more."""
    monkeypatch.setattr(http_protocol, "MAX_OF_ONE", 3)

    async def talk(settings):
        async with answering_from(FakeTransport(answering(SCORES)), settings) as running:
            lines = [Line(running.port) for _ in range(5)]
            found = [await line.ask(request("/healthz", verb="GET")) for line in lines]
            kept = 0
            for line in lines:
                with contextlib.suppress(OSError, asyncio.IncompleteReadError):
                    kept += (await line.ask(request("/healthz", verb="GET"))).status == 200
                line.close()
            return {one.status for one in found}, kept

    assert asyncio.run(talk(UNHURRIED)) == ({200}, 3)
    proxied = replace(UNHURRIED, access=AccessRules(proxies=(ip_network("127.0.0.1"),)))
    assert asyncio.run(talk(proxied)) == ({200}, 5)


def test_of_too_many_connections_those_are_closed_that_keep_their_head_back(monkeypatch):
    """The one that has for longest; a new client is answered."""
    monkeypatch.setattr(http_protocol, "MAX_CONNECTIONS", 3)

    async def talk():
        async with answering_from(FakeTransport(answering(SCORES))) as running:
            opened = [await asyncio.open_connection("127.0.0.1", running.port) for _ in range(3)]
            answer = await ask(running.port, request("/v1/predictions", FILM))
            ended = [asyncio.create_task(reader.read()) for reader, _ in opened]
            await asyncio.wait(ended, return_when=asyncio.FIRST_COMPLETED)
            done = [one.done() for one in ended]
            for _, writer in opened:
                writer.close()
            await asyncio.gather(*ended, return_exceptions=True)
            return answer.status, done

    assert asyncio.run(talk()) == (200, [True, False, False])


@pytest.mark.parametrize(
    "head", ["X-Long: " + "x" * 2**20, "\r\n".join(f"X-{n}: {'x' * 100}" for n in range(10_000))]
)
def test_a_head_has_a_largest_size(web, head):
    """Beyond it the request is refused."""
    sent = f"GET /healthz HTTP/1.1\r\nHost: localhost\r\n{head}\r\n\r\n".encode()
    assert asyncio.run(ask(web.port, sent)).status == 400


def test_a_refused_body_that_never_ends_is_not_read_for_ever(monkeypatch):
    """The connection is closed a little after the answer."""
    monkeypatch.setattr(http_protocol, "LINGER_S", 0.2)

    async def talk():
        async with answering_from(FakeTransport(answering(SCORES))) as running:
            reader, writer = await asyncio.open_connection("127.0.0.1", running.port)
            writer.write(request("/v1/predictions", headers={"Content-Length": str(2**40)}))
            answer = await read_answer(reader)
            rest = asyncio.create_task(reader.read())
            while not rest.done():
                writer.write(bytes(1000))
                await asyncio.wait([rest], timeout=0.05)
            writer.close()
            return answer.status

    assert asyncio.run(talk()) == 413
