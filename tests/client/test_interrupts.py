"""Ctrl-C ends what waits for a server, at once and with its threads."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
import time

import pytest
from PIL import Image

from neumo.release import phantom
from support.patience import patience

PROGRAMS = {
    "predict": "client.predict(films[0])",
    "predict_many": "list(client.predict_many(films))",
    "explain_many, as they come": "list(client.explain_many(films, ordered=False))",
    "in with": "with client: list(client.predict_many(films))",
    "asyncio": "asyncio.run(ask())",
}
HEAD = """
import asyncio, sys, numpy as np, neumo
films = [np.full((256, 256), grey, np.uint8) for grey in range(50)]
client = neumo.Client(sys.argv[1], timeout=600)
async def ask():
    async with neumo.AsyncClient(sys.argv[1], timeout=600) as one:
        return [answer async for answer in one.predict_many(films)]
"""


@pytest.fixture(autouse=True)
def _heard():
    """A shell starts what is in its background deaf to SIGINT, and so would be what we start."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.fixture
def silent():
    """A port that takes every connection and never says a word."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen(256)
        listening.settimeout(patience(30))
        yield listening


def seconds_to_end(command, listening):
    """How long a program lives on after SIGINT, sent while it asks, and its exit status."""
    with subprocess.Popen(
        [sys.executable, *command], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as running:
        try:
            taken = listening.accept()
            time.sleep(1.0)  # until the others ask, too
            began = time.monotonic()
            running.send_signal(signal.SIGINT)
            running.wait(patience(30))
            taken[0].close()
        finally:
            running.kill()
    return time.monotonic() - began, running.returncode


def url(scheme, listening):
    """Where the silent port is."""
    return f"{scheme}://127.0.0.1:{listening.getsockname()[1]}"


schemes = pytest.mark.parametrize("scheme", ["grpc", "http"])


@schemes
@pytest.mark.parametrize("program", PROGRAMS)
def test_a_program_that_is_interrupted_ends(silent, scheme, program):
    """Also where nobody catches it, and nobody closes the client."""
    command = ["-c", HEAD + PROGRAMS[program], url(scheme, silent)]
    seconds, _ = seconds_to_end(command, silent)
    assert seconds < patience(2.0)


@schemes
def test_neumo_predict_that_is_interrupted_ends(silent, scheme, tmp_path):
    """With the status that says so."""
    for number, film in enumerate(phantom.draw(1, 12)):
        Image.fromarray(film[:, :, 0]).save(tmp_path / f"{number}.png")
    command = ["predict", "--server", url(scheme, silent), "--timeout", "600", str(tmp_path)]
    seconds, status = seconds_to_end(["-m", "neumo.commands.program", *command], silent)
    assert seconds < patience(2.0)
    assert status == 130
