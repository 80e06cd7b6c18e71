"""What a client holds, whether it blocks or awaits, and the whole plan of one film."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeVar

from neumo import transports
from neumo.core import planning
from neumo.core.deadline import Deadline
from neumo.core.planning import Plan, Terms
from neumo.core.retries import Retries
from neumo.errors import ConfigError
from neumo.image import Film
from neumo.settings import Settings
from neumo.transports import Transport

T = TypeVar("T")

DEFAULT_CONCURRENCY = 8
MAX_CONCURRENCY = 64


@dataclass(slots=True)
class Session:
    """A server, and what holds for every film; ``is_checked`` once the contract was compared."""

    transport: Transport
    terms: Terms
    timeout_s: float
    is_checked: bool = False

    def deadline(self) -> Deadline:
        """The time for one film, beginning now."""
        return Deadline(self.timeout_s)

    def check(self) -> Plan[None]:
        """Compare the served models with the contract."""
        yield from planning.check(self.terms)
        self.is_checked = True

    def about(
        self,
        film: Film,
        planned: Callable[[Film, Terms, Callable[[], float]], Plan[T]],
        deadline: Deadline,
    ) -> Plan[T]:
        """``planned`` for ``film``, after the check of the contract where it is the first."""
        if not self.is_checked:
            yield from self.check()
        return (yield from planned(film, self.terms, deadline.elapsed))


def begin(
    chosen: Settings, metadata: Mapping[str, str] | None, transport: Transport | None
) -> Session:
    """A session with these settings; raises ``ConfigError`` for what cannot be used."""
    carrier = transport or transports.connect(
        chosen.url, token=chosen.token, metadata=metadata, tls=chosen.tls
    )
    terms = Terms(carrier.target, chosen.release, Retries(chosen.retries))
    return Session(carrier, terms, chosen.timeout_s)


def check_concurrency(concurrency: int) -> None:
    """Raise ``ConfigError`` for a number of films at a time outside 1 to 64."""
    if not 1 <= concurrency <= MAX_CONCURRENCY:
        raise ConfigError(f"concurrency is {concurrency}: give 1 to {MAX_CONCURRENCY}")
