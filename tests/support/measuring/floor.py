"""The floor: SavedModels of the newest release in a process of their own, without a server.

A benchmark asks it in turns with what it measures, at the batch size that was reached there.
"""

from __future__ import annotations

import functools
import json
import os
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

from neumo import contract
from neumo.release import phantom

CALLERS = (1, 2)
WARM_UP = 3
LOOKS = 3

THREADS = (0, 1)
"""Of one operation; 0 is as many as there are cores."""

Floor = Callable[[float], dict[str, float]]
"""Of a batch size: ``rate`` in films a second, with as many callers and threads as do best, and
their CPU in ``cpu_ms`` a film."""


Way = tuple[Callable[[float, int, float], dict[str, float]], int]
"""A process, and how many callers it has."""


@contextmanager
def of(models: Sequence[str], seconds: float) -> Iterator[Floor]:
    """What measures ``models`` for ``seconds`` at a time, each film by all of them.

    Which way is best is tried out once for each batch size: the best of several short looks at
    each time would be the luckiest, which what is measured beside it has no chance to be.
    """
    with ExitStack() as stack:
        asks = [stack.enter_context(_process(models, n)) for n in THREADS]
        ways: list[Way] = [(ask, callers) for ask in asks for callers in CALLERS]

        @functools.cache
        def best(size: int) -> Way:
            def typical(way: Way) -> float:
                ask, callers = way
                return statistics.median(ask(size, callers, 1.0)["rate"] for _ in range(LOOKS))

            return max(ways, key=typical)

        def measured(size: float) -> dict[str, float]:
            ask, callers = best(round(size))
            return ask(round(size), callers, seconds)

        for ask in asks:  # They answer when all is loaded.
            ask(1, 1, 0.1)
        yield measured


@contextmanager
def _process(
    models: Sequence[str], threads: int
) -> Iterator[Callable[[float, int, float], dict[str, float]]]:
    command = [sys.executable, __file__, str(threads), *models]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True) as process:
        assert process.stdout is not None
        answers = process.stdout

        def ask(size: float, callers: int, seconds: float) -> dict[str, float]:
            print(json.dumps([size, callers, seconds]), file=process.stdin, flush=True)
            found: dict[str, float] = json.loads(answers.readline())
            return found

        yield ask
        process.communicate("")


def main(threads: int, models: Sequence[str]) -> None:
    """For each line on stdin, batch size, callers and seconds: print what was measured, as JSON."""
    import tensorflow as tf

    from neumo_serving.config import shipped_release

    tf.config.threading.set_intra_op_parallelism_threads(threads)
    folders = shipped_release.folders()
    loaded = [tf.saved_model.load(str(folders[name])) for name in models]
    signatures = [one.signatures[contract.SERVING_DEFAULT] for one in loaded]
    for line in sys.stdin:
        size, callers, seconds = json.loads(line)
        images = tf.constant(phantom.draw(1, size))

        def every(images: tf.Tensor = images) -> None:
            for signature in signatures:
                signature(image=images)

        print(json.dumps(_measured(every, size, callers, seconds)), flush=True)


def _measured(
    call: Callable[[], None], size: int, callers: int, seconds: float
) -> dict[str, float]:
    for _ in range(WARM_UP):
        call()
    counts = [0] * callers
    until = time.perf_counter() + seconds

    def loop(number: int) -> None:
        while time.perf_counter() < until:
            call()
            counts[number] += size

    threads = [threading.Thread(target=loop, args=(number,)) for number in range(callers)]
    started, used = time.perf_counter(), time.process_time()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    took, used = time.perf_counter() - started, time.process_time() - used
    return {"rate": sum(counts) / took, "cpu_ms": used / sum(counts) * 1000}


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2:])
