"""A client that was made or used before a fork: each process has connections of its own.

A film's probability is its mean grey, so that an answer to another film is seen.
"""

from __future__ import annotations

import asyncio
import io
import os
import re
import signal
import subprocess
import sys
import threading
import time
import urllib.request
import warnings
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from importlib.metadata import version

import numpy as np
import pytest
from PIL import Image

import neumo
from neumo._transports import grpc_channels
from neumo.testing import FakeTransport, answering
from support.fake_clients import RESIDUAL, TUNED
from support.grey_servers import served_by_grpc, served_by_rest
from support.patience import patience

GRPC = tuple(int(part) for part in version("grpcio").split(".")[:2])
pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system knows no fork")

TRANSPORTS = [("grpc", served_by_grpc), ("http", served_by_rest)]
GREYS = range(20, 240, 40)


@pytest.fixture(autouse=True)
def survivable(request):
    """Old gRPC ends a child that frees what other tests left: there, other processes fork."""
    if GRPC < (1, 80) and "application" not in request.fixturenames:
        pytest.skip("gRPC before 1.80 ends a child that collects other tests' channels")


@pytest.fixture(params=TRANSPORTS, ids=["grpc", "rest"], scope="module")
def url(request):
    """A server of either transport in a process of its own: this one forks."""
    with ExitStack() as stack:
        yield f"{request.param[0]}://127.0.0.1:{stack.enter_context(apart(request.param[1]))}"


class apart:  # noqa: N801 - used as a function
    """``served`` in another process; the port."""

    def __init__(self, served):
        code = (
            "import sys; from support.grey_servers import *\n"
            f"with {served.__name__}(GreyServer('127.0.0.1')) as port:\n"
            "    print(port, flush=True); sys.stdin.read()"
        )
        self._command = [sys.executable, "-c", code]

    def __enter__(self):
        paths = os.pathsep.join(path for path in sys.path if path)
        self._process = subprocess.Popen(
            self._command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": paths},
        )
        return int(self._process.stdout.readline())

    def __exit__(self, *_):
        self._process.communicate()


def film(grey):
    """A PNG of one grey, which is read on a thread."""
    held = io.BytesIO()
    Image.fromarray(np.full((256, 256), grey, np.uint8)).save(held, "PNG")
    return held.getvalue()


FILMS = {grey: film(grey) for grey in GREYS}


def wrong(predict):
    """How many of all films get another film's answer."""
    return sum(abs(predict(data).probability - grey / 255) > 1e-4 for grey, data in FILMS.items())


async def wrong_async(client):
    """The same, all films at the same time."""
    answers = await asyncio.gather(*map(client.predict, FILMS.values()))
    return sum(
        abs(answer.probability - grey / 255) > 1e-4
        for grey, answer in zip(FILMS, answers, strict=True)
    )


class Children:
    """Forked processes, each of which runs a function to its end; killed where they hang."""

    def __init__(self):
        self._running = []

    def fork(self, work):
        """Run ``work`` in a child: 0 is right."""
        with warnings.catch_warnings():
            # Python 3.12 warns of every fork of a process with threads: that is what is tested.
            warnings.simplefilter("ignore", DeprecationWarning)
            pid = os.fork()
        if pid:
            self._running.append(pid)
            return
        status = 99
        try:
            status = int(work())
        except BaseException as error:  # noqa: BLE001 - the parent is told by the status
            os.write(2, f"in the child: {error!r}\n".encode())
        finally:
            os._exit(status)

    def statuses(self):
        """Each child's status; "hung" for one that did not end."""
        return [self._status(pid) for pid in self._running]

    def _status(self, pid):
        until = time.monotonic() + patience(30)
        while time.monotonic() < until:
            done, status = os.waitpid(pid, os.WNOHANG)
            if done:
                return os.waitstatus_to_exitcode(status)
            time.sleep(0.01)
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        return "hung"


@pytest.mark.parametrize("times", range(5))
def test_children_and_parent_never_read_each_others_answers(url, times):
    """Of a client that was used before, all at the same time."""
    with neumo.Client(url, timeout=patience(20)) as client:
        assert wrong(client.predict) == 0
        children = Children()
        for _ in range(3):
            children.fork(lambda: wrong(client.predict))
        assert wrong(client.predict) == 0
        assert children.statuses() == [0, 0, 0]
        assert wrong(client.predict) == 0  # nor have they closed what is the parent's


@pytest.mark.parametrize("times", range(3))
def test_a_fork_while_other_threads_ask(url, times):
    """No child hangs in the start of a call, and no call of the parent fails."""
    ended, faults = threading.Event(), []

    def ask(client):
        while not ended.is_set():
            faults.append(wrong(client.predict))

    with neumo.Client(url, timeout=patience(20)) as client:
        threads = [threading.Thread(target=ask, args=(client,)) for _ in range(3)]
        for thread in threads:
            thread.start()
        children = Children()
        for _ in range(8):
            time.sleep(0.03)
            children.fork(lambda: wrong(client.predict))
        statuses = children.statuses()
        ended.set()
        for thread in threads:
            thread.join()
    assert statuses == [0] * 8
    assert len(faults) >= 3
    assert set(faults) == {0}


def test_a_fork_waits_for_calls_that_end_and_not_for_ever(monkeypatch):
    """One that a silent server never answers delays it by some seconds at the most."""
    call = object()
    grpc_channels.UNDER_WAY.add(call)
    ending = threading.Timer(0.05, grpc_channels.UNDER_WAY.discard, [call])
    ending.start()
    children = Children()
    children.fork(lambda: 0)
    assert not ending.is_alive()
    monkeypatch.setattr(grpc_channels, "FORK_WAITS_S", 0.05)
    grpc_channels.UNDER_WAY.add(call)
    try:
        children.fork(lambda: len(grpc_channels.UNDER_WAY))
    finally:
        grpc_channels.UNDER_WAY.discard(call)
    assert children.statuses() == [0, 0]


def test_a_child_of_a_child(url):
    """Each generation makes its own."""

    def work():
        status = wrong(client.predict)
        children = Children()
        children.fork(lambda: wrong(client.predict))
        return status or children.statuses() != [0]

    with neumo.Client(url, timeout=patience(20)) as client:
        client.predict(FILMS[20])
        children = Children()
        children.fork(work)
        assert children.statuses() == [0]


def test_a_client_that_was_made_and_not_used(url):
    """As under ``gunicorn --preload``: made in the master, used in the workers."""
    blocking = neumo.Client(url, timeout=patience(20))
    awaiting = neumo.AsyncClient(url, timeout=patience(20))
    children = Children()
    for _ in range(3):
        children.fork(lambda: wrong(blocking.predict))
        children.fork(lambda: asyncio.run(wrong_async(awaiting)))
    assert children.statuses() == [0] * 6
    blocking.close()
    asyncio.run(awaiting.close())


def test_an_async_client_that_was_used_on_a_loop_that_has_ended(url):
    """And is not closed."""
    client = neumo.AsyncClient(url, timeout=patience(20))
    for _ in range(2):
        assert asyncio.run(wrong_async(client)) == 0
        children = Children()
        for _ in range(3):
            children.fork(lambda: asyncio.run(wrong_async(client)))
        assert children.statuses() == [0, 0, 0]
    assert asyncio.run(wrong_async(client)) == 0
    asyncio.run(client.close())


def test_an_async_client_whose_loop_is_running_at_the_fork(url):
    """Its calls go on in the parent; the child's go over threads, which gRPC's asyncio survives."""

    async def ask():
        async with neumo.AsyncClient(url, timeout=patience(20)) as client:
            assert await wrong_async(client) == 0
            under_way = asyncio.create_task(wrong_async(client))
            await asyncio.sleep(0)
            children = Children()
            for _ in range(3):
                children.fork(lambda: in_thread(lambda: asyncio.run(wrong_async(client))))
            assert await under_way == 0
            statuses = await asyncio.to_thread(children.statuses)
            assert await wrong_async(client) == 0
            return statuses

    assert asyncio.run(ask()) == [0, 0, 0]


def in_thread(work):
    """What ``work`` returns, on a thread without an event loop."""
    results = []
    thread = threading.Thread(target=lambda: results.append(work()))
    thread.start()
    thread.join()
    return results[0]


APPLICATION = '''
import io, sys
import numpy as np
from PIL import Image
import neumo

def film(grey):
    held = io.BytesIO()
    Image.fromarray(np.full((256, 256), grey, np.uint8)).save(held, "PNG")
    return held.getvalue()

GREYS = list(range(20, 240, 20))
FILMS = {grey: film(grey) for grey in GREYS}
client = neumo.Client(URL, timeout=60.0)
client.predict(FILMS[20])

def grey_of(grey):
    """The film's grey by its answer, whichever process this is."""
    return round(client.predict(FILMS[grey]).probability * 255)
'''
"""An application with a client of its own, which it has used before its processes are made."""


@pytest.fixture
def application(url, tmp_path):
    """Writes the application and ``more`` of it as ``application.py``, and runs commands there."""

    def run(more, *command, **options):
        text = f"URL = {url!r}\n{APPLICATION}\n{more}"
        (tmp_path / "application.py").write_text(text, encoding="utf-8")
        paths = os.pathsep.join([str(tmp_path), *(path for path in sys.path if path)])
        return subprocess.Popen(
            [sys.executable, *command],
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": paths},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            **options,
        )

    return run


@pytest.mark.parametrize("method", ["fork", "forkserver", "spawn"])
def test_a_pool_of_processes(application, method):
    """By each way in which Python starts them."""
    more = f"""
if __name__ == "__main__":
    import multiprocessing
    with multiprocessing.get_context({method!r}).Pool(3) as pool:
        print("answers", pool.map(grey_of, GREYS * 3, chunksize=1) == GREYS * 3)
    print("parent", [grey_of(grey) for grey in GREYS] == GREYS)
"""
    said, _ = application(more, "application.py").communicate(timeout=patience(120))
    assert "answers True" in said, said
    assert "parent True" in said, said


def test_gunicorn_with_preload(application, tmp_path):
    """The master makes the client and uses it, its workers are forked."""
    more = """
def app(environ, start_response):
    grey = int(environ["PATH_INFO"].strip("/"))
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [str(grey_of(grey)).encode()]
"""
    command = ["-m", "gunicorn", "--preload", "--workers=3", "--threads=2", "--bind=127.0.0.1:0"]
    process = application(more, *command, "application:app")
    try:
        for line in process.stdout:
            if found := re.search(r"Listening at: (http://\S+)", line):
                break
        else:
            pytest.fail("gunicorn ended")
        drained = threading.Thread(target=process.stdout.read)
        drained.start()

        def ask(grey):
            with urllib.request.urlopen(  # noqa: S310 - our own server
                f"{found[1]}/{grey}", timeout=patience(60)
            ) as answer:
                return int(answer.read())

        with ThreadPoolExecutor(6) as pool:
            assert list(pool.map(ask, list(GREYS) * 6)) == list(GREYS) * 6
    finally:
        process.terminate()
        process.wait(patience(30))
    drained.join()
    process.stdout.close()


def test_the_pool_that_celery_prefork_is(application):
    """Celery forks its workers by billiard; Celery itself does not go with kubernetes' client."""
    more = """
if __name__ == "__main__":
    from billiard.context import ForkContext
    with ForkContext().Pool(3) as pool:
        print("answers", pool.map(grey_of, GREYS * 3, chunksize=1) == GREYS * 3)
    print("parent", [grey_of(grey) for grey in GREYS] == GREYS)
"""
    said, _ = application(more, "application.py").communicate(timeout=patience(120))
    assert "answers True" in said, said
    assert "parent True" in said, said


@pytest.mark.parametrize("answered", [False, True], ids=["made", "used"])
def test_films_are_read_in_a_child(answered):
    """The readers' threads are not there: a child has its own."""
    fake = FakeTransport(answering({TUNED: 0.75, RESIDUAL: 0.125}))
    client = neumo.Client(transport=fake, timeout=patience(5))
    if answered:
        list(client.predict_many([FILMS[20]] * 40))
    children = Children()
    children.fork(lambda: client.predict(FILMS[20]).probability != 0.4375)
    children.fork(lambda: len(list(client.predict_many([FILMS[20]] * 40))) != 40)
    assert children.statuses() == [0, 0]
    assert client.predict(FILMS[20]).probability == 0.4375
    client.close()


def test_a_client_that_was_closed_before_the_fork_is_closed_in_the_child(url):
    """It does not come to life again."""

    def work():
        try:
            client.predict(np.zeros((64, 64), np.uint8))
        except neumo.ConfigError:
            return 0
        return 1

    client = neumo.Client(url, timeout=patience(10))
    client.predict(FILMS[20])
    client.close()
    children = Children()
    children.fork(work)
    assert children.statuses() == [0]


def test_a_child_that_closes_its_client_closes_nothing_of_the_parents(url):
    """Nor does one that ends without."""

    def work():
        status = wrong(client.predict)
        client.close()
        return status

    with neumo.Client(url, timeout=patience(20), retries=0) as client:
        assert wrong(client.predict) == 0
        children = Children()
        children.fork(work)
        assert children.statuses() == [0]
        assert wrong(client.predict) == 0
