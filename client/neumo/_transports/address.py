"""Server URLs: ``grpc://host:port``, ``grpcs://…``, ``http://…``, ``https://…``, ``unix:///path``.

And ``xds:///listener``: gRPC asks the mesh's control plane where the servers are.
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from urllib.parse import urlsplit

from neumo.errors import ConfigError

_DEFAULT_PORTS = {"grpc": 8500, "grpcs": 443, "http": 8501, "https": 443}
"""TensorFlow Serving's own ports; a server with TLS stands behind a proxy on 443."""

_EXAMPLE = "give one such as grpc://localhost:8500 or http://localhost:8501"


@dataclass(frozen=True, slots=True)
class Address:
    """Where a server is.

    ``host`` has no brackets, also for IPv6; ``path`` is the prefix of a REST API behind a proxy,
    without a final slash, or the path of a UNIX socket, or the name that xDS knows.
    """

    scheme: str
    host: str
    port: int
    path: str

    @property
    def netloc(self) -> str:
        """``host:port``, an IPv6 address in brackets."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"

    @property
    def host_header(self) -> str:
        """What HTTP calls the host: without the port where it is the scheme's own."""
        is_usual = self.port == {"http": 80, "https": 443}.get(self.scheme)
        return self.netloc.rpartition(":")[0] if is_usual else self.netloc

    @property
    def is_grpc(self) -> bool:
        """Whether gRPC is spoken there, rather than REST."""
        return self.scheme in ("grpc", "grpcs", "unix", "xds")

    @property
    def is_own_machine(self) -> bool:
        """Whether what is sent there leaves this machine by no network."""
        if self.scheme == "unix" or self.host == "localhost" or self.host.endswith(".localhost"):
            return True
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:  # a name
            return False

    def __str__(self) -> str:
        if self.scheme in ("unix", "xds"):
            return f"{self.scheme}://{self.path}"
        return f"{self.scheme}://{self.netloc}{self.path}"


def parse(url: str) -> Address:
    """The address in ``url``.

    Without a port: 8500 for grpc, 8501 for http, 443 for grpcs and https. Raises ``ConfigError``,
    which repeats no user name or password of the URL.
    """
    try:
        parts = urlsplit(url)
        scheme, host, port = parts.scheme.lower(), parts.hostname or "", parts.port
    except ValueError:
        raise ConfigError(f"the server's URL cannot be read: {_EXAMPLE}") from None
    if parts.username is not None or parts.password is not None:
        raise ConfigError(f"a user name in the server's URL is not supported: {_EXAMPLE}")
    if parts.query or parts.fragment:
        raise ConfigError(f"the server's URL has a ? or # part: {_EXAMPLE}")
    if scheme == "unix" and not host and parts.path.startswith("/"):
        return Address("unix", "", 0, parts.path)
    if scheme == "xds" and not host and parts.path.strip("/"):
        return Address("xds", "", 0, parts.path)
    if scheme not in _DEFAULT_PORTS or not host:
        raise ConfigError(f"{url!r} is no server's URL: {_EXAMPLE}")
    if scheme in ("grpc", "grpcs") and parts.path.strip("/"):
        raise ConfigError(f"{url!r}: gRPC has no path after the port; {_EXAMPLE}")
    return Address(scheme, host, port or _DEFAULT_PORTS[scheme], parts.path.rstrip("/"))
