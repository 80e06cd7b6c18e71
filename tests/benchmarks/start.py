"""How long ``neumo serve`` takes from nothing to ready, and where the time goes.

``python tests/benchmarks/start.py [CHECKOUT]``: with another checkout the two start in turns, and
the ratio of their medians is printed. The stages are those that the server's own lines tell.
"""

from __future__ import annotations

import os
import re
import socket
import statistics
import subprocess
import sys
import time

import tests_path  # noqa: F401

from support.places import ROOT

PROGRAM = """
import sys
try:
    from neumo_serving.commands.serve import main
except ModuleNotFoundError:
    from neumo_serving.command import main
sys.exit(main(sys.argv[1:]))
"""
"""The command by its module: an entry point is of the checkout that is installed."""
TURNS = int(os.environ.get("TURNS", "7"))
STAGE = re.compile(
    r"neumo serve: (?P<name>[\w ,]+?)(?: is available, after|:) (?P<seconds>[\d.]+) s$"
)


def free_port() -> int:
    """A port that nothing listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def start(checkout: str) -> tuple[float, float, float, dict[str, float]]:
    """Seconds to the first line, to ready and of CPU, and those of each stage."""
    path = os.pathsep.join(f"{checkout}/{room}" for room in ("client", "serving"))
    ports = (f"--port={free_port()}", f"--rest_api_port={free_port()}")
    began = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, *ports],
        env=os.environ | {"PYTHONPATH": path},
        stderr=subprocess.PIPE,
        text=True,
    )
    first, ready, stages = 0.0, 0.0, {}
    assert process.stderr is not None
    for line in process.stderr:
        first = first or time.perf_counter() - began
        if found := STAGE.search(line.rstrip()):
            stages[found["name"]] = float(found["seconds"])
        if "ready: " in line:
            ready = time.perf_counter() - began
            break
    process.kill()
    used = os.wait4(process.pid, 0)[2]
    process.returncode = 0
    return first, ready, used.ru_utime + used.ru_stime, stages


def main() -> None:
    """Start each checkout in turns."""
    checkouts = [str(ROOT), *sys.argv[1:]]
    found: dict[str, list[tuple[float, float, float, dict[str, float]]]] = {
        one: [] for one in checkouts
    }
    for turn in range(TURNS + 1):
        for checkout in checkouts:
            told = start(checkout)
            # The first reads files that the others find in memory.
            if turn:
                found[checkout].append(told)
    ready, cpu = {}, {}
    for checkout, turns in found.items():
        first, ready[checkout], cpu[checkout] = (
            statistics.median(one[place] for one in turns) for place in range(3)
        )
        print(f"{checkout}: ready after {ready[checkout]:.2f} s, {cpu[checkout]:.2f} s of CPU")
        print(f"  {'the first line':42} {first:5.2f} s")
        for name in turns[0][3]:
            print(f"  {name:42} {statistics.median(one[3][name] for one in turns):5.2f} s")
    for other in checkouts[1:]:
        wall, work = (times[checkouts[0]] / times[other] for times in (ready, cpu))
        print(f"{wall:.0%} of the time of {other}, {work:.0%} of its CPU")


if __name__ == "__main__":
    main()
