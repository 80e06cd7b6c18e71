"""A short run of the fuzzer; ``make fuzz`` is the long one."""

from __future__ import annotations

import pytest

from support.conformance import servers
from support.fuzz import fuzzer
from support.fuzz.tally import report

pytestmark = pytest.mark.slow

REQUESTS = 2_000


def test_malformed_requests_are_refused_and_the_server_goes_on(models_store, binary):
    """Two thousand of every kind, over both transports, with valid ones between."""
    flags = servers.flags_of(servers.PLAIN, models_store)
    server = servers.wait_until_ready(servers.start(binary, flags))
    try:
        tally = fuzzer.fuzz(server, REQUESTS, span_s=0.0, clients=4, seed=1)
        assert not tally.wrong, report(tally, 0.0)
        assert tally.sent == REQUESTS
    finally:
        server.stop()
