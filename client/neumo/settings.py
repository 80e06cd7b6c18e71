"""What a client is told: an argument goes before the environment, and that before the default."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping
from dataclasses import dataclass, field

from neumo.errors import ConfigError
from neumo.transports.access import Tls

SERVER_VARIABLE = "NEUMO_SERVER"
TIMEOUT_VARIABLE = "NEUMO_TIMEOUT"
TOKEN_VARIABLE = "NEUMO_TOKEN"  # noqa: S105 - the variable's name
CA_VARIABLE = "NEUMO_CA"
DEFAULT_SERVER = "grpc://localhost:8500"
DEFAULT_TIMEOUT_S = 10.0
DEFAULT_RETRIES = 3
MAX_RETRIES = 10


@dataclass(frozen=True, slots=True)
class Settings:
    """What a client is told, but for its metadata; no ``repr`` shows the token."""

    url: str
    timeout_s: float
    release: int | None
    retries: int
    token: str | None = field(repr=False)
    tls: Tls | None


def resolve(
    url: str | None,
    timeout: float | None,
    release: int | None,
    retries: int = DEFAULT_RETRIES,
    token: str | None = None,
    tls: Tls | None = None,
    *,
    environ: Mapping[str, str] = os.environ,
) -> Settings:
    """The settings for these arguments, of which None means not given.

    Raises ``ConfigError`` for a timeout that is not a number of seconds above 0, and a release
    that is not a whole number from 1, and retries outside 0 to 10.
    """
    server = url or environ.get(SERVER_VARIABLE) or DEFAULT_SERVER
    return Settings(
        server,
        _timeout_s(timeout, environ),
        _release(release),
        _retries(retries),
        token or environ.get(TOKEN_VARIABLE),
        tls or _tls(server, environ),
    )


def _tls(server: str, environ: Mapping[str, str]) -> Tls | None:
    """The environment's authority, for a URL with TLS: it says whom to trust, not to encrypt."""
    ca = environ.get(CA_VARIABLE)
    return Tls(ca=ca) if ca and server.lower().startswith(("grpcs:", "https:")) else None


def _timeout_s(timeout: float | None, environ: Mapping[str, str]) -> float:
    if timeout is not None:
        return _seconds("timeout", timeout)
    if text := environ.get(TIMEOUT_VARIABLE):
        return _seconds(TIMEOUT_VARIABLE, text)
    return DEFAULT_TIMEOUT_S


def _seconds(name: str, value: float | str) -> float:
    try:
        seconds = float(value)
    except (TypeError, ValueError):
        seconds = math.nan
    if not 0.0 < seconds < math.inf:
        raise ConfigError(f"{name} is {value!r}: give a number of seconds above 0")
    return seconds


def _release(release: int | None) -> int | None:
    if release is None:
        return None
    if not _is_whole(release) or release < 1:
        raise ConfigError(f"release is {release!r}: give a whole number from 1")
    return release


def _retries(retries: int) -> int:
    if not _is_whole(retries) or not 0 <= retries <= MAX_RETRIES:
        raise ConfigError(f"retries is {retries!r}: give a whole number from 0 to {MAX_RETRIES}")
    return retries


def _is_whole(number: object) -> bool:
    return isinstance(number, int) and not isinstance(number, bool)
