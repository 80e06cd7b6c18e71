"""What a client is told: an argument goes before the environment, and that before the default."""

from __future__ import annotations

import logging
import math
import os
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from neumo import contract
from neumo.errors import ConfigError

SERVER_VARIABLE = "NEUMO_SERVER"
TIMEOUT_VARIABLE = "NEUMO_TIMEOUT"
TOKEN_VARIABLE = "NEUMO_TOKEN"  # noqa: S105 - the variable's name
CA_VARIABLE = "NEUMO_CA"
LOG_VARIABLE = "NEUMO_LOG"
LOGGER = "neumo"
DEFAULT_SERVER = "grpc://localhost:8500"
DEFAULT_TIMEOUT_S = 10.0
DEFAULT_RETRIES = 3
MAX_RETRIES = 10
MAX_CONNECTIONS = 64
MAX_SECONDS = 1_000_000
"""About 11 days: clocks and sockets of some systems take no more than 49 (2^32 ms)."""

_MEMBERS = tuple(model.name for model in contract.MEMBERS)

REQUIRED: Literal["required"] = "required"
Screen: TypeAlias = bool | Literal["required"]
"""What becomes of a film that is no chest radiograph, or of which nobody knows: see ``Client``."""


Token: TypeAlias = str | Callable[[], str]
"""A bearer token, or what gives one for each call: tokens expire."""

Pem: TypeAlias = str | os.PathLike[str] | bytes
"""The path of a PEM file, or what stands in one."""


@dataclass(frozen=True, slots=True)
class Tls:
    """PEM: the authority that the server's certificate is checked against, and our own.

    Each is a file's path or its content. Files that are replaced are read again, for connections
    made from then on. Without ``ca`` it is checked against the well-known authorities.
    ``certificate`` and ``key`` go together, for servers that check their callers (mTLS).
    """

    ca: Pem | None = None
    certificate: Pem | None = None
    key: Pem | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Settings:
    """What a client is told, but for its metadata; no ``repr`` shows the token."""

    url: str
    timeout_s: float
    release: int | None
    labels: Mapping[str, str]
    retries: int
    hedge_s: float | None
    screen: Screen
    token: Token | None = field(repr=False)
    tls: Tls | None
    connections: int | None


def resolve(  # noqa: PLR0913 - all but the first by keyword
    url: str | None = None,
    *,
    timeout: float | None = None,
    release: int | None = None,
    labels: str | Mapping[str, str] | None = None,
    retries: int = DEFAULT_RETRIES,
    hedge: float | None = None,
    screen: Screen = True,
    token: Token | None = None,
    tls: Tls | None = None,
    connections: int | None = None,
    members: Collection[str] = _MEMBERS,
    environ: Mapping[str, str] = os.environ,
) -> Settings:
    """The settings for these arguments, of which None means not given.

    Raises ``ConfigError`` for a timeout or hedge that is not a number of seconds above 0, a
    release that is not a whole number from 1, labels beside a release or of a model that is no
    member, retries outside 0 to 10, connections outside 1 to 64, and another ``screen`` than
    True, False or "required".
    """
    server = url or environ.get(SERVER_VARIABLE) or DEFAULT_SERVER
    if release is not None and labels is not None:
        raise ConfigError("release and labels are both given, and both pin: give one of them")
    return Settings(
        server,
        _timeout_s(timeout, environ),
        _release(release),
        _labels(labels, members),
        _retries(retries),
        None if hedge is None else _seconds("hedge", hedge),
        _screen(screen),
        token or environ.get(TOKEN_VARIABLE),
        tls or _tls(server, environ),
        _connections(connections),
    )


def start_log(environ: Mapping[str, str] = os.environ) -> None:
    """Let the logger ``neumo`` say what ``NEUMO_LOG`` asks for, on stderr where nobody hears it.

    Raises ``ConfigError`` for another word than debug, info, warning or error. Without the variable
    nothing is changed: the level and the handlers are the application's.
    """
    asked = environ.get(LOG_VARIABLE)
    if not asked:
        return
    if asked.lower() not in _LOG_LEVELS:
        raise ConfigError(f"{LOG_VARIABLE} is {asked!r}: give {', '.join(_LOG_LEVELS)}")
    log = logging.getLogger(LOGGER)
    log.setLevel(asked.upper())
    if not log.hasHandlers():
        written = logging.StreamHandler()
        written.setFormatter(logging.Formatter("%(asctime)s %(name)s %(levelname)s %(message)s"))
        log.addHandler(written)


_LOG_LEVELS = ("debug", "info", "warning", "error")


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
    if seconds > MAX_SECONDS:
        raise ConfigError(f"{name} is {value!r}: give at most {MAX_SECONDS:,} seconds")
    return seconds


def _release(release: int | None) -> int | None:
    if release is None:
        return None
    if not _is_whole(release) or release < 1:
        raise ConfigError(f"release is {release!r}: give a whole number from 1")
    return release


def _labels(labels: str | Mapping[str, str] | None, members: Collection[str]) -> Mapping[str, str]:
    """The label of each member: one for all, or by the member's name."""
    by_model = dict.fromkeys(members, labels) if isinstance(labels, str) else dict(labels or {})
    for model, label in by_model.items():
        if model not in members:
            raise ConfigError(f"labels names {model!r}: the members are {', '.join(members)}")
        if not isinstance(label, str) or not label:
            raise ConfigError(f"the label of {model} is {label!r}: give a text such as 'stable'")
    return by_model


def _retries(retries: int) -> int:
    if not _is_whole(retries) or not 0 <= retries <= MAX_RETRIES:
        raise ConfigError(f"retries is {retries!r}: give a whole number from 0 to {MAX_RETRIES}")
    return retries


def _connections(connections: int | None) -> int | None:
    if connections is None or (_is_whole(connections) and 1 <= connections <= MAX_CONNECTIONS):
        return connections
    raise ConfigError(
        f"connections is {connections!r}: give a whole number from 1 to {MAX_CONNECTIONS}"
    )


def _screen(screen: Screen) -> Screen:
    if not isinstance(screen, bool) and screen != REQUIRED:
        raise ConfigError(f"screen is {screen!r}: give True, False or {REQUIRED!r}")
    return screen


def _is_whole(number: object) -> bool:
    return isinstance(number, int) and not isinstance(number, bool)
