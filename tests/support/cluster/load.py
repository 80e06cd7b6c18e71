"""Constant load on a model server by the SDK, from a pod of an application.

    python load.py URL CLIENTS FILMS_A_SECOND RETRIES

Until its standard input ends; each second it prints what came of the films, a JSON list.
"""

from __future__ import annotations

import json
import queue
import sys
import threading
import time
from typing import Any

import numpy as np

import neumo
from neumo.release import phantom

TIMEOUT_S = 30.0


def outcome(client: neumo.Client, film: Any) -> dict[str, Any]:
    """One prediction, or why there is none."""
    at, started = time.time(), time.monotonic()
    try:
        answer = client.predict(film)
    except neumo.NeumoError as error:
        return {"at": at, "failure": f"{type(error).__name__}: {error}"}
    return {
        "at": at,
        "release": answer.release,
        "members": [[one.version, one.probability] for one in answer.members],
        "seconds": time.monotonic() - started,
    }


def ask(
    url: str, retries: int, pause_s: float, ended: threading.Event, said: queue.Queue[Any]
) -> None:
    """Ask about a film every ``pause_s``, or as fast as answers come."""
    film = phantom.draw(1, 1)[0]
    with neumo.Client(url, timeout=TIMEOUT_S, retries=retries) as client:
        due = time.monotonic()
        while not ended.is_set():
            said.put(outcome(client, film))
            due = max(due + pause_s, time.monotonic() - pause_s)
            time.sleep(max(0.0, due - time.monotonic()))
        said.put({"picture": screened(client)})


def screened(client: neumo.Client) -> str:
    """What a client that has met everything makes of a chess board: ``refused``, if it is right."""
    y, x = np.mgrid[0:256, 0:256]
    try:
        found = client.predict(((x // 16 + y // 16) % 2 * 255).astype(np.uint8))
    except neumo.NotAChestRadiograph:
        return "refused"
    except neumo.NeumoError as error:
        return f"{type(error).__name__}: {error}"
    return f"{found.label} by release {found.release}, screened: {found.screened}"


def report(said: queue.Queue[Any]) -> None:
    """Print what was said since the last time."""
    outcomes = [said.get() for _ in range(said.qsize())]
    sys.stdout.write(json.dumps(outcomes) + "\n")
    sys.stdout.flush()


def main(url: str, clients: str, films_a_second: str, retries: str) -> None:
    """Ask until told to end."""
    ended, said = threading.Event(), queue.Queue[Any]()
    pause_s = int(clients) / float(films_a_second)
    asking = [
        threading.Thread(target=ask, args=(url, int(retries), pause_s, ended, said))
        for _ in range(int(clients))
    ]
    for one in asking:
        one.start()

    def listen() -> None:
        sys.stdin.read()
        ended.set()

    threading.Thread(target=listen, daemon=True).start()
    while not ended.wait(1.0):
        report(said)
    for one in asking:
        one.join()
    report(said)


if __name__ == "__main__":
    main(*sys.argv[1:])
