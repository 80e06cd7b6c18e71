"""For tests of applications that use neumo: a real server as a process, and one in memory."""

from neumo.embedded import EmbeddedServer
from neumo.testing.fake_transport import FakeTransport, answering, failing, slow

__all__ = ["EmbeddedServer", "FakeTransport", "answering", "failing", "slow"]
