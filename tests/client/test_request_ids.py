"""One id for each prediction: with every call, in the answer, in errors and in the log."""

from __future__ import annotations

import asyncio
import logging
import subprocess
import sys
import threading
from contextlib import ExitStack
from functools import partial

import pytest

import neumo
from neumo import settings
from neumo.testing import FakeTransport, answering, failing
from support.fake_clients import FILM, LUNGS, RESIDUAL, TUNED
from support.grey_servers import GreyServer, served_by_grpc, served_by_rest
from support.patience import patience

WORKING = answering({TUNED: 0.75, RESIDUAL: 0.125, LUNGS: 1.0})


@pytest.fixture(params=[("grpc", served_by_grpc), ("http", served_by_rest)], ids=["grpc", "rest"])
def served(request):
    """A server of either transport, and its URL."""
    scheme, serve = request.param
    server = GreyServer("127.0.0.1")
    with ExitStack() as stack:
        yield server, f"{scheme}://127.0.0.1:{stack.enter_context(serve(server))}"


def blocking(url, options, work):
    """What ``work`` gives of a client that blocks."""
    with neumo.Client(url, **options) as client:
        return work(client)


def awaiting(url, options, work):
    """The same of one that awaits."""

    async def run():
        async with neumo.AsyncClient(url, **options) as client:
            return await work(client)

    return asyncio.run(run())


@pytest.fixture(params=[blocking, awaiting])
def ask(request):
    """Both clients."""
    return request.param


def predicting(client, film, request_id):
    """What the client says, or will say."""
    return client.predict(film, request_id=request_id)


def ids(server):
    """The ids of the calls that ``server`` got, each once."""
    return {headers.get("x-request-id") for headers in server.headers}


@pytest.mark.parametrize("options", [{}, {"hedge": 30}], ids=["plain", "hedged"])
def test_each_prediction_has_an_id_that_goes_with_every_call(served, ask, options):
    """A new one for each, of 32 hexadecimal digits."""
    server, url = served
    seen = []
    for _ in range(2):
        server.headers.clear()
        found = ask(url, options, lambda client: client.predict(FILM))
        assert ids(server) == {found.request_id}
        seen.append(found.request_id)
    assert len(set(seen)) == 2
    assert all(len(one) == 32 and int(one, 16) for one in seen)


def test_a_call_that_is_sent_a_second_time_has_it_too(served, ask):
    """Though another thread sends it."""
    server, url = served
    came, both_again = [], threading.Event()

    def before():
        came.append(True)
        if len(came) == 4:  # the members' calls, each of them twice
            both_again.set()
        assert both_again.wait(patience(20))

    server.before = before
    found = ask(url, {"hedge": 0.05, "timeout": 600}, lambda client: client.predict(FILM))
    assert ids(server) == {found.request_id}


@pytest.mark.parametrize("what", ["predict", "explain"])
def test_the_caller_may_give_it(served, ask, what):
    """It goes before that of the client's metadata."""
    server, url = served
    options = {"metadata": {"X-Request-ID": "every", "x-tenant": "a"}}

    found = ask(url, options, lambda client: getattr(client, what)(FILM, request_id="visit-7"))

    prediction = found.prediction if what == "explain" else found
    assert prediction.request_id == "visit-7"
    assert ids(server) == {"visit-7"}
    assert {headers["x-tenant"] for headers in server.headers} == {"a"}


def test_that_of_the_clients_metadata_is_every_requests(served, ask):
    """As whoever carries one request on sets it."""
    server, url = served
    options = {"metadata": {"X-Request-ID": "every"}}
    assert ask(url, options, lambda client: client.predict(FILM)).request_id == "every"
    assert ids(server) == {"every"}


def test_further_metadata_over_the_same_connections(served, ask):
    """They go with the calls of ``with_options`` alone, before the client's own."""
    server, url = served

    def tenants(client):
        other = client.with_options(metadata={"X-Tenant": "b", "x-request-id": "theirs"})
        return other.predict(FILM)

    options = {"metadata": {"x-tenant": "a", "x-place": "c"}}
    assert ask(url, options, tenants).request_id == "theirs"
    assert {(h["x-tenant"], h["x-place"]) for h in server.headers} == {("b", "c")}
    server.headers.clear()
    ask(url, options, lambda client: client.predict(FILM))
    assert {headers["x-tenant"] for headers in server.headers} == {"a"}


@pytest.mark.parametrize("kind", [neumo.Client, neumo.AsyncClient, neumo.Models, neumo.AsyncModels])
@pytest.mark.parametrize(
    ("metadata", "told"),
    [
        ({"authorization": "Bearer b"}, "give one of them"),
        ({"user-agent": "mine"}, "give it to a new client"),
        ({"näme": "a"}, "is no header's name"),
        ({"x-name": "ä"}, "not printable ASCII"),
    ],
)
def test_metadata_that_cannot_be_is_refused(kind, metadata, told):
    """A second way in, and what is the connection's."""
    client = kind(transport=FakeTransport(WORKING), token="secret")  # noqa: S106 - none
    with pytest.raises(neumo.ConfigError, match=told):
        client.with_options(metadata=metadata)


@pytest.mark.parametrize("given", ["", "two words", "ä", "a" * 201, 7])
def test_an_id_that_cannot_be_sent_is_refused(given):
    """By one line."""
    with (
        neumo.Client(transport=FakeTransport(WORKING)) as client,
        pytest.raises(neumo.ConfigError, match=r"request_id is .* printable ASCII"),
    ):
        client.predict(FILM, request_id=given)


def test_an_error_has_it(ask):
    """Also of a film that is none, and of what is no chest radiograph."""
    down = FakeTransport(failing(WORKING, 100))
    no_chest = FakeTransport(answering({TUNED: 0.5, RESIDUAL: 0.5, LUNGS: 0.0}))
    for transport, film, kind in (
        (down, FILM, neumo.Unavailable),
        (down, b"no film", neumo.ImageError),
        (no_chest, FILM, neumo.NotAChestRadiograph),
    ):
        predict = partial(predicting, film=film, request_id="v")
        with pytest.raises(kind) as caught:
            ask(None, {"transport": transport, "retries": 0}, predict)
        assert caught.value.request_id == "v"


def test_films_of_one_batch_share_it():
    """A batch is one request; each of the others has its own."""
    with neumo.Client(transport=FakeTransport(WORKING)) as client:
        found = [one.request_id for one in client.predict_many([FILM] * 4, batch_size=2)]
    assert found[0] == found[1] != found[2] == found[3]


def test_a_failure_among_many_has_it():
    """Where a server was asked; a film that cannot be read has none."""
    with neumo.Client(transport=FakeTransport(failing(WORKING, 100)), retries=0) as client:
        down, unread = client.predict_many([FILM, b"no film"])
    assert len(down.error.request_id) == 32
    assert down.to_dict()["request_id"] == down.error.request_id
    assert unread.to_dict()["request_id"] is None


def test_models_send_one_with_every_call_and_errors_have_it(served):
    """A call's metadata and its question are one request."""
    server, url = served
    with neumo.Models(url) as models:
        models.predict(TUNED, {"image": FILM[None]})
        assert len(ids(server)) == 1
        assert None not in ids(server)
        with pytest.raises(neumo.NeumoError) as caught:
            models.with_options(metadata={"x-request-id": "mine"}).metadata(TUNED, version=9)
    assert caught.value.request_id == "mine"


def test_the_log_has_it(caplog, ask):
    """Calls are said at DEBUG, faults at INFO; no film's verdict is."""
    caplog.set_level(logging.DEBUG, "neumo")
    transport = FakeTransport(failing(WORKING, 1))
    ask(None, {"transport": transport}, lambda client: client.predict(FILM, request_id="visit-7"))
    told = [(record.levelname, record.getMessage()) for record in caplog.records]
    assert {level for level, _ in told} == {"DEBUG", "INFO"}
    assert all(text.endswith("request visit-7") for _, text in told)
    assert any(f"Predict of {LUNGS} answered in" in text for _, text in told)
    assert not any(verdict in text for _, text in told for verdict in ("NORMAL", "0.4375"))


def test_the_environment_turns_the_log_on():
    """On stderr, where the application has no handler; nothing without it."""
    code = (
        "import neumo, numpy as np\n"
        "from neumo.testing import FakeTransport, answering\n"
        f"answers = FakeTransport(answering({{{TUNED!r}: 0.5, {RESIDUAL!r}: 0.5}}))\n"
        "neumo.Client(transport=answers).predict(np.zeros((256, 256), np.uint8), request_id='v7')\n"
    )

    def said(**environ):
        done = subprocess.run(
            [sys.executable, "-c", code], env=environ, capture_output=True, text=True, check=True
        )
        return done.stderr

    assert "DEBUG Predict of pneumonia_tuned answered in" in said(NEUMO_LOG="debug")
    assert "request v7" in said(NEUMO_LOG="debug")
    assert said() == ""
    with pytest.raises(neumo.ConfigError, match="NEUMO_LOG is 'loud': give debug, info"):
        settings.start_log({"NEUMO_LOG": "loud"})
