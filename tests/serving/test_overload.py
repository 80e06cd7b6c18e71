"""What nobody waits for is not computed, and what would come too late is refused at the door."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import grpc
import numpy as np
import pytest

from neumo_serving.engine import deadlines, door, turns
from neumo_serving.engine.door import Door
from neumo_serving.engine.saved_model import LoadedModel
from neumo_serving.engine.turns import SessionInTurns
from neumo_serving.grpc_api import grpc_server
from neumo_serving.grpc_api.grpc_server import RpcOptions
from neumo_serving.request_faults import Fault
from neumo_serving.rest_api.rest_app import App, RestOptions
from support.conformance.servers import endpoint, free_ports
from support.doubling import Doubling
from support.patience import patience
from support.toy_model import predict_request

X = np.array([[1.0]], np.float32)


def until(condition):
    """Wait for what another thread does."""
    ends = time.monotonic() + patience(60)
    while not condition():
        assert time.monotonic() < ends
        time.sleep(0.005)


class OneModel:
    """Models that are one, which runs ``session``."""

    def __init__(self, session):
        signature = _signature()
        self._model = LoadedModel({"serving_default": signature}, session)

    @contextmanager
    def acquire(self, model, version, label):
        """The only version."""
        yield 1, self._model


def _signature():
    from tensorflow.core.protobuf import meta_graph_pb2

    made = meta_graph_pb2.SignatureDef()
    for infos, name in ((made.inputs, "x"), (made.outputs, "y")):
        infos[name].name = f"{name}:0"
        infos[name].dtype = 1
    return made


@pytest.fixture
def inner():
    """What is run at last; it holds everything until its gate opens."""
    return Doubling(gate=threading.Event())


@pytest.fixture
def served(inner):
    """A gRPC server of that model, and its door."""
    entrance = Door()
    port, _ = free_ports()
    options = RpcOptions(port=port, socket_path="", threads=4 * turns.AT_ONCE)
    rpc = grpc_server.make(OneModel(SessionInTurns(inner)), entrance, options)
    rpc.server.start()
    asked = endpoint(f"localhost:{port}", "")
    yield asked, entrance
    inner.gate.set()
    asked.channel.close()
    rpc.stop(None).wait()


def fill(asked, entrance):
    """As many calls as are run at once; they hold their turns."""
    calls = [asked.begin("Predict", predict_request({"x": X})) for _ in range(turns.AT_ONCE)]
    until(lambda: entrance.under_way == turns.AT_ONCE)
    return calls


@pytest.mark.parametrize("timeout_s", [None, 0.5], ids=["cancelled", "its deadline passed"])
def test_a_call_that_is_over_before_its_turn_is_not_run(inner, served, timeout_s):
    """Whether its client has gone or its time is up; the next ones are."""
    asked, entrance = served
    held = fill(asked, entrance)
    over = asked.begin("Predict", predict_request({"x": X}), timeout_s)
    if timeout_s is None:
        until(lambda: entrance.under_way == turns.AT_ONCE + 1)
        over.cancel()
    else:
        assert over.exception().code() is grpc.StatusCode.DEADLINE_EXCEEDED
    until(lambda: entrance.under_way == turns.AT_ONCE)
    inner.gate.set()
    assert all(call.exception() is None for call in held)
    asked.call("Predict", predict_request({"x": X}))
    assert len(inner.seen) == turns.AT_ONCE + 1


def test_a_rest_request_whose_client_has_gone_is_not_run(inner):
    """One of the only thread's two; the first holds it."""
    app = App(OneModel(inner), Door(), RestOptions(threads=1))
    body = json.dumps({"instances": [[1.0]]}).encode()
    scope = {
        "type": "http",
        "method": "POST",
        "path": "/v1/models/m:predict",
        "raw_path": b"/v1/models/m:predict",
        "query_string": b"",
        "headers": [],
    }

    async def ask(left):
        sent = [{"type": "http.request", "body": body}]
        told = asyncio.Event()

        async def receive():
            if sent:
                return sent.pop()
            await left.wait()
            told.set()
            return {"type": "http.disconnect"}

        statuses = []

        async def send(message):
            statuses.append(message.get("status"))

        return asyncio.ensure_future(app(scope, receive, send)), told, statuses

    async def both():
        left, never = asyncio.Event(), asyncio.Event()
        first, _, answered = await ask(never)
        await asyncio.to_thread(inner.entered.wait, patience(60))
        second, told, refused = await ask(left)
        left.set()
        await told.wait()
        inner.gate.set()
        await asyncio.gather(first, second)
        return answered[0], refused[0]

    assert asyncio.run(both()) == (200, 499)
    assert len(inner.seen) == 1


def test_runs_beyond_the_turns_are_in_the_order_in_which_they_came(inner):
    """So that under overload the first are in time, and not all late together."""
    session = SessionInTurns(inner)

    def run(number):
        return session.run({"x:0": np.array([[number]])}, ["y:0"])[0].item()

    with ThreadPoolExecutor(turns.AT_ONCE + 2) as threads:
        held = [threads.submit(run, number) for number in range(turns.AT_ONCE)]
        until(lambda: len(inner.seen) == turns.AT_ONCE)
        waiting = threads.submit(run, 99)
        assert not waiting.done()
        assert len(inner.seen) == turns.AT_ONCE
        inner.gate.set()
        assert [one.result() for one in held] == [2 * n for n in range(turns.AT_ONCE)]
        assert waiting.result() == 198


class Clock:
    """Time that passes when a test says so."""

    def __init__(self, monkeypatch):
        self.now = 100.0
        monkeypatch.setattr(time, "monotonic", lambda: self.now)


@pytest.fixture
def clock(monkeypatch):
    """Nothing here waits for the true one."""
    return Clock(monkeypatch)


def busy(entrance, clock, under_way, a_second):
    """A door with so many under way, of which so many were answered a second."""
    visits = [entrance.enter(deadlines.Caller()) for _ in range(under_way)]
    for _ in range(door.WINDOW):
        clock.now += 1 / a_second
        visits.pop(0).end()
        visits.append(entrance.enter(deadlines.Caller()))
    return visits


def test_what_would_come_after_its_deadline_is_refused_at_the_door(clock):
    """RESOURCE_EXHAUSTED at once: another server may have room."""
    entrance = Door()
    busy(entrance, clock, 100, 50)
    with pytest.raises(Fault) as raised:
        entrance.enter(deadlines.Caller(clock.now + 2))
    assert raised.value.code == "RESOURCE_EXHAUSTED"
    entrance.enter(deadlines.Caller(clock.now + 10))
    entrance.enter(deadlines.Caller())


def test_the_door_opens_again_only_when_there_is_room_for_several(clock):
    """A film is three requests: places that come free singly would each let in a third of one."""
    entrance = Door()
    visits = busy(entrance, clock, 100, 50)
    with pytest.raises(Fault):
        entrance.enter(deadlines.Caller(clock.now + 2))
    for _ in range(40):
        clock.now += 1 / 50
        visits.pop().end()
    # 60 are under way, for 1.2 s: of 2 s that is more than is let in again.
    with pytest.raises(Fault):
        entrance.enter(deadlines.Caller(clock.now + 2))
    for _ in range(25):
        clock.now += 1 / 50
        visits.pop().end()
    for _ in range(30):
        entrance.enter(deadlines.Caller(clock.now + 2))


def test_a_server_that_was_idle_refuses_nobody(clock):
    """The time without requests tells nothing of how quick it is."""
    entrance = Door()
    for visit in busy(entrance, clock, 100, 50):
        visit.end()
    clock.now += 3600
    for _ in range(70):
        entrance.enter(deadlines.Caller(clock.now + 2))


def test_a_server_that_has_not_been_busy_yet_refuses_nobody(clock):
    """How quick it is nobody knows."""
    entrance = Door()
    for _ in range(1000):
        entrance.enter(deadlines.Caller(clock.now + 0.001))
