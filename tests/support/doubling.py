"""A session that doubles and remembers what it was asked, for tests of the engine's queues."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import tensorflow as tf

from support.patience import patience


def signature(inputs: Sequence[str] = ("a:0",), outputs: Sequence[str] = ("y:0",)) -> Any:
    """A signature of these tensors."""
    made = tf.compat.v1.MetaGraphDef().signature_def["x"]
    for name in inputs:
        made.inputs[name].name = name
    for name in outputs:
        made.outputs[name].name = name
    return made


class Doubling:
    """A session that doubles its first input, and remembers what it was given.

    It waits for ``gate`` where there is one, and answers with ``fault`` where that is set.
    """

    def __init__(
        self,
        answer: Callable[[Mapping[str, Any]], Any] | None = None,
        gate: threading.Event | None = None,
    ) -> None:
        self.seen: list[Mapping[str, Any]] = []
        self.fetched: list[Sequence[str]] = []
        self.fault: Exception | None = None
        self._answer = answer or (lambda feeds: next(iter(feeds.values())) * 2)
        self.gate = gate
        self._lock = threading.Lock()
        self.entered = threading.Event()

    def run(self, feeds: Mapping[str, Any], fetches: Sequence[str]) -> list[Any]:
        """Double, or fail."""
        with self._lock:
            self.seen.append(feeds)
            self.fetched.append(fetches)
        self.entered.set()
        if self.gate is not None:
            assert self.gate.wait(patience(60))
        if self.fault is not None:
            raise self.fault
        return [self._answer(feeds) for _ in fetches]

    def close(self) -> None:
        """Nothing to release."""

    @property
    def sizes(self) -> list[int]:
        """The rows of each run."""
        return [len(next(iter(feeds.values()))) for feeds in self.seen]
