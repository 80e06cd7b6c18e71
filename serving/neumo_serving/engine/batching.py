"""Requests of several clients in one run of the model.

TensorFlow's own batch op (``BatchFunction``) decides which requests go together and when, pads
and splits, and refuses what its queue cannot take. What it is given are not the tensors but
tickets, a row of two numbers for each row of a request: which request, and which of its rows. The
op's function, entered once for each batch, puts together the rows that the tickets stand for, runs
the model, and leaves each request its share, or its fault.

Source: ``batching/batching_session.cc``.
"""

from __future__ import annotations

import itertools
import re
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from tensorflow.core.protobuf import config_pb2

from neumo_serving import request_faults
from neumo_serving.engine import batch_arrays, deadlines
from neumo_serving.engine.batching_parameters import BatchingParameters
from neumo_serving.engine.deadlines import Caller
from neumo_serving.engine.dtypes import Array
from neumo_serving.engine.graph_session import GraphSession, Session
from neumo_serving.engine.turns import SessionInTurns
from neumo_serving.request_faults import Fault

_NODE = re.compile(r"\n\t \[\[\{\{node [^}]*\}\}\]\]")
"""What TensorFlow adds to an op's error; upstream's scheduler is no op."""

Tensors = tuple[frozenset[str], frozenset[str]]
"""The inputs and outputs that a run has, by name."""

MAX_QUEUES = 64
"""Who asks for ever other outputs must not fill memory; upstream has no such limit."""


@dataclass(frozen=True, slots=True)
class Batch:
    """What was run at once.

    ``sizes`` are the rows of each request in it, ``padding`` the rows added, and ``waited_s`` how
    long each request was in the queue.
    """

    sizes: tuple[int, ...]
    padding: int
    waited_s: tuple[float, ...]


Listener = Callable[[Batch], None]


@dataclass(slots=True)
class _Ticket:
    """A request in the queue: its inputs, and its outputs by the first of the rows they are for."""

    inputs: Sequence[Array]
    since: float = field(default_factory=time.monotonic)
    caller: Caller = field(default_factory=deadlines.caller)
    outputs: dict[int, list[Any]] = field(default_factory=dict)
    fault: Fault | None = None


@dataclass(frozen=True, slots=True)
class _Piece:
    """Rows of one request."""

    ticket: _Ticket
    start: int
    stop: int


class BatchingSession:
    """A session that runs ``inner`` in batches.

    Those go together that ask for the same tensors. The ``signatures`` have their queues from the
    beginning; one for other tensors, as with an output filter, is made when they are asked for.
    """

    def __init__(
        self,
        inner: Session,
        parameters: BatchingParameters,
        signatures: Iterable[Any],
        listener: Listener | None = None,
    ) -> None:
        self._inner = inner
        self._alone = SessionInTurns(inner)
        self._parameters = parameters
        self._listener = listener
        self._graph = GraphSession(config_pb2.ConfigProto())
        self._tickets: dict[int, _Ticket] = {}
        self._numbers = itertools.count()
        self._making = threading.Lock()
        self._queues: dict[Tensors, tuple[str, str]] = {}
        for tensors in sorted(set(map(_tensors, signatures)), key=_order):
            self._queues[tensors] = self._made(tensors)

    def run(self, feeds: Mapping[str, Array], fetches: Sequence[str]) -> list[Any]:
        """The tensors named ``fetches`` for the ``feeds`` by name; raises ``Fault``."""
        inputs = [feeds[name] for name in sorted(feeds)]
        rows = batch_arrays.rows(inputs)
        # Without a row there is no ticket that could find its way back.
        queue = self._queue((frozenset(feeds), frozenset(fetches))) if rows else None
        if queue is None:
            return self._alone.run(feeds, fetches)
        outputs = self._batched(queue, _Ticket(inputs), rows)
        # A tensor may be asked for twice under two names; the queue runs each once, in this order.
        places = {name: place for place, name in enumerate(sorted(set(fetches)))}
        return [outputs[places[name]] for name in fetches]

    def close(self) -> None:
        """Give the memory back; nothing may run any more."""
        self._graph.close()
        self._inner.close()

    def _batched(self, queue: tuple[str, str], ticket: _Ticket, rows: int) -> list[Any]:
        ticket_id = next(self._numbers)
        lines = np.empty((rows, 2), np.int64)
        lines[:, 0] = ticket_id
        lines[:, 1] = range(rows)
        self._tickets[ticket_id] = ticket
        try:
            self._graph.run({queue[0]: lines}, [queue[1]])
        except Fault as fault:
            raise Fault(fault.code, _NODE.sub("", fault.message)) from None
        finally:
            del self._tickets[ticket_id]
        if ticket.fault is not None:
            # A new one each: raised on several threads, one exception would gather all their
            # frames.
            raise Fault(ticket.fault.code, ticket.fault.message)
        return _joined(ticket)

    def _queue(self, tensors: Tensors) -> tuple[str, str] | None:
        """The queue of ``tensors``, made if they were never asked for; None for one too many."""
        if tensors not in self._queues:
            with self._making:
                if len(self._queues) >= MAX_QUEUES:
                    return self._queues.get(tensors)
                if tensors not in self._queues:
                    self._queues[tensors] = self._made(tensors)
        return self._queues[tensors]

    def _made(self, tensors: Tensors) -> tuple[str, str]:
        """A queue in the graph: the tensors that take its tickets and give them back."""
        names = _order(tensors)

        def process(lines: Array) -> Array:
            self._process(lines, *names)
            # The op wants an output for each row; the true ones are with the tickets.
            return lines

        from neumo_serving.engine import batch_op  # noqa: PLC0415 - slow, see there

        made: tuple[str, str] = batch_op.add(
            self._graph.graph, len(self._queues), process, **_attributes(self._parameters)
        )
        return made

    def _process(self, lines: Array, feeds: Sequence[str], fetches: Sequence[str]) -> None:
        """Run the rows that ``lines`` stand for; whatever happens, their requests learn it."""
        pieces, padding = self._pieces(lines)
        wanted = _waited_for(pieces)
        if not wanted:
            return
        if len(wanted) < len(pieces):
            pieces, padding = wanted, self._padding(wanted)
        requests = {id(one.ticket): one.ticket for one in pieces}.values()
        try:
            with request_faults.as_faults():
                self._run(pieces, padding, feeds, fetches)
        except Fault as fault:
            for ticket in requests:
                ticket.fault = fault

    def _pieces(self, lines: Array) -> tuple[list[_Piece], list[_Piece]]:
        """The rows of each request in the batch, and the rows that the op repeated as padding."""
        pieces: list[_Piece] = []
        padding: list[_Piece] = []
        # The op fills a batch up by repeating a row of it: what was seen before is padding.
        seen = set()
        for ticket_id, start, stop in _runs(lines):
            piece = _Piece(self._tickets[ticket_id], start, stop)
            (padding if (ticket_id, start) in seen else pieces).append(piece)
            seen.add((ticket_id, start))
        return pieces, padding

    def _padding(self, pieces: Sequence[_Piece]) -> list[_Piece]:
        """What fills ``pieces`` up to an allowed size, as the op would have: a row of them."""
        rows = sum(one.stop - one.start for one in pieces)
        sizes = _attributes(self._parameters)["allowed_batch_sizes"]
        missing = next((size - rows for size in sizes if size >= rows), 0)
        last = pieces[-1]
        return [_Piece(last.ticket, last.start, last.start + 1)] * missing

    def _run(
        self,
        pieces: Sequence[_Piece],
        padding: Sequence[_Piece],
        feeds: Sequence[str],
        fetches: Sequence[str],
    ) -> None:
        now = time.monotonic()
        merged = {
            name: batch_arrays.merged(
                name,
                [one.ticket.inputs[place][one.start : one.stop] for one in (*pieces, *padding)],
                self._parameters.pad_variable_length_inputs,
            )
            for place, name in enumerate(feeds)
        }
        outputs = self._inner.run(merged, fetches)
        sizes = tuple(one.stop - one.start for one in pieces)
        batch_arrays.check_outputs(outputs, sum(sizes) + len(padding))
        first = 0
        for piece, size in zip(pieces, sizes, strict=True):
            piece.ticket.outputs[piece.start] = [output[first : first + size] for output in outputs]
            first += size
        if self._listener:
            waited_s = tuple(now - one.ticket.since for one in pieces)
            self._listener(Batch(sizes, len(padding), waited_s))


def _waited_for(pieces: Sequence[_Piece]) -> list[_Piece]:
    """The pieces whose requests are still waited for; the others learn that they came too late.

    Upstream drops a batch only where all of it is late. Who is late here reads no answer either
    way, so that the rows of the others are the same.
    """
    wanted = []
    for piece in pieces:
        if piece.ticket.caller.waits():
            wanted.append(piece)
        elif piece.ticket.fault is None:
            text = "Run() timeout exceeded while waiting in batching queue"
            piece.ticket.fault = Fault(request_faults.RESOURCE_EXHAUSTED, text)
    return wanted


def _attributes(parameters: BatchingParameters) -> dict[str, Any]:
    """The op's attributes; it takes the largest batch from the last of the allowed sizes."""
    largest = parameters.largest_batch
    sizes = [size for size in parameters.allowed_batch_sizes if size < largest]
    if parameters.allowed_batch_sizes:
        sizes.append(largest)
    elif parameters.enable_large_batch_splitting:
        sizes = list(range(1, largest + 1))
    return {
        "num_batch_threads": parameters.num_batch_threads,
        "max_batch_size": parameters.max_batch_size,
        "batch_timeout_micros": parameters.batch_timeout_micros,
        "allowed_batch_sizes": sizes,
        "max_enqueued_batches": parameters.max_enqueued_batches,
        "enable_large_batch_splitting": parameters.enable_large_batch_splitting,
    }


def _runs(lines: Array) -> list[list[int]]:
    """The number, the first row and the end of each run of rows of one request."""
    runs: list[list[int]] = []
    for ticket_id, row in lines.tolist():
        if runs and runs[-1][0] == ticket_id and runs[-1][2] == row:
            runs[-1][2] += 1
        else:
            runs.append([ticket_id, row, row + 1])
    return runs


def _tensors(signature: Any) -> Tensors:
    inputs = frozenset(info.name for info in signature.inputs.values())
    return inputs, frozenset(info.name for info in signature.outputs.values())


def _order(tensors: Tensors) -> tuple[list[str], list[str]]:
    return sorted(tensors[0]), sorted(tensors[1])


def _joined(ticket: _Ticket) -> list[Any]:
    """The outputs of all rows, in the order of the rows."""
    shares = [ticket.outputs[start] for start in sorted(ticket.outputs)]
    # More than one where the op split a large request.
    if len(shares) == 1:
        return shares[0]
    return [np.concatenate(parts) for parts in zip(*shares, strict=True)]
