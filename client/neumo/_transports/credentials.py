"""What a server wants of its callers: headers, and TLS with or without a certificate of ours."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from neumo._transports.address import Address
from neumo.errors import ConfigError
from neumo.settings import Tls

_NAME = re.compile(r"[0-9a-z_.-]+")
_VALUE = re.compile(r"[\x20-\x7e]+")
_ENCRYPTED = ("grpcs", "https")
_OWN_MACHINE = ("localhost", "127.0.0.1", "::1")


@dataclass(frozen=True, slots=True)
class Access:
    """Headers of every call, by lower-case name, and TLS. No ``repr`` shows a header's value."""

    headers: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    tls: Tls = field(default_factory=Tls)


def build(
    token: str | None, metadata: Mapping[str, str] | None, tls: Tls | None, where: Address | None
) -> Access:
    """The access with a bearer ``token`` and further ``metadata``, checked.

    Raises ``ConfigError``, which repeats no value, for a name or value that no header can have, a
    token that would travel readable, a file that cannot be read, and TLS for a URL without it.
    """
    headers = {name.lower(): value for name, value in (metadata or {}).items()}
    for name, value in headers.items():
        _check_header(name, value)
    if token is not None:
        _check_token(token, where)
        headers["authorization"] = f"Bearer {token}"
    if tls is not None:
        _check_tls(tls, where)
    return Access(tuple(sorted(headers.items())), tls or Tls())


def content(path: str | os.PathLike[str] | None) -> bytes | None:
    """The PEM file at ``path``; None for None. Raises ``ConfigError`` where it cannot be read."""
    if path is None:
        return None
    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read ({error.strerror}): give a PEM file") from error


def _check_header(name: str, value: str) -> None:
    if not _NAME.fullmatch(name) or name.startswith("grpc-") or name.endswith("-bin"):
        raise ConfigError(f"metadata {name!r} is no header's name: use letters, digits and -")
    if not isinstance(value, str) or not _VALUE.fullmatch(value):
        raise ConfigError(f"metadata {name!r} has a value that is not printable ASCII text")


def _check_token(token: str, where: Address | None) -> None:
    if not isinstance(token, str) or not _VALUE.fullmatch(token):
        raise ConfigError("the token is not printable ASCII text: check where it comes from")
    if where is not None and not _is_private(where):
        raise ConfigError("the token would travel readable: use a grpcs:// or https:// URL")


def _is_private(where: Address) -> bool:
    return where.scheme in (*_ENCRYPTED, "unix") or where.host in _OWN_MACHINE


def _check_tls(tls: Tls, where: Address | None) -> None:
    if (tls.certificate is None) != (tls.key is None):
        raise ConfigError("tls has a certificate without a key, or a key without: give both")
    if where is not None and where.scheme not in _ENCRYPTED:
        raise ConfigError(f"tls is given, but {where} has none: use a grpcs:// or https:// URL")
    for path in (tls.ca, tls.certificate, tls.key):
        content(path)
