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
    for name in os.listdir("/dev/fd"):  # noqa: PTH208 - numbers, not paths
        if not _is_socket(int(name)):
            continue
        with socket.socket(fileno=os.dup(int(name))) as found:
            if _peer_port(found) == peer_port:
                ctypes.CDLL(None).connect(found.fileno(), _UNSPECIFIED, len(_UNSPECIFIED))
                _shut(found)


def _is_socket(number: int) -> bool:
    try:
        return stat.S_ISSOCK(os.fstat(number).st_mode)
    except OSError:
        return False


def _peer_port(found: socket.socket) -> int | None:
    try:
        peer = found.getpeername()
    except OSError:
        return None
    return int(peer[1]) if found.family in (socket.AF_INET, socket.AF_INET6) else None


def _shut(found: socket.socket) -> None:
    """For systems that know no disconnecting."""
    try:
        found.shutdown(socket.SHUT_RDWR)
    except OSError:
        return
