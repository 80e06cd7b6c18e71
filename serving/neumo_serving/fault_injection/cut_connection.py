"""Cuts a connection of this process, found by the port of its other end."""

from __future__ import annotations

import ctypes
import os
import socket
import stat

_UNSPECIFIED = bytes(16)
"""``sockaddr`` of the family AF_UNSPEC: connecting to it resets a TCP connection."""


def cut(peer_port: int) -> None:
    """Reset the connections whose other end is ``peer_port``, whoever here holds them."""
    # gRPC's connections are C's: no Python object holds them, so all descriptors are looked at.
    for name in os.listdir("/dev/fd"):  # noqa: PTH208 - numbers, not paths
        if not _is_socket(int(name)):
            continue
        # A duplicate: this one is closed here, the owner's stays open and learns of the reset.
        with socket.socket(fileno=os.dup(int(name))) as connection:
            if _peer_port(connection) == peer_port:
                ctypes.CDLL(None).connect(connection.fileno(), _UNSPECIFIED, len(_UNSPECIFIED))
                _shut(connection)


def _is_socket(descriptor: int) -> bool:
    try:
        return stat.S_ISSOCK(os.fstat(descriptor).st_mode)
    except OSError:  # closed since it was listed
        return False


def _peer_port(connection: socket.socket) -> int | None:
    try:
        peer = connection.getpeername()
    except OSError:
        return None
    return int(peer[1]) if connection.family in (socket.AF_INET, socket.AF_INET6) else None


def _shut(connection: socket.socket) -> None:
    """For systems that know no disconnecting."""
    try:
        connection.shutdown(socket.SHUT_RDWR)
    except OSError:
        return
