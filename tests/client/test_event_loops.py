"""What gRPC's own asyncio adds to a transport: event loops, tasks, and their ends."""

from __future__ import annotations

import asyncio
import threading

import grpc
import pytest

import neumo
from neumo._transports import address, status_codes
from neumo._transports.credentials import Access
from neumo._transports.grpc_transport_async import AsyncGrpcTransport
from neumo._wire.calls import Status
from support.grpc_server import grpc_server
from support.patience import patience

MODEL = "pneumonia_tuned"


def transport(url):
    """The transport for ``url``."""
    return AsyncGrpcTransport(address.parse(url), Access())


def answered(request, context):
    """An answer about no version."""
    return b""


class Silent:
    """A server that keeps silent: ``asked`` once a call came, ``ended`` once it was given up."""

    def __init__(self):
        self.asked, self.ended = threading.Event(), threading.Event()

    def __call__(self, request, context):
        """Wait for the call's end."""
        context.add_callback(self.ended.set)
        self.asked.set()
        self.ended.wait(patience(30))
        return b""


async def until(event):
    """Wait for a thread's ``event``."""
    assert await asyncio.to_thread(event.wait, 30)


@pytest.mark.parametrize("code", sorted(set(status_codes.OF_GRPC)))
def test_a_fault_is_the_class_of_its_code(code):
    """Also CANCELLED: that the server says so does not cancel the task that asks."""

    def refuse(request, context):
        context.abort(grpc.StatusCode[code], "because of this")

    async def ask(url):
        asked = transport(url)
        try:
            await asked.start(Status(MODEL), 5.0)
        finally:
            await asked.close()

    with (
        grpc_server(refuse) as url,
        pytest.raises(neumo.ServingError, match=f"{code}: because of this") as raised,
    ):
        asyncio.run(ask(url))
    assert type(raised.value) is status_codes.OF_GRPC[code]


def test_one_client_serves_event_loops_one_after_another():
    """A channel is its loop's: the next loop gets its own, also where nobody closed the first."""
    with grpc_server(answered) as url:
        asked = transport(url)
        for _ in range(3):
            reply = asyncio.run(_reply(asked))
            assert reply.answer.model == MODEL
        asyncio.run(asked.close())


def test_one_client_serves_event_loops_of_several_threads():
    """All at the same time, and one of them closes it for all."""
    together = threading.Barrier(3)
    failed = []

    async def ask(asked):
        for _ in range(20):
            await asked.start(Status(MODEL), 10.0)
        await asyncio.to_thread(together.wait, 30)
        await asked.close()

    def run(asked):
        try:
            asyncio.run(ask(asked))
        except Exception as error:  # noqa: BLE001 - judged below
            failed.append(error)

    with grpc_server(answered) as url:
        asked = transport(url)
        threads = [threading.Thread(target=run, args=(asked,)) for _ in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert not failed


def test_a_call_that_is_cancelled_ends_on_the_wire():
    """The server need not go on."""
    silent = Silent()

    async def ask(url):
        asked = transport(url)
        call = asked.start(Status(MODEL), 30.0)
        await until(silent.asked)
        call.cancel()
        await until(silent.ended)
        assert call.cancelled()
        await asked.close()

    with grpc_server(silent) as url:
        asyncio.run(ask(url))


def test_closing_the_client_ends_its_calls_with_an_error_of_its_own():
    """The task that asks is not cancelled itself."""
    silent = Silent()

    async def ask(url):
        client = neumo.AsyncClient(url, timeout=patience(30))
        task = asyncio.create_task(client.status())
        await until(silent.asked)
        await client.close()
        with pytest.raises(neumo.ConfigError, match="closed during a call"):
            await task
        await until(silent.ended)

    with grpc_server(silent) as url:
        asyncio.run(ask(url))


def test_a_call_that_has_not_been_sent_when_the_client_closes_says_so():
    """It was started, but the event loop had not come to it."""

    async def ask(url):
        asked = transport(url)
        await asked.start(Status(MODEL), 5.0)
        call = asked.start(Status(MODEL), 5.0)
        await asked.close()
        with pytest.raises(neumo.ConfigError, match="the client is closed"):
            await call

    with grpc_server(answered) as url:
        asyncio.run(ask(url))


def test_a_closed_transport_says_so():
    """As the one that blocks; closing twice is no mistake."""

    async def ask():
        asked = transport("grpc://127.0.0.1:9")
        await asked.close()
        await asked.close()
        with pytest.raises(neumo.ConfigError, match="the client is closed"):
            asked.start(Status(MODEL), 1.0)

    asyncio.run(ask())


def test_a_silent_server_is_given_up_at_the_deadline():
    """By gRPC itself, as on the channel that blocks."""

    async def ask(url):
        asked = transport(url)
        with pytest.raises(neumo.DeadlineExceeded):
            await asked.start(Status(MODEL), 0.2)
        await asked.close()

    with grpc_server(Silent()) as url:
        asyncio.run(ask(url))


async def _reply(asked):
    return await asked.start(Status(MODEL), 10.0)
