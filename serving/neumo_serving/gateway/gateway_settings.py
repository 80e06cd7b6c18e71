"""What the gateway is told: where the models are, who may ask, and how much at a time."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from ipaddress import IPv4Network, IPv6Network
from typing import TypeAlias

Network: TypeAlias = IPv4Network | IPv6Network

MIB = 1024 * 1024
_CALLS_TAKEN = 4 * (os.cpu_count() or 1) - 1
"""By TensorFlow Serving at once, where nobody told it otherwise (``--grpc_max_threads``)."""
CALLS_OF_A_FILM = 3
"""Two members and the screen."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How much is accepted, of one request and of all.

    ``films_at_once`` are asked about at a time, by all requests together: a gateway that is full
    refuses, by default at what fits a server of this machine. ``deadline_s`` is the time for one
    request, its upload included. A client gets ``rate`` films a second (0: any number) after a
    first ``burst``.
    """

    max_films: int = 32
    max_film_bytes: int = 64 * MIB
    max_request_bytes: int = 128 * MIB
    max_held_bytes: int = 512 * MIB
    films_at_once: int = max(1, _CALLS_TAKEN // CALLS_OF_A_FILM)
    deadline_s: float = 30.0
    rate: float = 10.0
    burst: int = 64


@dataclass(frozen=True, slots=True)
class AccessRules:
    """Who may ask.

    ``token_digests`` are the SHA-256 of the bearer tokens that are accepted; empty, none is
    wanted. ``user_header`` is the header in which a proxy names the user that it has checked;
    it counts, as ``X-Forwarded-For`` does, only from ``proxies``.
    """

    token_digests: tuple[bytes, ...] = ()
    user_header: str | None = None
    proxies: tuple[Network, ...] = ()


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything; ``server`` None leaves the choice to the SDK."""

    server: str | None = None
    host: str = "127.0.0.1"
    port: int = 8080
    drain_wait_s: float = 0.0
    limits: Limits = field(default_factory=Limits)
    access: AccessRules = field(default_factory=AccessRules)
