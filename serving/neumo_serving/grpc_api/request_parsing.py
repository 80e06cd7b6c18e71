"""Requests read from the wire, where bytes that are no message do no harm.

gRPC's own Python server keeps a call for ever whose bytes its deserializer refuses (it ends such a
call twice): 20 KB a request. So nothing is refused before the handler.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import grpc
from google.protobuf.message import DecodeError

REFUSAL = "Exception deserializing request!"
"""The words of gRPC's own server."""


class Unreadable:
    """Stands for a request whose bytes are no message."""


_UNREADABLE = Unreadable()


@dataclass(frozen=True, slots=True)
class Registry:
    """What services are added to in place of ``server``, which gets them with safe reading."""

    server: Any

    def add_generic_rpc_handlers(self, handlers: Iterable[Any]) -> None:
        """Add a service's handlers."""
        self.server.add_generic_rpc_handlers(tuple(_Service(one) for one in handlers))

    def add_registered_method_handlers(self, service: str, handlers: Mapping[str, Any]) -> None:
        """Nothing: newer stubs add their handlers twice, and these would be read unsafely."""


class _Service(grpc.GenericRpcHandler):  # type: ignore[misc] # no types
    def __init__(self, service: Any) -> None:
        self._service = service
        self._handlers: dict[str, Any] = {}

    def service(self, details: Any) -> Any:
        """The handler of the method that is called; None where it is not this service's."""
        # Wrapped once: gRPC asks for the handler at every call.
        if details.method not in self._handlers:
            handler = self._service.service(details)
            if handler is None:
                return None
            self._handlers[details.method] = _safe(handler)
        return self._handlers[details.method]


def _safe(handler: Any) -> Any:
    if handler.unary_unary is None:
        return handler
    return grpc.unary_unary_rpc_method_handler(
        _refusing(handler.unary_unary),
        request_deserializer=_reading(handler.request_deserializer),
        response_serializer=handler.response_serializer,
    )


def _reading(parse: Callable[[bytes], Any]) -> Callable[[bytes], Any]:
    def read(data: bytes) -> Any:
        try:
            return parse(data)
        except DecodeError:
            return _UNREADABLE

    return read


def _refusing(answer: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    def refuse(request: Any, context: Any) -> Any:
        if request is _UNREADABLE:
            context.abort(grpc.StatusCode.INTERNAL, REFUSAL)
        return answer(request, context)

    return refuse
