"""``neumo._drive.driver`` for asyncio: a plan's steps awaited on the running event loop."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any, TypeVar

from neumo._drive.driver import (
    GRACE_S,
    Deadline,
    check_time,
    check_woken,
    log_fault,
    log_replies,
    no_answer,
    one_server,
    raise_fault,
)
from neumo._engine.plan import Calls, Pause, Plan
from neumo._transports.transport_async import AsyncTransport
from neumo._wire.calls import Reply
from neumo.errors import ServingError, Unavailable

T = TypeVar("T")


async def drive(plan: Plan[T], transport: AsyncTransport, deadline: Deadline) -> T:
    """Run ``plan`` to its end."""
    server = one_server(transport)
    try:
        step = next(plan)
        while True:
            try:
                replies = await _run_step(server, step, deadline)
            except ServingError as error:
                log_fault(step, error)
                if isinstance(error, Unavailable):
                    server = one_server(transport)
                step = plan.throw(error)
            else:
                log_replies(step, replies)
                step = plan.send(replies)
    except StopIteration as stop:
        result: T = stop.value
        return result


async def _run_step(
    transport: AsyncTransport, step: Calls | Pause, deadline: Deadline
) -> Sequence[Reply[Any]]:
    check_time(step, transport.target, deadline)
    if isinstance(step, Pause):
        await asyncio.sleep(step.seconds)
        check_woken(step, deadline)
        return ()
    futures: list[asyncio.Future[Reply[Any]]] = []
    try:
        futures += (transport.start(call, deadline.remaining()) for call in step)
        within_s = deadline.remaining() + GRACE_S
        _, late = await asyncio.wait(futures, timeout=within_s, return_when=asyncio.FIRST_EXCEPTION)
        raise_fault(futures)
        if late:
            raise no_answer(step, transport.target, deadline)
        return [future.result() for future in futures]
    finally:
        for future in futures:
            future.cancel()
        futures.clear()  # as in ``neumo._drive.driver``
