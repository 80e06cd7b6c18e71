"""What every service does with a request's specification and with a fault."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import grpc

from neumo_serving import request_faults
from neumo_serving.engine import deadlines
from neumo_serving.engine.door import Door
from neumo_serving.request_faults import Fault, invalid


def answer(context: Any, make: Callable[[], Any]) -> Any:
    """What ``make`` returns; a fault ends the call with its code and text."""
    try:
        return make()
    except Fault as fault:
        code, text = fault.code, fault.brief
    except Exception as error:  # noqa: BLE001 - the client gets an answer, whatever is wrong here
        unexpected = request_faults.unexpected("gRPC", error)
        code, text = unexpected.code, unexpected.brief
    # No name here may hold the exception: its traceback holds this frame, and with it the request,
    # until the garbage is collected, which may be gigabytes later.
    return context.abort(grpc.StatusCode[code], text)


@contextmanager
def admitted(context: Any, door: Door) -> Iterator[None]:
    """A call that runs a model is answered inside, if its client would still read the answer.

    Raises ``Fault`` where nobody does, or will when it comes.
    """
    with deadlines.within(context.time_remaining(), context.is_active) as caller:
        # It may have waited for a thread.
        deadlines.check(caller)
        with door.enter(caller) as visit:
            # Whose client has gone keeps nobody out, though its thread waits for its batch.
            context.add_callback(visit.end)
            yield


def spec(request: Any) -> Any:
    """The request's ``ModelSpec``; raises ``Fault`` where it has none."""
    if not request.HasField("model_spec"):
        raise invalid("Missing ModelSpec")
    return request.model_spec


def version(spec: Any) -> int | None:
    """The version that ``spec`` asks for; None where it leaves that to the server."""
    return int(spec.version.value) if spec.HasField("version") else None
