"""The shipped release, served once for all tests of the gateway."""

from neumo.testing.fixtures import neumo_server

__all__ = ["neumo_server"]
