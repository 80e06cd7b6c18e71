"""A request's body as it comes in; how much of it is taken, each server says.

By hand, as Starlette's reader waits for a silent client for ever.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

from neumo_serving.asgi.asgi_types import Receive


class Gone(Exception):  # noqa: N818 - nobody is there to be told of an error
    """The client went away."""


class Silent(Exception):  # noqa: N818 - the servers make their own errors of it
    """The client sent nothing for too long."""


async def pieces(receive: Receive, within_s: float) -> AsyncIterator[bytes]:
    """The pieces of the body that are not empty.

    Raises ``Gone``, and ``Silent`` where a piece does not come ``within_s``.
    """
    is_more = True
    while is_more:
        try:
            async with asyncio.timeout(within_s):
                message = await receive()
        except TimeoutError:
            raise Silent from None
        if message["type"] == "http.disconnect":
            raise Gone
        is_more = bool(message.get("more_body"))
        if piece := message.get("body", b""):
            yield piece
