"""What an error advises is what helps against it."""

from __future__ import annotations

import neumo


def test_a_batch_that_the_server_does_not_split_is_to_be_smaller():
    """Client and server do not disagree: its batching's parameters are smaller than the request."""
    text = "Task size 33 is larger than maximum input batch size 32"
    told = str(neumo.InvalidRequest("lungs", "grpc://h:1", text))
    assert "batch_size=" in told
    assert "enable_large_batch_splitting" in told
    assert "disagree" not in told


def test_another_request_that_is_refused_is_of_another_version():
    """There is no other reason for it."""
    told = str(neumo.InvalidRequest("lungs", "grpc://h:1", "tensor parsing error: image"))
    assert "update the older" in told
