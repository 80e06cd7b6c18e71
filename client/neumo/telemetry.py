"""Spans and metrics for OpenTelemetry, where its API is installed; nothing otherwise.

==============================  =========  =================================================
``neumo.predict``/``.explain``  span       a film or a batch: ``neumo.films``, ``neumo.release``
the gRPC method's name          span       a call: ``neumo.model``, ``neumo.release``
``neumo.prediction.duration``   histogram  seconds, by release and error
``neumo.call.duration``         histogram  seconds, by model, method, release and error
==============================  =========  =================================================

No film's name, pixels or verdict is in any of them. Each call carries its span's context to the
server, by the application's propagators: ``traceparent`` where it has chosen none.
"""

from __future__ import annotations

import importlib
import importlib.util
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import partial
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

from neumo import contract
from neumo._transports.credentials import headers_of_this_call
from neumo._transports.transport import Transport
from neumo._wire.calls import Call, Reply

if TYPE_CHECKING:  # a client that blocks does without asyncio
    import asyncio

    from neumo._transports.transport_async import AsyncTransport

A = TypeVar("A")
F = TypeVar("F", "Future[Any]", "asyncio.Future[Any]")
_Future: TypeAlias = "Future[Any] | asyncio.Future[Any]"

Seen: TypeAlias = Callable[[int], None]
"""Where a finished prediction tells its release."""


class Telemetry:
    """OpenTelemetry's global tracer and meter, looked up when a client is made."""

    def __init__(self) -> None:
        self._instruments = _Instruments() if _is_installed() else None

    def observed(self, transport: Transport) -> Transport:
        """``transport``, each of whose calls makes a span and a measurement."""
        if self._instruments is None:
            return transport
        return _ObservedTransport(transport, self._instruments)

    def observed_async(self, transport: AsyncTransport) -> AsyncTransport:
        """The same for asyncio."""
        if self._instruments is None:
            return transport
        return _ObservedAsyncTransport(transport, self._instruments)

    def prediction(self, name: str, films: int) -> AbstractContextManager[Seen]:
        """Around one prediction or explanation of ``films``; ``name`` is the client's method."""
        if self._instruments is None:
            return nullcontext(_ignored)
        return self._instruments.prediction(name, films)


def _is_installed() -> bool:
    try:
        return importlib.util.find_spec("opentelemetry.metrics") is not None
    except ModuleNotFoundError:
        return False


def _ignored(release: int) -> None:
    """Nobody watches."""


class _Instruments:
    def __init__(self) -> None:
        # Imported here: importing neumo does not cost it, and it need not be there.
        trace = importlib.import_module("opentelemetry.trace")
        metrics = importlib.import_module("opentelemetry.metrics")
        # By the application's propagators: W3C's unless it says otherwise.
        self.inject = importlib.import_module("opentelemetry.propagate").inject

        self.trace = trace
        self.tracer = trace.get_tracer("neumo")
        meter = metrics.get_meter("neumo")
        self.calls = meter.create_histogram("neumo.call.duration", "s", "One call to one model")
        self.predictions = meter.create_histogram(
            "neumo.prediction.duration", "s", "One film or batch, every call and retry together"
        )

    @contextmanager
    def prediction(self, name: str, films: int) -> Iterator[Seen]:
        started = time.monotonic()
        labels: dict[str, str | int] = {}

        def seen(release: int) -> None:
            labels["neumo.release"] = release

        # The parent of the calls' spans, so one film is one trace.
        with self.tracer.start_as_current_span(
            f"neumo.{name}",
            attributes={"neumo.films": films},
            record_exception=False,  # what a server said of an input stays between the two
            set_status_on_exception=False,
        ) as span:
            try:
                yield seen
            except Exception as error:
                labels["error.type"] = type(error).__name__
                span.set_status(self.trace.StatusCode.ERROR)
                raise
            finally:
                span.set_attributes(labels)
                self.predictions.record(time.monotonic() - started, labels)

    def call(self, call: Call[Any], target: str, send: Callable[[], F]) -> F:
        """The future that ``send`` makes of ``call`` to ``target``."""
        method = call.rpc_method.lstrip("/")
        labels: dict[str, str | int] = {"neumo.model": call.model, "rpc.method": method}
        span = self.tracer.start_span(
            method,
            kind=self.trace.SpanKind.CLIENT,
            attributes={**labels, "server.address": target},
        )
        started = time.monotonic()

        def finish(done: _Future) -> None:
            labels.update(_outcome(done))
            span.set_attributes(labels)
            if "error.type" in labels:
                span.set_status(self.trace.StatusCode.ERROR)
            span.end()
            self.calls.record(time.monotonic() - started, labels)

        carried: dict[str, str] = {}
        self.inject(carried, self.trace.set_span_in_context(span))
        token = headers_of_this_call.set(tuple(carried.items()))
        try:
            future = send()
        except BaseException:
            span.end()
            raise
        finally:
            headers_of_this_call.reset(token)
        future.add_done_callback(finish)
        return future


class _ObservedTransport:
    def __init__(self, inner: Transport, instruments: _Instruments) -> None:
        self.target = inner.target
        self._inner = inner
        self._instruments = instruments

    def one_server(self) -> _ObservedTransport:
        inner = self._inner.one_server() if hasattr(self._inner, "one_server") else self._inner
        return _ObservedTransport(inner, self._instruments)

    def start(self, call: Call[A], timeout_s: float) -> Future[Reply[A]]:
        send = partial(self._inner.start, call, timeout_s)
        return self._instruments.call(call, self.target, send)

    def close(self) -> None:
        self._inner.close()


class _ObservedAsyncTransport:
    def __init__(self, inner: AsyncTransport, instruments: _Instruments) -> None:
        self.target = inner.target
        self._inner = inner
        self._instruments = instruments

    def one_server(self) -> _ObservedAsyncTransport:
        inner = self._inner.one_server() if hasattr(self._inner, "one_server") else self._inner
        return _ObservedAsyncTransport(inner, self._instruments)

    def start(self, call: Call[A], timeout_s: float) -> asyncio.Future[Reply[A]]:
        send = partial(self._inner.start, call, timeout_s)
        return self._instruments.call(call, self.target, send)

    async def close(self) -> None:
        await self._inner.close()


def _outcome(done: _Future) -> dict[str, str | int]:
    if done.cancelled():
        return {"error.type": "cancelled"}
    error = done.exception()
    if error is not None:
        return {"error.type": type(error).__name__}
    answer = done.result().answer
    release = getattr(answer, "outputs", {}).get(contract.RELEASE.name)
    return {} if release is None or not release.size else {"neumo.release": int(release.flat[0])}
