"""A browser before the gateway, and films to give it."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, nullcontext

import pytest

import neumo
from neumo.testing import FakeTransport, answering
from neumo_serving.gateway import gateway_server
from support.browser import ADULT, CHROMIUM, FLAGS, visit
from support.films import file
from support.gateway_process import UNHURRIED
from support.places import VAL


@pytest.fixture(scope="module")
def browser():
    """Chromium without a window. A module's own, because it occupies the thread's event loop."""
    if not CHROMIUM.exists():
        pytest.skip(f"no browser at {CHROMIUM}: apt-get install chromium")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield started
        started.close()


@pytest.fixture
def open_page(browser, web):
    """Opens the page of the real gateway, in Spanish where nothing else is said.

    In the end nothing may have failed in it, and it may have asked nobody but the gateway.
    """
    visits = []

    def open_one(address=web.url, path="/", **context):
        visits.append(visit(browser, address + path, **{"locale": "es-ES", **context}))
        return visits[-1]

    yield open_one
    for one in visits:
        assert one.faults == []
        assert {r.url.split("/")[2] for r in one.requests if r.url.startswith("http")} <= {
            one.page.url.split("/")[2]
        }
        one.page.context.close()


@pytest.fixture
def lungs_gateway():
    """The address of a gateway whose models answer NORMAL, and which serves the lungs."""
    scores = {"pneumonia_tuned": 0.1, "pneumonia_residual": 0.3, "lungs": 0.9}
    with in_a_thread(FakeTransport(answering(scores, threshold=0.5, release=2))) as url:
        yield url


@pytest.fixture
def divided_gateway():
    """The address of a gateway whose members disagree, and which serves no lungs, as release 1."""
    scores = {"pneumonia_tuned": 0.8, "pneumonia_residual": 0.4}
    with in_a_thread(FakeTransport(answering(scores, threshold=0.5, release=1))) as url:
        yield url


@pytest.fixture
def sure_gateway():
    """Starts a gateway whose members both answer one probability; gives its address."""
    with ExitStack() as started:

        def start(probability):
            scores = {"pneumonia_tuned": probability, "pneumonia_residual": probability}
            transport = FakeTransport(answering(scores, threshold=0.5))
            return started.enter_context(in_a_thread(transport))

        yield start


@contextmanager
def in_a_thread(transport: FakeTransport) -> Iterator[str]:
    """The address of a gateway over ``transport``, in an event loop of its own."""
    server = gateway_server.make(UNHURRIED, neumo.AsyncClient(transport=transport, retries=0))
    server.capture_signals = nullcontext  # type: ignore[method-assign] - not a thread's to catch
    with gateway_server.bound("127.0.0.1", 0) as listening:
        listening.listen()
        thread = threading.Thread(target=lambda: asyncio.run(server.serve([listening])))
        thread.start()
        try:
            yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join()


def _of_the_data_set(name):
    film = VAL / name
    if not film.exists():
        pytest.skip("the public data set is not on this machine: shared/data/chest_xray/val")
    return film


@pytest.fixture
def pneumonia_film():
    """A film of a child with pneumonia."""
    return _of_the_data_set("PNEUMONIA/person1946_bacteria_4874.jpeg")


@pytest.fixture
def normal_film():
    """A normal film, which the shipped release calls so."""
    return _of_the_data_set("NORMAL/NORMAL2-IM-1442-0001.jpeg")


@pytest.fixture
def adult_film():
    """A DICOM film of an adult."""
    return ADULT


@pytest.fixture
def drawn_film(tmp_path):
    """A drawn film, no patient's, with a warm spot; its name tells who it would be of."""
    path = tmp_path / "Garcia Lopez, Ana.png"
    path.write_bytes(file("PNG", seed=3))
    return path


@pytest.fixture
def text_file(tmp_path):
    """No film at all."""
    path = tmp_path / "informe.txt"
    path.write_text("Esto no es una radiografía.\n")
    return path
