"""What a client holds, whether it blocks or awaits: a server, what holds there, and readers."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Generic, TypeAlias, TypeVar

import numpy as np

from neumo import image, settings
from neumo._drive.driver import Deadline, Patience, Retries
from neumo._drive.many import A
from neumo._engine import operations
from neumo._engine.operations import ReadFilm
from neumo._engine.plan import KnownLungs, Plan, Terms
from neumo._images import film_readers
from neumo._images.film_readers import FilmReaders
from neumo._transports import credentials
from neumo._transports.credentials import REQUEST_ID, Headers, headers_of_this_request
from neumo._transports.hedged_transport import HedgedTransport
from neumo._transports.transport import Transport, connect
from neumo.ensemble import SHIPPED, Ensemble, InputImage
from neumo.errors import ConfigError, DeadlineExceeded, NeumoError
from neumo.image import Film, Source
from neumo.settings import REQUIRED, Screen, Settings
from neumo.telemetry import Telemetry

if TYPE_CHECKING:  # a client that blocks does without asyncio
    from neumo._transports.transport_async import AsyncTransport

T = TypeVar("T")
C = TypeVar("C", Transport, "AsyncTransport")

Planned: TypeAlias = Callable[
    [tuple[ReadFilm, ...], Terms, Callable[[], float]], Plan[list[A | NeumoError]]
]
"""``operations.predict`` or ``operations.explain``."""

QUICK_PIXELS = 512 * 512
"""An array of so many is reduced in about a millisecond, and waits for no file."""


@dataclass(frozen=True, slots=True)
class Reading:
    """A film that is being read, within a deadline that began with it."""

    deadline: Deadline
    future: Future[ReadFilm]
    path: Path | None

    def cancel(self) -> None:
        """Do not begin it."""
        self.future.cancel()


@dataclass(slots=True)
class Comparison:
    """Whether the served models were compared with the contract."""

    is_done: bool = False


@dataclass(slots=True)
class ClientState(Generic[C]):
    """A server, and what holds for every film.

    ``headers`` go with its calls beside those of the connections, of which ``has_token`` is true
    where one is a token; a ``request_id`` among them is every request's. ``is_owner`` is whether
    the connections are closed with it.
    """

    transport: C
    terms: Terms
    retries: Retries
    timeout_s: float
    telemetry: Telemetry
    workers: FilmReaders = field(default_factory=FilmReaders)
    comparison: Comparison = field(default_factory=Comparison)
    is_owner: bool = True
    headers: Headers = ()
    has_token: bool = False
    request_id: str | None = None

    def changed(
        self,
        timeout: float | None = None,
        release: int | None = None,
        screen: Screen | None = None,
        metadata: Mapping[str, str] | None = None,
    ) -> ClientState[C]:
        """The same with other options, where they are not None; raises ``ConfigError``."""
        chosen = settings.resolve(
            timeout=timeout, release=release, screen=True if screen is None else screen, environ={}
        )
        terms = self.terms
        if release is not None:
            terms = replace(terms, release=chosen.release, labels={})
        if screen is not None:
            _check_screen(chosen.screen, terms.ensemble)
            terms = replace(terms, screen=chosen.screen)
        headers = credentials.checked(metadata, has_token=self.has_token)
        if "user-agent" in headers:
            raise ConfigError("metadata['user-agent'] is a connection's: give it to a new client")
        return replace(
            self,
            headers=tuple((dict(self.headers) | headers).items()),
            request_id=headers.get(REQUEST_ID, self.request_id),
            terms=terms,
            timeout_s=self.timeout_s if timeout is None else chosen.timeout_s,
            comparison=self.comparison if release is None else Comparison(),
            is_owner=False,
        )

    @contextmanager
    def request(self, given: str | None = None, terms: Terms | None = None) -> Iterator[Terms]:
        """Around one request: its calls and its errors carry its id, ``given`` or made here.

        What it gives are ``terms``, the state's own without, that say so. Raises ``ConfigError``
        for an id that cannot be sent.
        """
        told = self.request_id if given is None else given
        request_id = os.urandom(16).hex() if told is None else credentials.request_id(told)
        held = headers_of_this_request.set((*self.headers, (REQUEST_ID, request_id)))
        try:
            yield replace(terms or self.terms, request_id=request_id)
        except NeumoError as error:
            error.request_id = request_id
            raise
        finally:
            headers_of_this_request.reset(held)

    def deadline(self, spent: float = 0.0) -> Deadline:
        """The time for one film, of which ``spent`` seconds are over."""
        return Deadline(self.timeout_s, spent)

    def read(self, source: Source) -> Reading:
        """Begin to read the film in ``source``, on another thread unless that takes longer."""
        deadline = self.deadline()
        path = Path(source) if isinstance(source, str | PurePath) else None
        read = partial(_read, source, self.terms.ensemble.image)
        if isinstance(source, Film) or (
            isinstance(source, np.ndarray) and source.size <= QUICK_PIXELS
        ):
            return Reading(deadline, film_readers.done(read), path)
        return Reading(deadline, self.workers.submit(read), path)

    def unread(self) -> DeadlineExceeded:
        """The error of a film that was not read in time."""
        detail = f"the film was not read within {self.timeout_s:g} s"
        return DeadlineExceeded("", self.terms.target, detail)

    def check(self) -> Plan[None]:
        """Compare the served models with the contract."""
        yield from operations.check(self.terms)
        self.comparison.is_done = True

    def patient_terms(self) -> Terms:
        """The terms of a stream of films, which waits for a server that is away for a while."""
        return replace(self.terms, retries=Patience(self.retries, self.timeout_s))

    def about(
        self,
        films: tuple[ReadFilm, ...],
        planned: Callable[[tuple[ReadFilm, ...], Terms, Callable[[], float]], Plan[T]],
        deadline: Deadline,
        terms: Terms | None = None,
    ) -> Plan[T]:
        """``planned`` for ``films``, after the check of the contract where they are the first."""
        if not self.comparison.is_done:
            yield from self.check()
        return (yield from planned(films, terms or self.terms, deadline.elapsed))


def begin(
    chosen: Settings,
    metadata: Mapping[str, str] | None,
    transport: Transport | None,
    ensemble: Ensemble = SHIPPED,
) -> ClientState[Transport]:
    """The state with these settings; raises ``ConfigError`` for what cannot be used."""
    telemetry, retries = Telemetry(), Retries(chosen.retries, chosen.timeout_s)
    carrier = connected(chosen, metadata, transport, telemetry, retries)
    return over(carrier, chosen, metadata, telemetry, retries, ensemble)


def connected(
    chosen: Settings,
    metadata: Mapping[str, str] | None,
    transport: Transport | None,
    telemetry: Telemetry,
    retries: Retries,
) -> Transport:
    """``transport``, or the one for the URL: observed, and hedged where the settings say so."""
    carrier = transport or connect(
        chosen.url,
        token=chosen.token,
        metadata=metadata,
        tls=chosen.tls,
        connections=chosen.connections,
    )
    carrier = telemetry.observed(carrier)
    if chosen.hedge_s is not None:
        carrier = HedgedTransport(carrier, chosen.hedge_s, retries.may_hedge)
    return carrier


def over(
    carrier: C,
    chosen: Settings,
    metadata: Mapping[str, str] | None,
    telemetry: Telemetry,
    retries: Retries,
    ensemble: Ensemble = SHIPPED,
) -> ClientState[C]:
    """The state of a client over ``carrier``; ``ConfigError`` where nothing could screen."""
    _check_screen(chosen.screen, ensemble)
    settings.start_log()
    terms = Terms(
        carrier.target,
        retries,
        KnownLungs(time.monotonic),
        chosen.release,
        chosen.labels,
        chosen.screen,
        ensemble=ensemble,
    )
    has_token = chosen.token is not None
    request_id = credentials.checked(metadata, has_token=has_token).get(REQUEST_ID)
    return ClientState(
        carrier,
        terms,
        retries,
        chosen.timeout_s,
        telemetry,
        has_token=has_token,
        request_id=request_id,
    )


def _check_screen(screen: Screen, ensemble: Ensemble) -> None:
    if screen == REQUIRED and ensemble.screen is None:
        raise ConfigError(f"screen is {REQUIRED!r}, but the ensemble has no model that screens")


def _read(source: Source, seen: InputImage) -> ReadFilm:
    started = time.monotonic()
    film = image.read(source, seen)
    return ReadFilm(film, time.monotonic() - started)
