"""What every service does with a request's specification and with a fault."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import grpc

from neumo_serving import request_faults
from neumo_serving.engine import deadlines
from neumo_serving.monitoring import model_metrics
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


def counted(context: Any, request: Any, api: str, make: Callable[[Any], Any]) -> Any:
    """As ``answer`` what ``make`` returns for ``request``; counted and timed in the metrics."""

    def make_counted() -> Any:
        with (
            deadlines.within(context.time_remaining()),
            model_metrics.request(request.model_spec.name, api, model_metrics.GRPC),
        ):
            return make(request)

    return answer(context, make_counted)


def spec(request: Any) -> Any:
    """The request's ``ModelSpec``; raises ``Fault`` where it has none."""
    if not request.HasField("model_spec"):
        raise invalid("Missing ModelSpec")
    return request.model_spec


def version(spec: Any) -> int | None:
    """The version that ``spec`` asks for; None where it leaves that to the server."""
    return int(spec.version.value) if spec.HasField("version") else None
