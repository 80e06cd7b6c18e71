"""What the requests of one gateway share."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from starlette.requests import Request

import neumo
from neumo_serving.gateway import auth, upload_bodies
from neumo_serving.gateway.admission import Held, Places
from neumo_serving.gateway.gateway_metrics import Measures
from neumo_serving.gateway.gateway_settings import Settings
from neumo_serving.gateway.large_films import LargeFilms
from neumo_serving.gateway.rate_limit import Rates
from neumo_serving.gateway.readiness import Readiness
from neumo_serving.gateway.shadow import Shadow
from neumo_serving.gateway.static_files import Page
from neumo_serving.gateway.tokens import Tokens

_SHARE = 4
"""A client's uploads may fill so much of the memory for all: one part in so many."""


@dataclass(frozen=True, slots=True)
class Gateway:
    """One gateway's parts; ``draining`` is set when it is told to stop."""

    settings: Settings
    client: neumo.AsyncClient
    readiness: Readiness
    places: Places
    held: Held
    rates: Rates
    pages: dict[str, Page]
    measures: Measures
    tokens: Tokens
    shadow: Shadow | None = None
    large: LargeFilms = field(default_factory=LargeFilms)
    draining: asyncio.Event = field(default_factory=asyncio.Event)

    async def check(self, request: Request) -> str:
        """Who is asking; raises a ``Refusal`` where he may not ask for anything of ``/v1``."""
        access, headers, address = self.settings.access, request.headers, peer(request)
        client = auth.client(headers, address, access)
        auth.check_user(headers, address, access)
        await self.tokens.check(auth.token(headers), client)
        return client

    @asynccontextmanager
    async def films(self, request: Request) -> AsyncIterator[list[bytes]]:
        """The films that the request brings, held until the block ends; or a ``Refusal``.

        What can be told without its body is told before that is read.
        """
        # Who may not ask learns nothing of the load; being refused for it costs no token.
        auth.check_site(request.headers)
        client = await self.check(request)
        self.places.check()
        self.rates.take(client)
        with self.held.by(client) as hold:
            limits = self.settings.limits
            films = await upload_bodies.films(request.headers, request.receive, limits, hold)
            # The first film was paid for before the body was read.
            self.rates.charge(client, len(films) - 1)
            yield films


def make(
    settings: Settings,
    client: neumo.AsyncClient,
    canary: neumo.AsyncClient | None,
    pages: dict[str, Page],
) -> Gateway:
    """A gateway that asks ``client``, and ``canary`` as the settings have the shadow."""
    limits, measures = settings.limits, Measures()
    # At least one request, however small the share.
    share_bytes = max(limits.max_request_bytes, limits.max_held_bytes // _SHARE)
    places = Places(limits.films_at_once)
    shadow = None
    if settings.shadow and canary:
        shadow = Shadow(settings.shadow, canary, places, measures.shadowed)
    return Gateway(
        settings,
        client,
        Readiness(client),
        places,
        Held(limits.max_held_bytes, share_bytes),
        Rates(limits.rate, limits.burst),
        pages,
        measures,
        Tokens(settings.access, measures.wrong_tokens.inc),
        shadow,
    )


def of(request: Request) -> Gateway:
    """The gateway that answers ``request``."""
    gateway: Gateway = request.app.state.gateway
    return gateway


def peer(request: Request) -> str:
    """The address at the other end of the connection."""
    return request.client.host if request.client else ""
