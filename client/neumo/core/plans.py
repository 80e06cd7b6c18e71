"""What a plan is: a generator that says which calls to make. Pure: no network, no clock.

It yields the calls to make together, gets their replies in the same order, or the first error
thrown in, and returns its result. In between it may yield a pause. Whoever drives it, with
threads or with asyncio, needs to know nothing else.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias, TypeVar

from neumo.core.calls import Call, Reply
from neumo.core.retries import Patience, Pause, Retries
from neumo.errors import ServingError, Unavailable

A = TypeVar("A")
T = TypeVar("T")

Calls: TypeAlias = tuple[Call[Any], ...]
Step: TypeAlias = Calls | Pause
Plan: TypeAlias = Generator[Step, Sequence[Reply[Any]], T]


@dataclass(frozen=True, slots=True)
class Terms:
    """What holds for every call of a client.

    ``target`` is the server's URL; ``release``, or a label for each model, pins what answers;
    ``screen`` is whether a film that is no chest radiograph is an error. ``lungs_served`` is
    learned: which releases have ``lungs``.
    """

    target: str
    retries: Retries | Patience
    release: int | None = None
    labels: Mapping[str, str] = field(default_factory=dict)
    screen: bool = True
    lungs_served: dict[int, bool] = field(default_factory=dict)


def drive(plan: Plan[T], ask_step: Callable[[Step], Sequence[Reply[Any]]]) -> T:
    """Run ``plan`` to its end, each step by ``ask_step``."""
    try:
        step = next(plan)
        while True:
            try:
                replies = ask_step(step)
            except ServingError as error:
                step = plan.throw(error)
            else:
                step = plan.send(replies)
    except StopIteration as stop:
        result: T = stop.value
        return result


def ask(terms: Terms, *calls: Call[A]) -> Plan[Sequence[Reply[A]]]:
    """The replies to ``calls``; where the server is out of reach, after a few more tries.

    All of these calls may be made twice: they change nothing on the server.
    """
    tries = 0
    while True:
        try:
            replies = yield calls
        except Unavailable as error:
            tries += 1
            pause = terms.retries.after(tries, error)
        else:
            terms.retries.answered()
            return replies
        yield pause
