"""Runs a plan: each step's calls are sent together, and replies awaited until the deadline."""

from __future__ import annotations

import time
from collections.abc import Sequence
from concurrent.futures import FIRST_EXCEPTION, Future, wait
from typing import Any, TypeVar

from neumo._drive.deadline import Deadline
from neumo._engine.plan import Calls, Pause, Plan, Step
from neumo._transports.transport import Transport
from neumo._wire.calls import Reply
from neumo.errors import ConfigError, DeadlineExceeded, ServingError

T = TypeVar("T")

GRACE_S = 0.1
"""What a transport may take beyond the deadline to say itself that it has passed."""


def drive(plan: Plan[T], transport: Transport, deadline: Deadline) -> T:
    """The result of ``plan``, each of its steps by ``run_step``."""
    try:
        step = next(plan)
        while True:
            try:
                replies = run_step(transport, step, deadline)
            except ServingError as error:
                step = plan.throw(error)
            else:
                step = plan.send(replies)
    except StopIteration as stop:
        result: T = stop.value
        return result


def run_step(transport: Transport, step: Step, deadline: Deadline) -> Sequence[Reply[Any]]:
    """The replies to the calls of ``step``, in their order; none after a pause.

    The first fault is raised, and the calls still under way are given up.
    """
    check_time(step, transport.target, deadline)
    if isinstance(step, Pause):
        time.sleep(step.seconds)
        return ()
    futures: list[Future[Reply[Any]]] = []
    try:
        futures += (transport.start(call, deadline.remaining()) for call in step)
        _, late = wait(futures, deadline.remaining() + GRACE_S, FIRST_EXCEPTION)
        raise_fault(futures)
        if late:
            raise no_answer(step, transport.target, deadline)
        return [future.result() for future in futures]
    finally:
        for future in futures:
            future.cancel()


def check_time(step: Step, target: str, deadline: Deadline) -> None:
    """Raise the error of a pause that would outlast the deadline, or that no time is left."""
    if isinstance(step, Pause):
        if step.seconds >= deadline.remaining():
            raise step.because
    elif not deadline.remaining():
        detail = f"the {deadline.seconds:g} s had passed before it was asked"
        raise DeadlineExceeded(step[0].model, target, detail)


def no_answer(step: Calls, target: str, deadline: Deadline) -> DeadlineExceeded:
    """What is raised where a transport keeps silent beyond the deadline."""
    detail = f"no answer within {deadline.seconds:g} s"
    return DeadlineExceeded(step[0].model, target, detail)


def raise_fault(futures: Sequence[Any]) -> None:
    """Raise the first error among ``futures``, which may be threads' or asyncio's."""
    if any(future.cancelled() for future in futures):
        raise ConfigError("the client was closed during a call: make a new one")
    # All of them are looked at: asyncio complains about an error that nobody saw.
    errors = [future.exception() for future in futures if future.done()]
    for error in errors:
        if error is not None:
            raise error
