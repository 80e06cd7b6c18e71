"""What a plan is: a generator that says which calls to make. Pure: no network, a clock if given.

A plan yields the calls to make together, gets their replies in the same order, or the first error
thrown in, and returns its result. In between it may yield a pause. Whoever drives it, with
threads (``neumo._drive.driver``) or with asyncio (``driver_async``), needs to know nothing else,
so every rule about releases, retries and screening is written once, and tested without a server::

    def newest(model):                                # a plan ...
        (reply,) = yield (Status(model),)             # asks, and waits for the replies
        return reply.answer.versions[0].version       # its result

    plan = newest("lungs")
    calls = next(plan)                                # ... and what drives it
    try:
        plan.send([transport.start(call, timeout_s).result() for call in calls])
    except StopIteration as end:
        print(end.value)

A plan calls another one by ``yield from``.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeAlias, TypeVar

from neumo import contract
from neumo._wire.calls import Call, Reply
from neumo.ensemble import SHIPPED, Ensemble
from neumo.errors import ServingError, Unavailable
from neumo.settings import Screen

A = TypeVar("A")
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Pause:
    """A plan's wish to wait ``seconds`` before it asks again, because of an error."""

    seconds: float
    because: ServingError


class RetryRule(Protocol):
    """Whether a call that failed is made again."""

    def after(self, tries: int, error: ServingError) -> Pause:
        """The pause after ``tries`` failed tries; raises ``error`` where it was the last one."""

    def while_away(self, tries: int, error: Unavailable) -> Pause:
        """As ``after``, where no server was reached: so no server has work with it."""

    def while_coming(self, tries: int, error: ServingError) -> Pause:
        """The pause before a version that is loading is asked for again; raises ``error`` if none.

        The film's deadline alone bounds it: nothing is computed meanwhile.
        """

    def answered(self) -> None:
        """A call was answered."""


Calls: TypeAlias = tuple[Call[Any], ...]
Step: TypeAlias = Calls | Pause
Plan: TypeAlias = Generator[Step, Sequence[Reply[Any]], T]


NOES = 3
BELIEVED_S = 10.0
"""As long as one film may take: whoever adds ``lungs`` to a server waits no longer for it."""


@dataclass(slots=True)
class KnownLungs:
    """What a client has learned of ``lungs``.

    ``signatures`` holds, for each release that is known to have it, the one that answers without
    a mask; ``encoded`` are the releases where it takes image files too. Neither ever becomes
    wrong, since a release never changes. ``latest`` is the release that ``lungs`` answered from,
    and None where it did not: a guess for the next film.

    That a release has none is another thing: in a roll, where each call may meet another server, an
    older one may have said so. It is believed where ``NOES`` films in a row were told so, while
    all models answered from that release alone, and then for ``BELIEVED_S``.
    """

    clock: Callable[[], float]
    signatures: dict[int, contract.Signature] = field(default_factory=dict)
    encoded: set[int] = field(default_factory=set)
    latest: int | None = None
    _without: int | None = None
    _noes: int = 0
    _last_no_s: float = 0.0

    def has_answered(self, release: int) -> None:
        """``lungs`` of ``release`` did."""
        self.latest = release
        self.doubt()

    def was_absent(self, release: int) -> None:
        """A server that holds ``release`` said that it has no ``lungs``."""
        self._noes = self._noes + 1 if self._without == release else 1
        self._without, self._last_no_s = release, self.clock()

    def doubt(self) -> None:
        """Believe no server's "no": there are several."""
        self._without, self._noes = None, 0

    def lacks(self, release: int) -> bool:
        """Whether it is believed that ``release`` has no ``lungs``."""
        is_sure = self._without == release and self._noes >= NOES
        return is_sure and self.clock() - self._last_no_s < BELIEVED_S


@dataclass(frozen=True, slots=True)
class Terms:
    """What holds for every call of a client.

    ``target`` is the server's URL; ``release``, or a label for each model, pins what answers;
    ``screen`` says what becomes of a film that is no chest radiograph, or was not screened;
    ``ensemble`` are the models that are asked. What is called ``lungs`` here is its ``screen``.
    ``request_id`` is that of the prediction that is made by them.
    """

    target: str
    retries: RetryRule
    lungs: KnownLungs
    release: int | None = None
    labels: Mapping[str, str] = field(default_factory=dict)
    screen: Screen = True
    ensemble: Ensemble = SHIPPED
    request_id: str = ""


def ask(terms: Terms, *calls: Call[A]) -> Plan[Sequence[Reply[A]]]:
    """The replies to ``calls``; where the server is out of reach, after a few more tries.

    All of these calls may be made twice: they change nothing on the server.
    """
    tries = unreached = 0
    while True:
        try:
            replies = yield calls
        except Unavailable as error:
            if error.is_out_of_reach:
                unreached += 1
                pause = terms.retries.while_away(unreached, error)
            else:
                tries += 1
                pause = terms.retries.after(tries, error)
        else:
            terms.retries.answered()
            return replies
        yield pause
