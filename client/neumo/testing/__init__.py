"""For tests of applications that use neumo: a real server as a process, and one in memory."""

from neumo._wire.answer_types import Answer
from neumo._wire.calls import Call, Metadata, Predict, Status
from neumo.embedded import EmbeddedServer
from neumo.testing.fake_transport import Answerer, FakeTransport, answering, failing, slow

__all__ = [
    "Answer",
    "Answerer",
    "Call",
    "EmbeddedServer",
    "FakeTransport",
    "Metadata",
    "Predict",
    "Status",
    "answering",
    "failing",
    "slow",
]
