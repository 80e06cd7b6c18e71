"""Faults on gRPC: an interceptor, which the server has only where faults are asked for."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from typing import Any

import grpc

from neumo_serving.fault_injection import cut_connection
from neumo_serving.fault_injection.fault_rules import GRPC, FaultPlan, Kind, Occasion, Rule

GARBAGE = b"\xff\xfe garbage \x00" * 8
"""Parses as no message: 0xff opens a field of a wire type that there is not."""
DEATH_STATUS = 137
"""What a shell tells of a process that kill -9 ended."""


class Interceptor(grpc.ServerInterceptor):  # type: ignore[misc] # no types
    """Makes the faults of ``plan`` before or instead of the service's answer."""

    def __init__(self, plan: FaultPlan) -> None:
        self._plan = plan

    def intercept_service(self, continuation: Any, details: Any) -> Any:
        """The service's handler, with the faults of the plan around it."""
        handler = continuation(details)
        # Unknown methods, and the health protocol's streams.
        if handler is None or handler.unary_unary is None:
            return handler
        method = details.method.rpartition("/")[2]
        return grpc.unary_unary_rpc_method_handler(
            self._faulty(method, handler.unary_unary),
            request_deserializer=handler.request_deserializer,
            response_serializer=_passing_bytes(handler.response_serializer),
        )

    def _faulty(self, method: str, answer: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
        def faulty(request: Any, context: Any) -> Any:
            rule = self._plan.next(_call(method, request))
            if rule is not None and (answered := _make(rule, context)) is not None:
                return answered
            return answer(request, context)

        return faulty


def _call(method: str, request: Any) -> Occasion:
    tasks = getattr(request, "tasks", None)
    spec = getattr(tasks[0] if tasks else request, "model_spec", None)
    if spec is None:
        return Occasion(GRPC, method, "")
    version = int(spec.version.value) if spec.HasField("version") else None
    return Occasion(GRPC, method, spec.name, version)


def _make(rule: Rule, context: Any) -> bytes | None:
    """Make the fault; bytes are the answer, None leaves it to the service."""
    if rule.fault is Kind.DEATH:
        os._exit(DEATH_STATUS)
    if rule.fault is Kind.SLOW:
        time.sleep(rule.seconds)
        return None
    if rule.fault is Kind.RESET:
        cut_connection.cut(int(context.peer().rpartition(":")[2]))
    if rule.fault is Kind.ERROR:
        # It raises, so that nothing below is reached.
        context.abort(grpc.StatusCode[rule.code], rule.message)
    return GARBAGE


def _passing_bytes(serialize: Callable[[Any], bytes]) -> Callable[[Any], bytes]:
    # Faults are bytes already; serializing them would mend them.
    return lambda answer: answer if isinstance(answer, bytes) else serialize(answer)
