"""Send malformed requests to an embedded server for a while: ``make fuzz``.

It must live, refuse properly, go on answering what is valid, and not grow. The exit status is 1
where it does not.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from random import Random

TESTS = Path(__file__).parents[1]
sys.path += [str(TESTS), str(TESTS / "serving")]

import grpc_attempts  # noqa: E402
import rest_attempts  # noqa: E402
import servers  # noqa: E402
from attempts import Attempt, Maker  # noqa: E402
from judging import judge  # noqa: E402
from rows import GrpcRow, RestRow, Row  # noqa: E402
from sending import Connection  # noqa: E402
from tally import Tally, report, rss_kib  # noqa: E402

from toys import MODEL, predict_request  # noqa: E402

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
    return servers.wait_until_ready(servers.start("", servers.flags_of(servers.PLAIN, folder)))


def main() -> int:
    """Read the command line, fuzz, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--requests", type=int, default=100_000)
    parser.add_argument("--seconds", type=float, default=600.0, help="how long it shall take")
    parser.add_argument("--clients", type=int, default=8)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        server = started(Path(folder))
        began = time.monotonic()
        tally = fuzz(server, options.requests, options.seconds, options.clients, options.seed)
        tally.check_growth()
        print(report(tally, time.monotonic() - began))
        server.stop()
    return 1 if tally.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
