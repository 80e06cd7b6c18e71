"""Send malformed requests to an embedded server for a while: ``make fuzz``.

It must live, refuse properly, go on answering what is valid, and not grow. The exit status is 1
where it does not.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
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

from toys import MODEL, predict_request  # noqa: E402

REST_SHARE = 0.5
VALID_EVERY = 50
EARLY_SHARE = 0.1
LARGEST_GROWTH = 1.1
SHOWN_WRONG = 20
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


@dataclass(slots=True)
class Tally:
    """What came back: outcomes, violations, how long each took; ``valid`` were answered right."""

    outcomes: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)
    seconds: list[tuple[float, str]] = field(default_factory=list)
    valid: int = 0
    rss_kib: dict[str, int] = field(default_factory=dict)

    @property
    def sent(self) -> int:
        """How many malformed requests have been sent."""
        return sum(self.outcomes.values())


def fuzz(server: servers.Process, count: int, span_s: float, clients: int, seed: int) -> Tally:
    """Send ``count`` requests from ``clients`` connections, spread over ``span_s`` seconds."""
    tally, lock = Tally(), threading.Lock()
    start = time.monotonic()

    def client(number: int) -> None:
        rng = Random(f"{seed}/{number}")
        connection = Connection(server.endpoint.grpc, server.endpoint.rest)
        for turn in range(number, count, clients):
            time.sleep(max(0.0, start + span_s * turn / count - time.monotonic()))
            _one_turn(connection, server, rng, turn, tally, lock)
            if server.process.poll() is not None:
                break
        connection.close()

    threads = [threading.Thread(target=client, args=(number,)) for number in range(clients)]
    for thread in threads:
        thread.start()
    _watch_memory(threads, server, tally, count)
    if server.process.poll() is not None:
        tally.wrong.append(f"the server ended; it said: {server.said()[-500:]}")
    return tally


def _one_turn(
    connection: Connection,
    server: servers.Process,
    rng: Random,
    turn: int,
    tally: Tally,
    lock: threading.Lock,
) -> None:
    attempt = made(rng)
    began = time.monotonic()
    verdict = connection.send(attempt)
    took = time.monotonic() - began
    with lock:
        tally.outcomes[verdict.outcome] += 1
        tally.seconds.append((took, attempt.kind))
        if verdict.wrong:
            tally.wrong.append(f"turn {turn}, {attempt.kind}: {verdict.wrong}")
    if turn % VALID_EVERY == 0:
        _ask_valid(server, turn, tally, lock)


def made(rng: Random) -> Attempt:
    """The next malformed request."""
    makers = rest_attempts.MAKERS if rng.random() < REST_SHARE else grpc_attempts.MAKERS
    chosen: Maker = rng.choices([one for one, _ in makers], [weight for _, weight in makers])[0]
    return chosen(rng)


def _ask_valid(server: servers.Process, turn: int, tally: Tally, lock: threading.Lock) -> None:
    for row in VALID:
        try:
            judge(row, server.endpoint)
        except Exception as error:  # noqa: BLE001 - whatever is wrong, it is what is looked for
            with lock:
                tally.wrong.append(f"turn {turn}, {row.id}: not answered right: {error}")
        else:
            with lock:
                tally.valid += 1


def _watch_memory(
    threads: Sequence[threading.Thread], server: servers.Process, tally: Tally, count: int
) -> None:
    """Note the server's memory after a tenth, and at the end."""
    while any(thread.is_alive() for thread in threads):
        time.sleep(0.1)
        if "early" not in tally.rss_kib and tally.sent >= EARLY_SHARE * count:
            tally.rss_kib["early"] = rss_kib(server.process.pid)
    for thread in threads:
        thread.join()
    tally.rss_kib["end"] = rss_kib(server.process.pid)


def check_growth(tally: Tally) -> None:
    """Note it as improper where the server has grown since it had met every kind of request."""
    growth = tally.rss_kib["end"] / max(1, tally.rss_kib.get("early", 0))
    if growth > LARGEST_GROWTH:
        tally.wrong.append(f"the server's memory has grown {growth:.2f} times")


def rss_kib(pid: int) -> int:
    """Resident memory of a process; 0 where it has ended."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in lines if line.startswith("VmRSS:")), 0)


def report(tally: Tally, span_s: float) -> str:
    """What happened, for a person."""
    times = sorted(tally.seconds)
    lines = [f"{tally.sent} malformed requests in {span_s:.0f} s, {tally.valid} valid ones right"]
    lines += [f"  {outcome:28}{n:8}" for outcome, n in tally.outcomes.most_common()]
    early, end = (tally.rss_kib.get(name, 0) / 1024 for name in ("early", "end"))
    lines.append(f"  memory after a tenth {early:.0f} MiB, at the end {end:.0f} MiB")
    if times:
        median = statistics.median(took for took, _ in times)
        lines.append(f"  median {median * 1000:.1f} ms; slowest:")
        lines += [f"    {took:6.2f} s  {kind}" for took, kind in times[-5:][::-1]]
    lines.append(f"  improper: {len(tally.wrong)}")
    lines += [f"    {one}" for one in tally.wrong[:SHOWN_WRONG]]
    return "\n".join(lines)


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
        check_growth(tally)
        print(report(tally, time.monotonic() - began))
        server.stop()
    return 1 if tally.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
