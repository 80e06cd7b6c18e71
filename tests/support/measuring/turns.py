"""How the benchmarks measure: actions in turns, medians beside the first, which is the floor."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping

Action = Callable[[], object]


def milliseconds(action: Action, clock: Callable[[], float] = time.perf_counter) -> float:
    """How long ``action`` takes."""
    started = clock()
    action()
    return (clock() - started) * 1000


def in_turns(
    actions: Mapping[str, Action],
    rounds: int,
    clock: Callable[[], float] = time.perf_counter,
) -> dict[str, float]:
    """The median milliseconds of each action, taken in turns after a warm-up.

    By ``time.process_time`` they are the CPU of this process, all its threads together.
    """
    for action in actions.values():
        for _ in range(3):
            action()
    times: dict[str, list[float]] = {name: [] for name in actions}
    for _ in range(rounds):
        for name, action in actions.items():
            times[name].append(milliseconds(action, clock))
    return {name: statistics.median(found) for name, found in times.items()}


def show(title: str, found: Mapping[str, float], unit: str = "ms") -> None:
    """Print each figure beside the first, the floor."""
    print(title)
    floor = next(iter(found.values()))
    for number, (name, value) in enumerate(found.items()):
        added = f"{value - floor:+.3f} {unit}" if number else "floor"
        print(f"  {name:42} {value:9.3f} {unit}  {value / floor:6.2f} x  {added}")
