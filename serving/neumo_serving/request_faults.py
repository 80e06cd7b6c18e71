"""Why a request or a load failed: raised once here, mapped at each edge."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from tensorflow.core.protobuf import error_codes_pb2
from tensorflow.python.framework import errors

log = logging.getLogger(__name__)

INVALID_ARGUMENT: Final = "INVALID_ARGUMENT"
NOT_FOUND: Final = "NOT_FOUND"
FAILED_PRECONDITION: Final = "FAILED_PRECONDITION"
UNIMPLEMENTED: Final = "UNIMPLEMENTED"
INTERNAL: Final = "INTERNAL"
CANCELLED: Final = "CANCELLED"
DEADLINE_EXCEEDED: Final = "DEADLINE_EXCEEDED"
RESOURCE_EXHAUSTED: Final = "RESOURCE_EXHAUSTED"

MAX_MESSAGE_CHARACTERS = 1024
"""What TensorFlow Serving sends of a message (its ``model_servers/grpc_status_util.cc``)."""


class Fault(Exception):  # noqa: N818 - an error's name would suggest one of Python's
    """A canonical status ``code``, by name, and what TensorFlow Serving would say."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(code, message)
        self.code = code
        self.message = message

    @property
    def number(self) -> int:
        """The code's number, as in ``google.rpc.Code``."""
        return int(error_codes_pb2.Code.Value(self.code))

    @property
    def brief(self) -> str:
        """The message as it is sent, cut where it is long."""
        if len(self.message) <= MAX_MESSAGE_CHARACTERS:
            return self.message
        return self.message[:MAX_MESSAGE_CHARACTERS] + "...TRUNCATED"


def invalid(message: str) -> Fault:
    """An INVALID_ARGUMENT fault."""
    return Fault(INVALID_ARGUMENT, message)


def unexpected(transport: str, error: Exception) -> Fault:
    """The INTERNAL fault for an ``error`` that nobody foresaw.

    Only the kind of error is logged and told: its text might hold a part of the request.
    """
    log.error("a %s request ended in %s", transport, type(error).__name__)
    return Fault(INTERNAL, f"internal error ({type(error).__name__}); see the server's log")


@contextmanager
def as_faults() -> Iterator[None]:
    """Whatever TensorFlow raises inside becomes a ``Fault`` with TensorFlow's code and text."""
    try:
        yield
    except errors.OpError as error:
        code = error_codes_pb2.Code.Name(error.error_code)
        raise Fault(code, error.message or code) from None
    # What was a fault below stays what it is: the next clause would make it INTERNAL.
    except Fault:
        raise
    except Exception as error:  # noqa: BLE001 - a SavedModel can be wrong in any way
        raise Fault(INTERNAL, f"{type(error).__name__}: {error}") from None
