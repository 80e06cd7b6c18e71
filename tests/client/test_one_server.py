"""All calls of a film go to one of the servers behind a name: gRPC and REST, sync and async."""

from __future__ import annotations

import asyncio
import socket
import time
from collections import Counter, defaultdict
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import numpy as np
import pytest

import neumo
from neumo._transports import address, grpc_channels
from neumo._transports.hedged_transport import HedgedTransport
from neumo._transports.transport import connect
from neumo._wire.calls import Status
from neumo.testing import FakeTransport, answering
from support.fake_clients import FILM, RESIDUAL, TUNED
from support.grey_servers import (
    NAME,
    GreyServer,
    Names,
    served_by_grpc,
    served_by_rest,
    several,
)
from support.patience import patience

FILMS = [np.full((256, 256), grey, np.uint8) for grey in range(4, 244, 4)]
TRANSPORTS = [("grpc", served_by_grpc), ("http", served_by_rest)]


@pytest.fixture
def names(monkeypatch):
    """``names.hosts`` are the addresses of ``NAME``, which gRPC asks of a DNS server of ours."""
    of_system = socket.getaddrinfo

    def looked_up(host, port, *args, **options):
        if host != NAME:
            return of_system(host, port, *args, **options)
        if not names.hosts:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return [info for one in names.hosts for info in of_system(one, port, *args, **options)]

    with Names([]) as names:
        monkeypatch.setattr(socket, "getaddrinfo", looked_up)
        monkeypatch.setattr(
            grpc_channels,
            "name",
            lambda where: f"dns://127.0.0.1:{names.port}/{where.netloc}",
        )
        yield names


@pytest.fixture(params=TRANSPORTS, ids=["grpc", "rest"])
def pods(request, names):
    """Starts a server of each of ``releases`` behind ``NAME``: gives them, and the URL of all."""
    scheme, served = request.param
    with ExitStack() as stack:

        def start(*releases):
            servers, port = stack.enter_context(several(served, releases))
            names.hosts = [server.host for server in servers]
            return servers, f"{scheme}://{NAME}:{port}"

        yield start


def predict_blocking(url, films, **options):
    """The answers of ``Client``, some films at a time."""
    with (
        neumo.Client(url, timeout=patience(20), **options) as client,
        ThreadPoolExecutor(4) as pool,
    ):
        return list(pool.map(client.predict, films))


def predict_awaiting(url, films, **options):
    """The same by ``AsyncClient``."""

    async def predicted():
        async with neumo.AsyncClient(url, timeout=patience(20), **options) as client:
            under_way = asyncio.Semaphore(4)

            async def one(film):
                async with under_way:
                    return await client.predict(film)

            return await asyncio.gather(*map(one, films))

    return asyncio.run(predicted())


@pytest.fixture(params=[predict_blocking, predict_awaiting], ids=["Client", "AsyncClient"])
def predict(request):
    """The predictions by either client."""
    return request.param


def by_film(servers):
    """Which servers saw each film, by its grey, and from which of the client's addresses."""
    seen = defaultdict(list)
    for server in servers:
        for asked in server.asked:
            seen[asked.grey].append(asked)
    return seen


def test_all_calls_of_a_film_go_to_one_server(pods, predict):
    """And the films to all of them, over one connection each where the transport has several."""
    servers, url = pods(2, 2, 2)
    answers = predict(url, FILMS)
    assert [round(answer.probability * 255) for answer in answers] == list(range(4, 244, 4))
    seen = by_film(servers)
    assert len(seen) == len(FILMS)
    for calls in seen.values():
        assert {call.model for call in calls} == {TUNED, RESIDUAL, "lungs"}
        assert len({call.server for call in calls}) == 1
        if url.startswith("grpc"):
            assert len({call.caller for call in calls}) == 1
    share = Counter(calls[0].server for calls in seen.values())
    assert sum(share.values()) == len(FILMS)
    assert len(share) >= 2  # gRPC's eight connections may miss one of three


def test_in_a_roll_old_and_new_answer_in_proportion_and_no_film_is_asked_twice(pods, predict):
    """Each film by one release: none is mixed, so nothing is asked again."""
    servers, url = pods(1, 2)
    answers = predict(url, FILMS, retries=0)
    releases = Counter(answer.release for answer in answers)
    assert set(releases) == {1, 2}
    assert min(releases.values()) >= len(FILMS) / 12
    for grey, calls in by_film(servers).items():
        assert len(calls) == 3, grey
    for answer in answers:
        assert {member.version for member in answer.members} == {answer.release}


def test_films_go_on_when_a_server_goes(pods, names):
    """Its films go to another one, without a failure even where nothing is retried."""
    servers, url = pods(2, 2)
    scheme = url.partition(":")[0]
    served = dict(TRANSPORTS)[scheme]
    third = GreyServer("127.0.0.3")
    port = int(url.rpartition(":")[2])
    with neumo.Client(url, timeout=patience(20)) as client:
        with served(third, port):
            names.hosts.append(third.host)
            for film in FILMS[:20]:
                client.predict(film)
        for film in FILMS[20:40]:  # the name still has the address
            client.predict(film)
    assert len(by_film([*servers, third])) == 40


@pytest.mark.slow
def test_a_new_address_is_used_within_seconds(names):
    """Where all that are known are gone, gRPC asks for the name again: not after its 30 s."""
    for scheme, served in TRANSPORTS:
        old, new = GreyServer("127.0.0.1"), GreyServer("127.0.0.2")
        with served(old) as port:
            names.hosts = [old.host]
            client = neumo.Client(f"{scheme}://{NAME}:{port}", timeout=patience(30))
            client.predict(FILMS[0])
        names.hosts = [new.host]
        with client, served(new, port):
            began = time.monotonic()
            assert client.predict(FILMS[1]).release == 2
            assert time.monotonic() - began < patience(12), scheme
        assert new.asked


def test_an_address_that_swallows_connections_is_left(names, monkeypatch):
    """Over REST: a pod that vanished answers nothing, not even that it is gone."""
    with socket.socket() as full:
        full.bind(("127.0.0.9", 0))
        full.listen(0)
        port = full.getsockname()[1]
        fillers = []
        for _ in range(4):  # until its queue takes no more
            filler = socket.socket()
            filler.setblocking(False)
            filler.connect_ex(("127.0.0.9", port))
            fillers.append(filler)
        try:
            with served_by_rest(GreyServer("127.0.0.1"), port):
                names.hosts = ["127.0.0.9", "127.0.0.1"]
                with neumo.Client(f"http://{NAME}:{port}", timeout=patience(10)) as client:
                    for film in FILMS[:8]:
                        client.predict(film)
        finally:
            for filler in fillers:
                filler.close()


def test_a_retry_goes_to_another_server(pods):
    """One that fails is not asked again and again: each try chooses anew."""
    servers, url = pods(2, 2)
    transport = connect(url)
    try:
        for _ in range(60):
            transport.one_server().start(Status(TUNED), patience(5)).result(patience(30))
    finally:
        transport.close()
    assert all(server.headers for server in servers)


def test_a_transport_of_ones_own_needs_no_notion_of_servers():
    """Neither a fake, nor one with nothing but ``start`` and ``close``."""

    class Plain:
        target = "plain://"

        def __init__(self, inner):
            self.start, self.close = inner.start, inner.close

    fake = FakeTransport(answering({TUNED: 0.75, RESIDUAL: 0.125}))
    for hedge in (None, 5.0):
        with neumo.Client(transport=Plain(fake), hedge=hedge) as client:
            assert client.predict(FILM).probability == 0.4375


def test_a_second_sending_may_go_to_another_server(pods):
    """What is slow on one server is asked of one that is chosen anew, all of a film's alike."""
    servers, url = pods(2, 2)
    servers[0].before_any = lambda: time.sleep(0.3)
    transport = connect(url, connections=16)
    hedged = HedgedTransport(transport, 0.05, lambda: True)
    try:
        for _ in range(20):
            asked = {server.host: len(server.headers) for server in servers}
            film = hedged.one_server()
            calls = [film.start(Status(name), patience(20)) for name in (TUNED, RESIDUAL)]
            for call in calls:
                call.result(patience(30))
            more = [len(server.headers) - asked[server.host] for server in servers]
            if more == [2, 2]:
                break
        assert more == [2, 2]
    finally:
        transport.close()


@pytest.mark.parametrize("connections", [0, 65, 1.5, True, "4"])
def test_connections_that_cannot_be_are_refused(connections):
    """One line names the limits."""
    with pytest.raises(neumo.ConfigError, match="give a whole number from 1 to 64"):
        neumo.Client("grpc://localhost:1", connections=connections)


@pytest.mark.parametrize("connections", [1, 3])
def test_connections_bound_what_grpc_is_connected_to(names, connections):
    """Each is a socket of its own to a server of its own choice."""
    with several(served_by_grpc, [2, 2, 2]) as (servers, port):
        names.hosts = [server.host for server in servers]
        predict_blocking(f"grpc://{NAME}:{port}", FILMS[:60], connections=connections)
    callers = {call.caller for server in servers for call in server.asked}
    assert 1 <= len(callers) <= connections


def test_a_mesh_is_asked_where_the_servers_are():
    """``xds:///`` names a listener; without a control plane the server is out of reach."""
    where = address.parse("xds:///models.example.org")
    assert (str(where), where.is_grpc) == ("xds:///models.example.org", True)
    assert grpc_channels.name(where) == "xds:///models.example.org"
    with (
        neumo.Client("xds:///models.example.org", timeout=patience(3), retries=0) as client,
        pytest.raises(neumo.ServingError),
    ):
        client.status()


@pytest.mark.parametrize("url", ["xds://", "xds:///", "xds://host/name"])
def test_a_mesh_needs_a_name(url):
    """One line with an example."""
    with pytest.raises(neumo.ConfigError, match="is no server's URL"):
        address.parse(url)
