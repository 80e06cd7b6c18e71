"""How both servers set uvicorn up."""

from __future__ import annotations

import asyncio
from typing import Any, Literal

import uvicorn


def make(
    application: Any,
    http: type[asyncio.Protocol] | Literal["h11"],
    *,
    lifespan: Literal["on", "off"],
    keep_alive_s: int,
    drain_s: int,
) -> uvicorn.Config:
    """The configuration for ``application``, its connections read by ``http``."""
    return uvicorn.Config(
        application,
        # Named, so that what else is installed changes no answer.
        http=http,
        loop="asyncio",
        # None leaves logging to the command; uvicorn's own lines would quote addresses and paths.
        log_config=None,
        access_log=False,
        lifespan=lifespan,
        ws="none",
        server_header=False,
        # Else uvicorn believes X-Forwarded-For of anybody on this machine.
        proxy_headers=False,
        timeout_keep_alive=keep_alive_s,
        timeout_graceful_shutdown=drain_s,
    )
