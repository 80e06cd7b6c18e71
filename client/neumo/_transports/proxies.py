"""Which proxy carries the calls to a server, by the environment: alike for gRPC and REST.

gRPC and requests each have rules of their own: one of them reads upper-case variables, only one
knows networks in ``NO_PROXY``, and both hand a proxy the calls to this very machine. So neither is
asked: what is decided here is given to both.
"""

from __future__ import annotations

import ipaddress
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from neumo._transports.address import Address
from neumo.errors import ConfigError

_VARIABLES = {
    "http": ("http_proxy", "all_proxy"),
    "https": ("https_proxy", "all_proxy"),
    # gRPC's own order, whether or not there is TLS: it always asks for a tunnel (CONNECT).
    "grpc": ("grpc_proxy", "https_proxy", "http_proxy", "all_proxy"),
    "grpcs": ("grpc_proxy", "https_proxy", "http_proxy", "all_proxy"),
}


@dataclass(frozen=True, slots=True)
class Proxy:
    """A proxy's URL, which may hold a password; its ``name`` in messages holds none."""

    url: str = field(repr=False)
    name: str


def proxy_for(where: Address, environ: Mapping[str, str] = os.environ) -> Proxy | None:
    """The proxy for calls to ``where``; None where they go straight.

    What stays on this machine always goes straight. Raises ``ConfigError`` for a proxy that is no
    ``http://`` URL, and for ``https://`` before a gRPC server: gRPC speaks no TLS to a proxy.
    """
    if where.is_own_machine or where.scheme not in _VARIABLES or _is_spared(where, environ):
        return None
    for variable in _VARIABLES[where.scheme]:
        if text := environ.get(variable) or environ.get(variable.upper()):
            return _proxy(variable, text, where)
    return None


def _proxy(variable: str, text: str, where: Address) -> Proxy:
    url = text if "://" in text else f"http://{text}"
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        host = port = None
    schemes = ("http",) if where.is_grpc else ("http", "https")
    if host is None or parts.scheme.lower() not in schemes:
        raise ConfigError(
            f"{variable} names no proxy that can be used for {where}: give one such as "
            "http://proxy.example.org:3128, or except the server by no_proxy"
        )
    bracketed = f"[{host}]" if ":" in host else host
    return Proxy(url, f"{bracketed}:{port}" if port else bracketed)


def _is_spared(where: Address, environ: Mapping[str, str]) -> bool:
    """Whether ``NO_PROXY`` lists the server: names and their subdomains, networks, ``*``."""
    variables = ["no_proxy", "NO_PROXY"]
    if where.is_grpc:
        variables = ["no_grpc_proxy", "NO_GRPC_PROXY", *variables]
    listed = next((environ[name] for name in variables if environ.get(name)), "")
    return any(_matches(entry.strip().lower(), where) for entry in listed.split(","))


def _matches(entry: str, where: Address) -> bool:
    if entry in ("", "*"):
        return entry == "*"
    try:
        network = ipaddress.ip_network(entry.strip("[]"), strict=False)
        return ipaddress.ip_address(where.host) in network
    except ValueError:
        name = entry.removeprefix("*").lstrip(".")
        host = where.host.lower().rstrip(".")
        is_above = name != "" and f".{host}".endswith(f".{name}")
        return is_above or entry == where.netloc
