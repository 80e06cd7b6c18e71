"""What the gateway is told: where the models are, who may ask, and how much at a time."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from ipaddress import IPv4Network, IPv6Network, ip_address
from pathlib import Path
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
    it counts, as ``X-Forwarded-For`` does, only from ``proxies``. There are ``proxy_hops`` of them
    between a client and the gateway. ``token_file`` is where the tokens came from, and is read
    again when it changes. ``allowed_hosts`` are names by which the gateway may be asked.
    """

    token_digests: tuple[bytes, ...] = ()
    user_header: str | None = None
    proxies: tuple[Network, ...] = ()
    proxy_hops: int = 1
    token_file: Path | None = None
    allowed_hosts: frozenset[str] = frozenset()

    @property
    def is_guarded(self) -> bool:
        """Whether not everybody may ask."""
        return bool(self.token_digests or self.token_file or self.user_header)


@dataclass(frozen=True, slots=True)
class ShadowRules:
    """Which canary is asked about which ``share`` of the films, and how alike it has to answer.

    ``alpha`` bounds how often the whole judgement errs. Shares of the films, 0 to 1: ``max_flips``
    whose verdict changes, ``max_refusals`` that only one of the two refuses, ``max_failures``
    that the canary does not answer, ``max_slow`` on which it takes more than ``slow_factor`` times
    as long. ``max_change`` is the mean of the probabilities' absolute changes.
    """

    url: str
    share: float = 0.05
    alpha: float = 0.05
    max_flips: float = 0.05
    max_refusals: float = 0.02
    max_failures: float = 0.02
    max_change: float = 0.1
    slow_factor: float = 2.0
    max_slow: float = 0.5


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything; ``server`` None leaves the choice to the SDK.

    ``operators_host`` and ``operators_port`` are where metrics are told, and the shadow.
    """

    server: str | None = None
    host: str = "127.0.0.1"
    port: int = 8080
    drain_wait_s: float = 0.0
    limits: Limits = field(default_factory=Limits)
    access: AccessRules = field(default_factory=AccessRules)
    shadow: ShadowRules | None = None
    operators_host: str = "127.0.0.1"
    operators_port: int = 8081


def is_loopback(host: str) -> bool:
    """Whether ``host`` leads to this machine alone."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")
