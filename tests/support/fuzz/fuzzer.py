"""Send malformed requests to an embedded server for a while.

It must live, refuse properly, go on answering what is valid, and not grow.
"""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from pathlib import Path
from random import Random

from support.conformance import servers
from support.conformance.row_judge import judge
from support.conformance.rows import PLAIN, GrpcRow, RestRow, Row
from support.fuzz import grpc_attempts, rest_attempts
from support.fuzz.attempts import Attempt, Maker
from support.fuzz.connection import Connection
from support.fuzz.tally import Tally, rss_kib
from support.places import TESTS
from support.toy_model import MODEL, predict_request

REST_SHARE = 0.5
VALID_EVERY = 50
PARTS = 10
IDLE_S = 1.0
"""Before the server's memory is looked at."""
VALID: tuple[Row, ...] = (
    GrpcRow(
        "gRPC goes on",
        "Predict",
        predict_request({"x": grpc_attempts.X}),
        "fuzz",
        fields={"outputs[y].float_val": [2.0, 4.0]},
    ),
    RestRow(
        "REST goes on",
        f"/v1/models/{MODEL}:predict",
        "fuzz",
        '{"instances": [[1, 2]]}',
        answer={"predictions": [{"y": [2.0, 4.0], "version": 2}]},
    ),
)


def fuzz(server: servers.Process, count: int, span_s: float, clients: int, seed: int) -> Tally:
    """Send ``count`` requests from ``clients`` connections, spread over ``span_s`` seconds.

    They are sent in ten parts, and the server's memory is noted after each.
    """
    tally = Tally()
    start = time.monotonic()
    for part in range(PARTS):
        turns = range(count * part // PARTS, count * (part + 1) // PARTS)
        threads = [
            threading.Thread(
                target=_client,
                args=(server, turns[number::clients], f"{seed}/{part}/{number}", tally),
                kwargs={"start": start, "period_s": span_s / count},
            )
            for number in range(clients)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        time.sleep(IDLE_S if span_s else 0.0)
        tally.rss_kib.append(rss_kib(server.process.pid))
    if server.process.poll() is not None:
        tally.wrong.append(f"the server ended; it said: {server.said()[-500:]}")
    return tally


def _client(
    server: servers.Process, turns: range, seed: str, tally: Tally, *, start: float, period_s: float
) -> None:
    """Send the requests of ``turns``, each not before its time."""
    rng = Random(seed)
    connection = Connection(server.endpoint.grpc, server.endpoint.rest)
    for turn in turns:
        time.sleep(max(0.0, start + period_s * turn - time.monotonic()))
        attempt = made(rng)
        began = time.monotonic()
        tally.add(connection.send(attempt), attempt.kind, time.monotonic() - began)
        if turn % VALID_EVERY == 0:
            _ask_valid(server, tally)
        if server.process.poll() is not None:
            break
    connection.close()


def made(rng: Random) -> Attempt:
    """The next malformed request."""
    makers = rest_attempts.MAKERS if rng.random() < REST_SHARE else grpc_attempts.MAKERS
    chosen: Maker = rng.choices([one for one, _ in makers], [weight for _, weight in makers])[0]
    return chosen(rng)


def _ask_valid(server: servers.Process, tally: Tally) -> None:
    for row in VALID:
        wrong = ""
        try:
            judge(row, server.endpoint)
        except Exception as error:  # noqa: BLE001 - whatever is wrong, it is what is looked for
            wrong = f"{row.id}: not answered right: {error}"
        tally.add_valid(wrong)


def started(folder: Path) -> servers.Process:
    """An embedded server over a store of its own."""
    subprocess.run(
        [sys.executable, TESTS / "store.py", folder], check=True, stderr=subprocess.DEVNULL
    )
    return servers.wait_until_ready(servers.start("", servers.flags_of(PLAIN, folder)))
