"""kill -9 at random moments of loading, swapping and serving; every restart has to answer.

Exits with an error where a server does not get ready again, or where a version that is only half
there answers.

    python tests/benchmarks/kills.py [--kills 20] [--seed 1]
"""

from __future__ import annotations

import argparse
import os
import tempfile
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
import tests_path  # noqa: F401

from support.kill_rounds import rounds
from support.toy_model import save_toy


def main() -> None:
    """Print what each round did."""
    parser = argparse.ArgumentParser(description="kill -9 and restart")
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        source = save_toy(Path(folder), 1)
        for number, did in enumerate(rounds(Path(folder), source, options.kills, options.seed), 1):
            print(f"  {number:3} {did}")
    print(f"{options.kills} kills, every restart answered")


if __name__ == "__main__":
    main()
