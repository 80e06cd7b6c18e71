"""Request bodies: read, unpacked, and never more of them than memory should hold.

Upstream: ``util/net_http/server/internal/evhttp_request.cc`` and ``compression/gzip_zlib.h``.
"""

from __future__ import annotations

import logging
import zlib
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager

from neumo_serving.asgi import body_pieces
from neumo_serving.asgi.asgi_types import Receive
from neumo_serving.asgi.body_pieces import Gone, Silent
from neumo_serving.request_faults import DEADLINE_EXCEEDED, Fault

log = logging.getLogger(__name__)

MIB = 1024 * 1024
MAX_BODY_BYTES = 256 * MIB
MAX_HELD_BYTES = 1024 * MIB
"""Of all bodies at once, waiting for a thread or being answered."""
MAX_UNPACKED_BYTES = 100 * MIB
"""Upstream's ``kMaxUncompressedBytes``."""
PIECE_WITHIN_S = 50.0
"""Upstream's HTTP library gives up on a client that sends nothing for so long."""

_GZIP_WBITS = 16 + zlib.MAX_WBITS


class Bodies:
    """The bodies that are held now; for one event loop."""

    def __init__(self) -> None:
        self._held_bytes = 0

    @asynccontextmanager
    async def read(self, receive: Receive) -> AsyncIterator[bytes]:
        """The body of one request, held until the block ends.

        Raises ``Fault``: RESOURCE_EXHAUSTED where it is too large, UNAVAILABLE where the server
        holds too many, CANCELLED where the client left.
        """
        pieces: list[bytes] = []
        size = 0
        try:
            async for piece in _pieces(receive):
                size += len(piece)
                # Counted before it is checked, so that the end takes away what was added.
                self._held_bytes += len(piece)
                self._check(size)
                pieces.append(piece)
            # A single piece is handed on as it is: joining would copy it.
            yield pieces[0] if len(pieces) == 1 else b"".join(pieces)
        finally:
            self._held_bytes -= size

    def _check(self, size: int) -> None:
        if size > MAX_BODY_BYTES:
            text = f"the body is larger than {MAX_BODY_BYTES // MIB} MiB: send fewer films at once"
            raise Fault("RESOURCE_EXHAUSTED", text)
        if self._held_bytes > MAX_HELD_BYTES:
            text = f"the server holds {MAX_HELD_BYTES // MIB} MiB of requests: try again"
            raise Fault("UNAVAILABLE", text)


async def _pieces(receive: Receive) -> AsyncIterator[bytes]:
    try:
        async for piece in body_pieces.pieces(receive, PIECE_WITHIN_S):
            yield piece
    except Silent:
        text = f"the client sent nothing for {PIECE_WITHIN_S:g} s"
        raise Fault(DEADLINE_EXCEEDED, text) from None
    except Gone:
        raise Fault("CANCELLED", "the client went away") from None


def is_gzip(headers: Iterable[tuple[bytes, bytes]]) -> bool:
    """Whether the body is packed."""
    return any(name == b"content-encoding" and b"gzip" in value for name, value in headers)


def unpacked(body: bytes) -> bytes:
    """The body, unpacked; empty, as upstream has it, where it is broken or would be too large."""
    unpacker = zlib.decompressobj(_GZIP_WBITS)
    try:
        # Never more than the limit is unpacked, whatever the packed size promises.
        content = unpacker.decompress(body, MAX_UNPACKED_BYTES)
    except zlib.error:
        content = b""
    # Cut off, or followed by more: broken, to upstream.
    if unpacker.eof and not unpacker.unused_data:
        return content
    log.warning("a gzip body is broken or larger than %d MiB unpacked", MAX_UNPACKED_BYTES // MIB)
    return b""
