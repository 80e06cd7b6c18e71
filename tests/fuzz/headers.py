"""A drawn film under 10,000 mutated DICOM headers: never silently another picture.

``python tests/fuzz/headers.py [COUNT]`` prints what came of them and ends with 1 where a header led
to another picture without a caution. ``tests/client/test_odd_headers.py`` tries 300.
"""

from __future__ import annotations

import sys
import time
from collections import Counter

import tests_path  # noqa: F401
from hypothesis import HealthCheck, Phase, given, settings

from support import mutated_headers

COUNT = 10_000


def main() -> None:
    """Judge them all; print counts."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else COUNT
    outcomes: Counter[str] = Counter()
    faults: set[str] = set()
    slowest_s = 0.0

    @given(mutated_headers.HEADERS)
    @settings(
        max_examples=count,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    def judged(elements: list[mutated_headers.Element]) -> None:
        nonlocal slowest_s
        started = time.perf_counter()
        fault = mutated_headers.judge(elements)
        slowest_s = max(slowest_s, time.perf_counter() - started)
        outcomes["silently another picture" if fault else "right, cautioned or refused"] += 1
        if fault:
            faults.add(fault)

    judged()
    for outcome, number in outcomes.items():
        print(f"{number:6} {outcome}")
    print(f"slowest {slowest_s:.2f} s")
    for fault in sorted(faults)[:20]:
        print(fault)
    sys.exit(bool(faults))


if __name__ == "__main__":
    main()
