"""What a server wants of its callers: headers, and TLS with or without a certificate of ours."""

from __future__ import annotations

import contextvars
import os
import re
import ssl
import tempfile
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias

from neumo._transports.address import Address
from neumo.errors import ConfigError
from neumo.settings import Pem, Tls, Token

Headers: TypeAlias = tuple[tuple[str, str], ...]

MAX_REQUEST_ID = 200
"""Characters: proxies and servers bound a request's headers together."""

_REQUEST_ID = re.compile(rf"[\x21-\x7e]{{1,{MAX_REQUEST_ID}}}")
_NAME = re.compile(r"[0-9a-z_.-]+")
_VALUE = re.compile(r"[\x20-\x7e]+")
_ENCRYPTED = ("grpcs", "https")
_AUTHORIZATION = "authorization"

REQUEST_ID = "x-request-id"

headers_of_this_request: contextvars.ContextVar[Headers] = contextvars.ContextVar("of_request")
"""What goes with every call of one request, such as its id: set by whoever makes the request."""

headers_of_this_call: contextvars.ContextVar[Headers] = contextvars.ContextVar("of_call")
"""What goes with one call only, such as ``traceparent``: set by whoever starts the call."""


@dataclass(frozen=True, slots=True)
class Access:
    """Headers of every call, by lower-case name, and TLS. No ``repr`` shows a header's value.

    ``token`` is called for each call where the application gave a function.
    """

    headers: Headers = field(default=(), repr=False)
    tls: Tls | None = None
    token: Callable[[], str] | None = field(default=None, repr=False)

    def headers_now(self) -> Headers:
        """The headers of a call that begins now: the request's before ours before the call's.

        Raises ``ConfigError`` where the application's function fails, or gives no token.
        """
        merged = dict(headers_of_this_call.get(()))
        merged.update(self.headers)
        merged.update(headers_of_this_request.get(()))
        if self.token is not None:
            merged[_AUTHORIZATION] = _bearer(_called(self.token))
        return tuple(merged.items())


def build(
    token: Token | None, metadata: Mapping[str, str] | None, tls: Tls | None, where: Address | None
) -> Access:
    """The access with a bearer ``token`` and further ``metadata``, checked.

    Raises ``ConfigError``, which repeats no value, for a name or value that no header can have, a
    token that would travel readable, one beside ``metadata["authorization"]``, a file that cannot
    be read or used, and TLS for a URL without it.
    """
    headers = checked(metadata, has_token=token is not None)
    if token is not None:
        _check_privacy(where, tls)
        if not callable(token):
            headers[_AUTHORIZATION] = _bearer(token)
    if tls is not None:
        _check_tls(tls, where)
    called = token if callable(token) else None
    return Access(tuple(sorted(headers.items())), tls, called)


def checked(metadata: Mapping[str, str] | None, *, has_token: bool) -> dict[str, str]:
    """``metadata`` by lower-case names; raises ``ConfigError`` as ``build``."""
    headers = {name.lower(): value for name, value in (metadata or {}).items()}
    for name, value in headers.items():
        _check_header(name, value)
    if _AUTHORIZATION in headers and has_token:
        raise ConfigError(
            "a token (token= or NEUMO_TOKEN) and metadata['authorization'] are both given: "
            "give one of them"
        )
    return headers


def request_id(given: str) -> str:
    """``given``; raises ``ConfigError`` for what cannot be sent as an id."""
    if not isinstance(given, str) or not _REQUEST_ID.fullmatch(given):
        raise ConfigError(
            f"request_id is {given!r}: give up to {MAX_REQUEST_ID} printable ASCII characters"
        )
    return given


def request_id_now() -> str:
    """That of the request that is being made; "-" where there is none."""
    return dict(headers_of_this_request.get(())).get(REQUEST_ID, "-")


def content(pem: Pem | None) -> bytes | None:
    """The PEM in ``pem``, or in the file of that path; None for None.

    Raises ``ConfigError`` where it cannot be read.
    """
    if pem is None or isinstance(pem, bytes):
        return pem
    try:
        return Path(pem).read_bytes()
    except OSError as error:
        raise ConfigError(f"{pem}: cannot be read ({error.strerror}): give a PEM file") from error


def authorities(tls: Tls | None) -> bytes:
    """Whom the server's certificate is checked against: Mozilla's list where none is given.

    gRPC and requests each bring a list, which are not of one age: both are given this one.
    """
    given = content(tls.ca) if tls is not None else None
    if given is not None:
        return given
    import certifi  # noqa: PLC0415 - only for TLS

    return Path(certifi.where()).read_bytes()


def context(tls: Tls | None) -> ssl.SSLContext:
    """What REST's connections are encrypted by, which judges certificates as gRPC does.

    Raises ``ConfigError`` for what is no PEM, and a key that is not the certificate's.
    """
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    made.minimum_version = ssl.TLSVersion.TLSv1_2
    # As gRPC has it: an authority may be one that another one signed.
    made.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    made.set_alpn_protocols(["http/1.1"])
    try:
        made.load_verify_locations(cadata=authorities(tls).decode("ascii"))
    except (ssl.SSLError, ValueError) as error:
        raise ConfigError("tls: what ca names holds no certificate: give a PEM file") from error
    if tls is not None and tls.certificate is not None and tls.key is not None:
        try:
            _load_pair(made, tls.certificate, tls.key)
        except (ssl.SSLError, ValueError) as error:
            raise ConfigError(
                "tls: certificate and key do not go together, or are no PEM, or the key has a "
                "password: give a pair without one"
            ) from error
    return made


def stamp(tls: Tls | None) -> tuple[tuple[int, int], ...]:
    """Another one once a file of ``tls`` was replaced: certificates are renewed in place."""
    paths = () if tls is None else (tls.ca, tls.certificate, tls.key)
    stamps = []
    for path in paths:
        if path is not None and not isinstance(path, bytes):
            try:
                found = os.stat(path)  # noqa: PTH116 - a path may be a text
            except OSError:  # it is just being replaced
                continue
            stamps.append((found.st_mtime_ns, found.st_ino))
    return tuple(stamps)


def _load_pair(made: ssl.SSLContext, certificate: Pem, key: Pem) -> None:
    with ExitStack() as stack:
        paths = []
        for pem in (certificate, key):
            if not isinstance(pem, bytes):
                paths.append(os.fspath(pem))
                continue
            # OpenSSL takes a path here and no bytes; the file is its owner's, and soon gone.
            file = stack.enter_context(tempfile.NamedTemporaryFile())
            file.write(pem)
            file.flush()
            paths.append(file.name)
        # Without a password OpenSSL would ask for one at the terminal.
        made.load_cert_chain(paths[0], paths[1], password=lambda: b"")


def _called(token: Callable[[], str]) -> str:
    try:
        return token()
    except ConfigError:
        raise
    except Exception as error:  # the application's own: it may be anything
        raise ConfigError(f"token() failed: {type(error).__name__}") from error


def _bearer(token: str) -> str:
    if not isinstance(token, str) or not _VALUE.fullmatch(token):
        raise ConfigError("the token is not printable ASCII text: check where it comes from")
    return f"Bearer {token}"


def _check_header(name: str, value: str) -> None:
    if not _NAME.fullmatch(name) or name.startswith("grpc-") or name.endswith("-bin"):
        raise ConfigError(f"metadata {name!r} is no header's name: use letters, digits and -")
    if not isinstance(value, str) or not _VALUE.fullmatch(value):
        raise ConfigError(f"metadata {name!r} has a value that is not printable ASCII text")


def _check_privacy(where: Address | None, tls: Tls | None) -> None:
    if where is None or where.scheme in _ENCRYPTED or where.is_own_machine:
        return
    if where.scheme == "xds" and tls is not None:
        return
    raise ConfigError("the token would travel readable: use a grpcs:// or https:// URL")


def _check_tls(tls: Tls, where: Address | None) -> None:
    if (tls.certificate is None) != (tls.key is None):
        raise ConfigError("tls has a certificate without a key, or a key without: give both")
    if where is not None and where.scheme not in (*_ENCRYPTED, "xds"):
        raise ConfigError(f"tls is given, but {where} has none: use a grpcs:// or https:// URL")
    for pem in (tls.ca, tls.certificate, tls.key):
        content(pem)
    context(tls)
