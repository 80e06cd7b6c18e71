"""The servers behind a URL's name: one each for the addresses that it resolves to."""

from __future__ import annotations

import ipaddress
import socket
from urllib.parse import urlsplit

_DEFAULT_PORTS = {"grpc": 8500, "http": 8501}
"""Of the schemes that are asked by address: a certificate is of the name, and so is a mesh's."""


def urls(url: str) -> tuple[str, ...]:
    """``url`` with each address in the name's place; ``url`` alone where there is only one."""
    parts = urlsplit(url)
    host = parts.hostname
    if parts.scheme not in _DEFAULT_PORTS or not host:
        return (url,)
    try:
        port = parts.port or _DEFAULT_PORTS[parts.scheme]
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, ValueError):
        # What is wrong with it the client says better, when it asks there.
        return (url,)
    # One family: a pod of two has an address in each, and is one server.
    addresses = sorted({str(one[4][0]) for one in found if one[0] == found[0][0]})
    # A machine's own name stands for all of its interfaces.
    if len(addresses) < 2 or all(ipaddress.ip_address(one).is_loopback for one in addresses):
        return (url,)
    return tuple(
        parts._replace(netloc=f"[{one}]:{port}" if ":" in one else f"{one}:{port}").geturl()
        for one in addresses
    )
