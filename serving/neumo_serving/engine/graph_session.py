"""One graph in memory and what runs it: tensors by name in, tensors by name out.

TensorFlow Serving runs every model so, with a session of TensorFlow 1, whichever TensorFlow wrote
it. The callables of ``tf.compat.v1.Session`` cost 7 µs a call; a concrete function costs 260 µs.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import numpy as np
from tensorflow.core.protobuf import config_pb2
from tensorflow.python.client.session import Session as TensorFlowSession
from tensorflow.python.framework import importer, ops

from neumo_serving import request_faults
from neumo_serving.engine.dtypes import Array

SHARED_POOL = 0
"""The pool of inter-op threads that sessions share, of as many as was configured."""

IN_CALLERS_THREAD = -1
"""The pool that is none: operations run on the thread that asks, one after the other."""

MAX_CALLABLES = 64
"""Each set of inputs and outputs is compiled once; who asks for many sets must not fill memory."""


class Session(Protocol):
    """What runs a graph."""

    def run(self, feeds: Mapping[str, Array], fetches: Sequence[str]) -> list[Any]:
        """The tensors named ``fetches`` for the ``feeds`` by name; raises ``Fault``."""

    def close(self) -> None:
        """Give the memory back; nothing may run any more."""


class GraphSession:
    """A session of its own graph; ``pool`` is the thread pool that operations run on."""

    def __init__(self, config: config_pb2.ConfigProto, pool: int = IN_CALLERS_THREAD) -> None:
        self.graph = ops.Graph()
        self._pool = pool
        self._session: Any = TensorFlowSession(graph=self.graph, config=config)
        self._callable = functools.lru_cache(MAX_CALLABLES)(self._compiled)

    def extend(self, graph_def: Any) -> None:
        """Add the operations of ``graph_def``; raises ``Fault`` where they make no graph."""
        with request_faults.as_faults(), self.graph.as_default():
            try:
                # Without a name every tensor would be called import/…, and signatures name it as it
                # was.
                importer.import_graph_def(graph_def, name="")
            except ValueError as error:
                # It was INVALID_ARGUMENT before Python translated it.
                raise request_faults.invalid(str(error)) from None

    def run(self, feeds: Mapping[str, Array], fetches: Sequence[str]) -> list[Any]:
        """The tensors named ``fetches`` for the ``feeds`` by name; raises ``Fault``."""
        with request_faults.as_faults():
            call = self._callable(tuple(feeds), tuple(fetches))
            # In the order of the feeds, which is a part of what was compiled.
            return [_array(value) for value in call(*feeds.values())]

    def run_once(self, operation: str, feeds: Mapping[str, Any]) -> None:
        """Run an operation for what it does, and keep nothing of how."""
        with request_faults.as_faults():
            # Not by the cache: restoring happens once, and would keep its callable for ever.
            self._compiled(tuple(feeds), (), (operation,))(*feeds.values())

    def close(self) -> None:
        """Give the memory back; nothing may run any more."""
        # Each callable holds the session.
        self._callable.cache_clear()
        self._session.close()
        # TensorFlow frees what it holds when the last reference goes.
        self._session = None

    def _compiled(
        self, feeds: Sequence[str], fetches: Sequence[str], targets: Sequence[str] = ()
    ) -> Any:
        options = config_pb2.CallableOptions(feed=feeds, fetch=fetches, target=targets)
        options.run_options.inter_op_thread_pool = self._pool
        # No public name has the lean call. pyproject.toml allows one minor version of TensorFlow.
        return self._session._make_callable_from_options(options)


def _array(value: Any) -> Array:
    """A result as an array: TensorFlow gives bare values for tensors without dimensions."""
    if isinstance(value, np.ndarray):
        return value
    return np.array(value, object) if isinstance(value, bytes) else np.asarray(value)
