"""``neumo._drive.client_state`` for asyncio."""

from __future__ import annotations

from collections.abc import Mapping

from neumo._drive import client_state
from neumo._drive.client_state import ClientState
from neumo._drive.driver import Retries
from neumo._transports import address, credentials
from neumo._transports.transport import Transport
from neumo._transports.transport_async import AsyncTransport, OnThreads
from neumo.ensemble import SHIPPED, Ensemble
from neumo.settings import Settings
from neumo.telemetry import Telemetry


def begin(
    chosen: Settings,
    metadata: Mapping[str, str] | None,
    transport: Transport | None,
    ensemble: Ensemble = SHIPPED,
) -> ClientState[AsyncTransport]:
    """As ``client_state.begin``; REST, hedged calls and a ``transport`` given run on threads."""
    telemetry, retries = Telemetry(), Retries(chosen.retries, chosen.timeout_s)
    carrier = _own(chosen, metadata, telemetry) if transport is None else None
    if carrier is None:
        carrier = OnThreads(client_state.connected(chosen, metadata, transport, telemetry, retries))
    return client_state.over(carrier, chosen, metadata, telemetry, retries, ensemble)


def _own(
    chosen: Settings, metadata: Mapping[str, str] | None, telemetry: Telemetry
) -> AsyncTransport | None:
    """What needs no threads; None where there is nothing that does without."""
    where = address.parse(chosen.url)
    if not where.is_grpc or chosen.hedge_s is not None:
        return None
    from neumo._transports.grpc_transport_async import AsyncGrpcTransport  # noqa: PLC0415 - grpc is slow to import

    admitted = credentials.build(chosen.token, metadata, chosen.tls, where)
    return telemetry.observed_async(AsyncGrpcTransport(where, admitted, chosen.connections))
