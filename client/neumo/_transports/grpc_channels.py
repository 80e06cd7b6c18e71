"""What a gRPC channel is made of, whether its calls are awaited or not."""

from __future__ import annotations

import os
import threading
import time
from importlib.metadata import version
from typing import Any, TypeAlias

from neumo._transports import credentials
from neumo._transports.address import Address
from neumo._transports.credentials import Access
from neumo._transports.proxies import Proxy
from neumo.settings import Tls

# gRPC's core works on in a forked child only where it was told so before its first channel; an
# application that says otherwise is obeyed.
os.environ.setdefault("GRPC_ENABLE_FORK_SUPPORT", "1")

import grpc

Options: TypeAlias = tuple[tuple[str, int | str], ...]

AT_CALL = threading.RLock()
"""Held while a call is handed to gRPC, and over a fork: gRPC prepares no fork (its children hang)
where another thread is inside it."""

UNDER_WAY: set[object] = set()
"""The calls of this process's threads that have not ended. A fork waits for them: gRPC 1.60 to 1.78
end the process where one of them ends meanwhile, and the child of 1.80 may."""

FORK_WAITS_S = 5.0
"""As long as gRPC itself waits for its threads before a fork (``fork_posix.pyx.pxi``)."""


def _before_fork() -> None:
    AT_CALL.acquire()
    until = time.monotonic() + FORK_WAITS_S
    while UNDER_WAY and time.monotonic() < until:
        time.sleep(0.001)
    time.sleep(0.002)  # the thread that told of the last one returns into gRPC, or ends


def _in_child() -> None:
    UNDER_WAY.clear()
    AT_CALL.release()


os.register_at_fork(before=_before_fork, after_in_parent=AT_CALL.release, after_in_child=_in_child)

CHANNEL_OPTIONS: Options = (
    # A batch of films or heat maps passes the default of 4 MiB.
    ("grpc.max_send_message_length", -1),
    ("grpc.max_receive_message_length", -1),
    # One server at a time, a random one of those behind the name: all calls of a film go there.
    (
        "grpc.service_config",
        '{"loadBalancingConfig": [{"pick_first": {"shuffleAddressList": true}}]}',
    ),
    # Load balancers forget an idle connection after 350 s; servers ban pings below 300 s.
    ("grpc.keepalive_time_ms", 310_000),
    ("grpc.keepalive_permit_without_calls", 1),
    # Also TCP's user timeout: a pod that vanished without a word is given up after this.
    ("grpc.keepalive_timeout_ms", 10_000),
    # A restarted server is found again within seconds, not after gRPC's two minutes.
    ("grpc.initial_reconnect_backoff_ms", 200),
    ("grpc.max_reconnect_backoff_ms", 5_000),
    # And so is a pod whose address is new: gRPC would ask for the name again after 30 s.
    ("grpc.dns_min_time_between_resolutions_ms", 5_000),
    # Channels to one name do not share a connection, nor its backoff.
    ("grpc.use_local_subchannel_pool", 1),
    # Decided by neumo._transports.proxies instead.
    ("grpc.enable_http_proxy", 0),
)


def name(address: Address) -> str:
    """What gRPC calls ``address``."""
    if address.scheme == "unix":
        return f"unix:{address.path}"
    return str(address) if address.scheme == "xds" else f"dns:///{address.netloc}"


def options(admitted: Access, proxy: Proxy | None) -> Options:
    """The options of a channel, with what tells the server who we are."""
    agent = dict(admitted.headers).get("user-agent") or f"neumo/{version('neumo')}"
    told = (*CHANNEL_OPTIONS, ("grpc.primary_user_agent", agent))
    if proxy is None:
        return told
    kept = tuple(option for option in told if option[0] != "grpc.enable_http_proxy")
    return (*kept, ("grpc.http_proxy", proxy.url))


def headers(admitted: Access) -> credentials.Headers:
    """The metadata of every call: ``user-agent`` is the channel's."""
    return tuple(pair for pair in admitted.headers if pair[0] != "user-agent")


def channel_credentials(address: Address, tls: Tls | None) -> Any:  # noqa: ANN401 - grpc has no types
    """The credentials of a channel to ``address``; None where it has no TLS.

    Its files are read now, and raise ``ConfigError`` where they cannot be used.
    """
    if address.scheme == "xds":
        import grpc.experimental  # noqa: PLC0415 - only for this

        inner = _tls(tls) if tls is not None else grpc.experimental.insecure_channel_credentials()
        return grpc.xds_channel_credentials(inner)
    return _tls(tls) if address.scheme == "grpcs" else None


def _tls(tls: Tls | None) -> Any:  # noqa: ANN401 - grpc has no types
    credentials.context(tls)  # gRPC says what is wrong with them only in a log
    key, certificate = (None, None) if tls is None else (tls.key, tls.certificate)
    return grpc.ssl_channel_credentials(
        credentials.authorities(tls), credentials.content(key), credentials.content(certificate)
    )
