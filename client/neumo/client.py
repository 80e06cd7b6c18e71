"""The client that blocks: films in, predictions out."""

from __future__ import annotations

import contextvars
import copy
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, wait
from functools import partial
from types import TracebackType
from typing import TypeVar

from neumo import settings
from neumo._drive import client_state, many
from neumo._drive.client_state import Planned, Reading
from neumo._drive.driver import Deadline, drive
from neumo._drive.many import DEFAULT_CONCURRENCY, A, Course, Failure, Group, Progress, Taken
from neumo._engine import operations
from neumo._engine.operations import ReadFilm
from neumo._engine.plan import Plan, Terms
from neumo._images.film_readers import AT_ONCE, FilmReaders
from neumo._transports.transport import Transport
from neumo.ensemble import SHIPPED, Ensemble
from neumo.errors import ContractError, ImageError, NeumoError, ServingError
from neumo.image import Source
from neumo.model_status import ModelStatus
from neumo.results import Explanation, Prediction
from neumo.settings import DEFAULT_RETRIES, Screen, Tls, Token

T = TypeVar("T")


class Client:
    """Asks the models of a neumo release, on TensorFlow Serving or ``neumo serve``.

    Thread-safe and reusable; close it, or use it in ``with``. Before the first prediction the
    server's signatures are compared with the contract, once. Where the release has ``lungs``, it
    is asked beside the members whether the film is a chest radiograph at all.
    """

    def __init__(  # noqa: PLR0913 - all but the first by keyword
        self,
        url: str | None = None,
        *,
        timeout: float | None = None,
        release: int | None = None,
        labels: str | Mapping[str, str] | None = None,
        retries: int = DEFAULT_RETRIES,
        hedge: float | None = None,
        screen: Screen = True,
        token: Token | None = None,
        metadata: Mapping[str, str] | None = None,
        tls: Tls | None = None,
        connections: int | None = None,
        ensemble: Ensemble | None = None,
        transport: Transport | None = None,
    ) -> None:
        """Connects with the first call, not here.

        ``url`` is ``grpc://host:8500``, ``grpcs://…``, ``http://host:8501`` or ``https://…``
        (default: ``NEUMO_SERVER``, then ``grpc://localhost:8500``). ``timeout`` is the seconds
        that one film may take, reading, every call and retry together (default:
        ``NEUMO_TIMEOUT``, then 10). ``release`` pins the release that answers; ``labels`` pins
        what the server's configuration calls so, one label for both members or one each.
        ``retries``, 0 to 10, is how often a call is made again where a server refuses it for the
        time being or is between two versions; in 10 s all calls together are made again 250 times
        and for a tenth of what is answered, which one film after another never meets. What a server
        asks for (``Retry-After``, gRPC's pushback) is waited for, and one that had answered and
        cannot be reached at all until the film's deadline. With ``hedge``, a call without an answer
        after so many seconds is sent a second time, and the first answer counts. ``screen=False``
        makes a film that is no chest radiograph a warning instead of ``NotAChestRadiograph``; where
        ``lungs`` does not answer, though it is waited for while it is loading, the prediction says
        that it was not ``screened``, and ``screen="required"`` raises that. ``token`` (default:
        ``NEUMO_TOKEN``) is sent as a bearer token, a function's anew for each call, and
        ``metadata`` as headers with every call; ``tls`` names certificates (default: the authority
        in ``NEUMO_CA``). All calls of a film go to one server; where ``url`` names several,
        ``connections``, 1 to 64, bounds those that gRPC is connected to at a time (default: 8, or
        1 on this machine), REST knows them all. ``ensemble`` are the models that are asked, and
        the image that they see (default: those of neumo's releases). ``transport`` takes the place
        of ``url``, for tests. Raises ``ConfigError`` for any that cannot be used.
        """
        asked = ensemble or SHIPPED
        chosen = settings.resolve(
            url,
            timeout=timeout,
            release=release,
            labels=labels,
            retries=retries,
            hedge=hedge,
            screen=screen,
            token=token,
            tls=tls,
            connections=connections,
            members=asked.members,
        )
        self._state = client_state.begin(chosen, metadata, transport, asked)

    def predict(self, source: Source, *, request_id: str | None = None) -> Prediction:
        """The ensemble's answer about one film, of one release.

        ``source`` is a path, bytes, a binary file, a Pillow image or an array, as
        ``neumo.image.read`` takes it. ``request_id`` (default: a new one) is sent with each call as
        the header ``x-request-id``, and stands in the answer, in an error and in the log. Raises
        ``ImageError``, ``ContractError`` or a ``ServingError``.
        """
        return self._one(operations.predict, source, request_id)

    def explain(self, source: Source, *, request_id: str | None = None) -> Explanation:
        """As ``predict``, with the heat map of what moved the score, and the lungs where served."""
        return self._one(operations.explain, source, request_id)

    def predict_many(
        self,
        sources: Iterable[Source] | str | os.PathLike[str],
        *,
        concurrency: int = DEFAULT_CONCURRENCY,
        batch_size: int = 1,
        ordered: bool = True,
        progress: Progress | None = None,
    ) -> Iterator[Prediction | Failure]:
        """A ``Prediction`` or a ``Failure`` for each source, in order.

        Each says which source it is about: ``source_index``, and ``source`` where that is a path.
        ``ordered=False`` gives each as soon as it is known, but none while the next of ``sources``
        is waited for (``AsyncClient`` does).

        ``sources`` are films, or a folder, whose films are those of ``neumo.films_in``.
        ``batch_size`` films are sent as one request, ``concurrency`` requests are under way at a
        time, and films are read meanwhile; no more are taken from ``sources`` ahead. Each film
        has the whole timeout; a server that was there and is away, as in a restart, is waited for
        as long as that. ``progress(done, total)`` is called with each answer; ``total`` is
        None where it is not known. Raises ``ConfigError`` for a concurrency outside 1 to 64 or a
        batch size outside 1 to 1,024, and ``ImageError`` for a folder without films.
        """
        course = many.Course(concurrency, batch_size, progress, ordered)
        return self._answers(operations.predict, *many.counted(sources), course)

    def explain_many(
        self,
        sources: Iterable[Source] | str | os.PathLike[str],
        *,
        concurrency: int = DEFAULT_CONCURRENCY,
        batch_size: int = 1,
        ordered: bool = True,
        progress: Progress | None = None,
    ) -> Iterator[Explanation | Failure]:
        """An ``Explanation`` or a ``Failure`` for each source, as ``predict_many``."""
        course = many.Course(concurrency, batch_size, progress, ordered)
        return self._answers(operations.explain, *many.counted(sources), course)

    def with_options(
        self,
        *,
        timeout: float | None = None,
        release: int | None = None,
        screen: Screen | None = None,
        metadata: Mapping[str, str] | None = None,
    ) -> Client:
        """A client over the same connections with other options; what is not given stays.

        ``release`` takes the place of labels, too. ``metadata`` are further headers; they go before
        this client's of the same name. The connections stay this client's: closing the other one
        closes nothing.
        """
        other = copy.copy(self)
        other._state = self._state.changed(timeout, release, screen, metadata)
        return other

    def status(self) -> tuple[ModelStatus, ...]:
        """Every model of the contract that the server knows, with all its versions.

        Raises a ``ServingError`` where no server answers.
        """
        with self._state.request() as terms:
            return self._run(operations.status(terms), self._state.deadline())

    def check(self) -> None:
        """Compare the served models with the contract; raises ``ContractError`` if they differ."""
        with self._state.request():
            self._run(self._state.check(), self._state.deadline())

    def close(self) -> None:
        """Close the connections; a call under way ends with an error."""
        if not self._state.is_owner:
            return
        self._state.transport.close()
        self._state.workers.close()

    def __enter__(self) -> Client:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def _one(self, planned: Planned[A], source: Source, request_id: str | None) -> A:
        with self._state.request(request_id) as terms:
            reading = self._state.read(source)
            read, deadline = self._film(reading), reading.deadline
            with self._state.telemetry.prediction(planned.__name__, 1) as seen:
                plan = self._state.about((read,), planned, deadline, terms)
                outcomes = self._run(plan, deadline)
                operations.tell(outcomes, seen)
                return operations.only(outcomes)

    def _film(self, reading: Reading) -> ReadFilm:
        if not reading.future.done():
            wait([reading.future], reading.deadline.remaining())
            if not reading.future.done():
                reading.cancel()
                raise self._state.unread()
        return reading.future.result()

    def _answers(
        self, planned: Planned[A], films: Iterable[Source], total: int | None, course: Course
    ) -> Iterator[A | Failure]:
        terms = self._state.patient_terms()
        # Daemons, unlike a ThreadPoolExecutor's: an interrupted program does not wait for them.
        workers = FilmReaders(course.concurrency)
        under_way: set[Deadline] = set()

        def submit(work: Callable[[], list[A | Failure]]) -> Future[list[A | Failure]]:
            # A caller's trace goes on in the pool.
            return workers.submit(partial(contextvars.copy_context().run, work))

        def start(group: Group) -> Future[list[A | Failure]]:
            return submit(partial(self._group, planned, group, terms, under_way))

        def read(numbered: Sequence[tuple[int, Source]]) -> Future[list[A | Failure]]:
            return submit(partial(self._read_group, planned, numbered, terms, under_way))

        if course.is_ordered:
            groups = many.grouped(self._taken(films), course.batch_size)
            answered = many.ordered(start, groups, course.concurrency)
        else:
            # Each group reads its own films, so that a slow one holds up no other.
            several = many.grouped(enumerate(films), course.batch_size)
            answered = many.as_they_come(read, several, course.concurrency)
        done = 0
        try:
            for future in answered:
                for outcome in future.result():
                    done += 1
                    course.tell(done, total)
                    yield outcome
        finally:
            workers.close()
            for deadline in tuple(under_way):
                deadline.give_up()

    def _taken(self, films: Iterable[Source]) -> Iterator[Taken]:
        """Each source read, in order; several are read at a time."""
        for index, reading in enumerate(many.ordered(self._state.read, films, AT_ONCE)):
            yield self._take(index, reading)

    def _take(self, index: int, reading: Reading) -> Taken:
        try:
            return Taken(index, reading.path, self._film(reading))
        except (ImageError, ServingError) as error:
            return Taken(index, reading.path, error)

    def _read_group(
        self,
        planned: Planned[A],
        numbered: Sequence[tuple[int, Source]],
        terms: Terms,
        under_way: set[Deadline],
    ) -> list[A | Failure]:
        readings = [(index, self._state.read(source)) for index, source in numbered]
        group = tuple(self._take(index, reading) for index, reading in readings)
        return self._group(planned, group, terms, under_way)

    def _group(
        self, planned: Planned[A], group: Group, terms: Terms, under_way: set[Deadline]
    ) -> list[A | Failure]:
        """What came of the films of one batch."""
        films = many.films_of(group)
        outcomes: list[A | NeumoError] = []
        if films:
            deadline = self._state.deadline(max(read.seconds for read in films))
            under_way.add(deadline)
            try:
                with (
                    self._state.request(terms=terms) as asked,
                    self._state.telemetry.prediction(planned.__name__, len(films)) as seen,
                ):
                    plan = self._state.about(films, planned, deadline, asked)
                    outcomes = self._run(plan, deadline)
                    operations.tell(outcomes, seen)
            except (ContractError, ServingError) as error:
                outcomes = [error] * len(films)
            finally:
                under_way.discard(deadline)
        return many.in_place(group, outcomes)

    def _run(self, plan: Plan[T], deadline: Deadline) -> T:
        return drive(plan, self._state.transport, deadline)
