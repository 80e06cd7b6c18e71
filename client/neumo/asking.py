"""One step of a plan: its calls sent together, their replies awaited until the deadline."""

from __future__ import annotations

import time
from collections.abc import Sequence
from concurrent.futures import FIRST_EXCEPTION, Future, wait
from typing import Any

from neumo.core.calls import Reply
from neumo.core.deadline import Deadline
from neumo.core.planning import Calls, Step
from neumo.core.retries import Pause
from neumo.errors import ConfigError, DeadlineExceeded
from neumo.transports import Transport

_GRACE_S = 0.5
"""What a transport may take beyond the deadline to say itself that it has passed."""


def ask(transport: Transport, step: Step, deadline: Deadline) -> Sequence[Reply[Any]]:
    """The replies to the calls of ``step``, in their order; none after a pause.

    The first fault is raised, and the calls still under way are given up. A pause that would
    outlast the deadline is not made: its error is raised.
    """
    if isinstance(step, Pause):
        if step.seconds >= deadline.remaining():
            raise step.because
        time.sleep(step.seconds)
        return ()
    return _replies(transport, step, deadline)


def _replies(transport: Transport, step: Calls, deadline: Deadline) -> Sequence[Reply[Any]]:
    if not deadline.remaining():
        detail = f"the {deadline.seconds:g} s had passed before it was asked"
        raise DeadlineExceeded(step[0].model, transport.target, detail)
    futures: list[Future[Reply[Any]]] = []
    try:
        futures += (transport.start(call, deadline.remaining()) for call in step)
        wait(futures, deadline.remaining() + _GRACE_S, FIRST_EXCEPTION)
        _raise_fault(futures)
        return [future.result(timeout=0) for future in futures]
    except TimeoutError:
        detail = f"no answer within {deadline.seconds:g} s"
        raise DeadlineExceeded(step[0].model, transport.target, detail) from None
    finally:
        for future in futures:
            future.cancel()


def _raise_fault(futures: Sequence[Future[Reply[Any]]]) -> None:
    for future in futures:
        if future.cancelled():
            raise ConfigError("the client was closed during a call: make a new one")
        if future.done() and (error := future.exception()):
            raise error
