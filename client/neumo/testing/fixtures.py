"""A pytest fixture for applications that use neumo.

In the tests' top ``conftest.py``::

    pytest_plugins = ["neumo.testing.fixtures"]

and then::

    def test_my_application(neumo_server):
        with neumo.Client(neumo_server.grpc_url) as client: ...
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from neumo.embedded import EmbeddedServer


@pytest.fixture(scope="session")
def neumo_server() -> Iterator[EmbeddedServer]:
    """The embedded server with the release that neumo ships, one process for the whole run.

    Needs the ``serving`` extra. ``grpc_url`` and ``http_url`` say where it listens.
    """
    with EmbeddedServer() as server:
        yield server
