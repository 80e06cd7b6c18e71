"""What a gRPC call came to, whichever channel carried it: an answer, or an error of neumo's."""

from __future__ import annotations

from typing import TypeVar

from neumo._transports import status_codes
from neumo._wire.calls import Call
from neumo.errors import BadResponse, PermissionDenied, ServingError, Unavailable

A = TypeVar("A")


def answer(call: Call[A], data: bytes, target: str) -> A:
    """The answer to ``call`` in ``data``; raises ``BadResponse`` where there is none."""
    try:
        return call.read_rpc(data)
    except ValueError as error:
        raise BadResponse(call.model, target, status_codes.brief(str(error))) from error


def fault(model: str, target: str, code: str, details: str) -> ServingError:
    """The error of a call that ended with the gRPC code called ``code``."""
    kind = status_codes.of_grpc(code)
    if kind is Unavailable and status_codes.is_about_certificates(details):
        kind = PermissionDenied
    return kind(model, target, f"{code}: {status_codes.brief(details)}")
