"""``neumo.session`` for asyncio."""

from __future__ import annotations

from collections.abc import Mapping

from neumo import session
from neumo.core.retries import Retries
from neumo.session import Session
from neumo.settings import Settings
from neumo.telemetry import Telemetry
from neumo.transports import Transport, access, address
from neumo.transports.awaited import AwaitedTransport, OnThreads


def begin(
    chosen: Settings, metadata: Mapping[str, str] | None, transport: Transport | None
) -> Session[AwaitedTransport]:
    """As ``session.begin``; REST, hedged calls and a ``transport`` given run on threads."""
    telemetry, retries = Telemetry(), Retries(chosen.retries)
    carrier = _own(chosen, metadata, telemetry) if transport is None else None
    if carrier is None:
        carrier = OnThreads(session.connected(chosen, metadata, transport, telemetry, retries))
    return session.over(carrier, chosen, telemetry, retries)


def _own(
    chosen: Settings, metadata: Mapping[str, str] | None, telemetry: Telemetry
) -> AwaitedTransport | None:
    """What needs no threads; None where there is nothing that does without."""
    where = address.parse(chosen.url)
    if not where.is_grpc or chosen.hedge_s is not None:
        return None
    from neumo.transports.aio import AioTransport  # noqa: PLC0415 - grpc is slow to import

    admitted = access.build(chosen.token, metadata, chosen.tls, where)
    return telemetry.observed_async(AioTransport(where, admitted))
