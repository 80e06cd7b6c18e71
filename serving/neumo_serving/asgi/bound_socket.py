"""A port that is taken before the server is ready to answer on it."""

from __future__ import annotations

import socket
from typing import Any

BACKLOG = 1024
"""Connections that wait to be accepted; the kernel cuts it to ``net.core.somaxconn``."""


def bound(family: socket.AddressFamily, address: tuple[Any, ...]) -> socket.socket:
    """A socket that holds ``address`` but does not listen: it refuses connections until it does.

    One of IPv6 takes IPv4, too. Raises ``OSError`` where the address cannot be had.
    """
    # Without the protocol asyncio leaves Nagle's algorithm on, and every answer takes 40 ms.
    made = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        # A server that has just ended leaves its port in TIME_WAIT for a minute.
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            made.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        made.bind(address)
    except OSError:
        made.close()
        raise
    return made
