"""For tests of applications that use neumo: a real server as a process, and one in memory."""

from neumo.testing.fake import FakeTransport, answering
from neumo.testing.server import EmbeddedServer

__all__ = ["EmbeddedServer", "FakeTransport", "answering"]
