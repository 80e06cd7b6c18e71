"""What a gRPC channel is made of, whether its calls are awaited or not."""

from __future__ import annotations

from typing import Any

import grpc

from neumo._transports.address import Address
from neumo._transports.credentials import content
from neumo.settings import Tls

CHANNEL_OPTIONS: tuple[tuple[str, int | str], ...] = (
    # A batch of films or heat maps passes the default of 4 MiB.
    ("grpc.max_send_message_length", -1),
    ("grpc.max_receive_message_length", -1),
    # Behind a headless Kubernetes service every pod gets its share.
    ("grpc.service_config", '{"loadBalancingConfig": [{"round_robin": {}}]}'),
    # Load balancers forget an idle connection after 350 s; servers ban pings below 300 s.
    ("grpc.keepalive_time_ms", 310_000),
    ("grpc.keepalive_permit_without_calls", 1),
    # Also TCP's user timeout: a pod that vanished without a word is given up after this.
    ("grpc.keepalive_timeout_ms", 10_000),
    # A restarted server is found again within seconds, not after gRPC's two minutes.
    ("grpc.initial_reconnect_backoff_ms", 200),
    ("grpc.max_reconnect_backoff_ms", 5_000),
    # Clients in one process do not share a connection, nor its backoff.
    ("grpc.use_local_subchannel_pool", 1),
)


def name(address: Address) -> str:
    """What gRPC calls ``address``."""
    return f"unix:{address.path}" if address.scheme == "unix" else f"dns:///{address.netloc}"


def credentials(address: Address, tls: Tls) -> Any:  # noqa: ANN401 - grpc has no types
    """The credentials of a channel to ``address``; None where it has no TLS."""
    if address.scheme != "grpcs":
        return None
    return grpc.ssl_channel_credentials(content(tls.ca), content(tls.key), content(tls.certificate))
