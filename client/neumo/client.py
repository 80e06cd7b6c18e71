"""The client that blocks: films in, predictions out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from types import TracebackType
from typing import TypeVar

from neumo import image, session, settings
from neumo.asking import ask
from neumo.core import planning
from neumo.core.deadline import Deadline
from neumo.core.planning import Plan
from neumo.ensemble import Explanation, Prediction
from neumo.errors import ContractError, ImageError, ServingError
from neumo.image import Source
from neumo.settings import DEFAULT_RETRIES
from neumo.streams import Failure, ordered
from neumo.transports import Transport
from neumo.transports.access import Tls
from neumo.wire import ModelStatus

T = TypeVar("T")


class Client:
    """Asks the two models of a neumo release, on TensorFlow Serving or ``neumo serve``.

    Thread-safe and reusable; close it, or use it in ``with``. Before the first prediction the
    server's signatures are compared with the contract, once.
    """

    def __init__(
        self,
        url: str | None = None,
        *,
        timeout: float | None = None,
        release: int | None = None,
        retries: int = DEFAULT_RETRIES,
        token: str | None = None,
        metadata: Mapping[str, str] | None = None,
        tls: Tls | None = None,
        transport: Transport | None = None,
    ) -> None:
        """Connects with the first call, not here.

        ``url`` is ``grpc://host:8500``, ``grpcs://…``, ``http://host:8501`` or ``https://…``
        (default: ``NEUMO_SERVER``, then ``grpc://localhost:8500``). ``timeout`` is the seconds
        that one film may take, reading, every call and retry together (default:
        ``NEUMO_TIMEOUT``, then 10). ``release`` pins the release that answers. ``retries`` is how
        often a call is made again where the server is out of reach or between two versions, 0 to
        10. ``token`` (default: ``NEUMO_TOKEN``) is sent as a bearer token and ``metadata`` as
        headers with every call; ``tls`` names certificates (default: the authority in
        ``NEUMO_CA``). ``transport`` takes the place of ``url``, for tests. Raises
        ``ConfigError`` for any that cannot be used.
        """
        self._session = session.begin(
            settings.resolve(url, timeout, release, retries, token, tls), metadata, transport
        )

    def predict(self, source: Source) -> Prediction:
        """The ensemble's answer about one film, of one release.

        ``source`` is a path, bytes, a binary file, a Pillow image or an array, as
        ``neumo.image.read`` takes it. Raises ``ImageError``, ``ContractError`` or a
        ``ServingError``.
        """
        deadline = self._session.deadline()
        film = image.read(source)
        return self._run(self._session.about(film, planning.predict, deadline), deadline)

    def explain(self, source: Source) -> Explanation:
        """As ``predict``, with the heat map of what moved the score."""
        deadline = self._session.deadline()
        film = image.read(source)
        return self._run(self._session.about(film, planning.explain, deadline), deadline)

    def predict_many(
        self, sources: Iterable[Source], *, concurrency: int = session.DEFAULT_CONCURRENCY
    ) -> Iterator[Prediction | Failure]:
        """A ``Prediction`` or a ``Failure`` for each source, in order.

        ``concurrency`` films are under way at a time, and no more are taken from ``sources``
        ahead. Each film has the whole timeout. Raises ``ConfigError`` for a concurrency outside
        1 to 64.
        """
        session.check_concurrency(concurrency)
        return ordered(self._outcome, enumerate(sources), concurrency)

    def status(self) -> tuple[ModelStatus, ...]:
        """Every model of the contract that the server knows, with all its versions.

        Raises a ``ServingError`` where no server answers.
        """
        return self._run(planning.status(self._session.terms), self._session.deadline())

    def check(self) -> None:
        """Compare the served models with the contract; raises ``ContractError`` if they differ."""
        self._run(self._session.check(), self._session.deadline())

    def close(self) -> None:
        """Close the connections; a call under way ends with an error."""
        self._session.transport.close()

    def __enter__(self) -> Client:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def _outcome(self, numbered: tuple[int, Source]) -> Prediction | Failure:
        index, source = numbered
        try:
            return self.predict(source)
        except (ImageError, ContractError, ServingError) as error:
            return Failure(index, error)

    def _run(self, plan: Plan[T], deadline: Deadline) -> T:
        return planning.drive(plan, lambda step: ask(self._session.transport, step, deadline))
