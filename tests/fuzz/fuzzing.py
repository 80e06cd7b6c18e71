"""Send malformed requests to an embedded server for a while: ``make fuzz``.

It must live, refuse properly, go on answering what is valid, and not grow. The exit status is 1
where it does not.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path

import tests_path  # noqa: F401

from support.fuzz.fuzzer import fuzz, started
from support.fuzz.tally import report


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
