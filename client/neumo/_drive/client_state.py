"""What a client holds, whether it blocks or awaits: a server, what holds there, and readers."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future
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
from neumo._engine.plan import Plan, Terms
from neumo._images import film_readers
from neumo._images.film_readers import FilmReaders
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
class ClientState(Generic[C]):
    """A server, and what holds for every film; ``is_checked`` once the contract was compared.

    ``is_owner`` is whether the connections are closed with it.
    """

    transport: C
    terms: Terms
    retries: Retries
    timeout_s: float
    telemetry: Telemetry
    workers: FilmReaders = field(default_factory=FilmReaders)
    is_checked: bool = False
    is_owner: bool = True

    def changed(
        self, timeout: float | None, release: int | None, screen: Screen | None
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
        return replace(
            self,
            terms=terms,
            timeout_s=self.timeout_s if timeout is None else chosen.timeout_s,
            is_checked=self.is_checked and release is None,
            is_owner=False,
        )

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
        self.is_checked = True

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
        if not self.is_checked:
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
    return over(carrier, chosen, telemetry, retries, ensemble)


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
    telemetry: Telemetry,
    retries: Retries,
    ensemble: Ensemble = SHIPPED,
) -> ClientState[C]:
    """The state of a client over ``carrier``; ``ConfigError`` where nothing could screen."""
    _check_screen(chosen.screen, ensemble)
    terms = Terms(
        carrier.target,
        retries,
        chosen.release,
        chosen.labels,
        chosen.screen,
        ensemble=ensemble,
    )
    return ClientState(carrier, terms, retries, chosen.timeout_s, telemetry)


def _check_screen(screen: Screen, ensemble: Ensemble) -> None:
    if screen == REQUIRED and ensemble.screen is None:
        raise ConfigError(f"screen is {REQUIRED!r}, but the ensemble has no model that screens")


def _read(source: Source, seen: InputImage) -> ReadFilm:
    started = time.monotonic()
    film = image.read(source, seen)
    return ReadFilm(film, time.monotonic() - started)
