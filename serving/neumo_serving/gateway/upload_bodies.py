"""The films in a request's body: read piece by piece, within limits, into memory only."""

from __future__ import annotations

from collections.abc import AsyncIterator

from starlette.datastructures import Headers
from starlette.types import Receive

from neumo_serving.asgi import body_pieces
from neumo_serving.asgi.body_pieces import Silent
from neumo_serving.gateway.admission import Hold
from neumo_serving.gateway.gateway_settings import MIB, Limits
from neumo_serving.gateway.multipart_films import Form, check_film
from neumo_serving.gateway.problems import Refusal, refusal

FORM = "multipart/form-data"
FILM_TYPES = (
    "application/dicom",
    "application/octet-stream",
    "image/bmp",
    "image/gif",
    "image/jpeg",
    "image/png",
    "image/tiff",
    "image/webp",
)
"""Of a body that is one film; what it is, its bytes say."""

_HINTS = {
    "application/x-www-form-urlencoded": "curl sends a file as a form's text by itself: add "
    "-H 'Content-Type: application/octet-stream'; ",
    "image/jpg": "write image/jpeg; ",
    "image/pjpeg": "write image/jpeg; ",
    "image/tif": "write image/tiff; ",
    "image/x-ms-bmp": "write image/bmp; ",
    "application/dicom+json": "send the DICOM file itself, as application/dicom; ",
}
"""What people write instead; the types that they mean stand behind it."""

PIECE_WITHIN_S = 10.0
"""A client that sends nothing for so long is not waited for."""


async def films(headers: Headers, receive: Receive, limits: Limits, hold: Hold) -> list[bytes]:
    """The films in the body, one or more.

    Raises a ``Refusal`` for another content type, for what is malformed or too much, and for a
    client that stops sending; ``Gone`` where it went away.
    """
    content_type = headers.get("content-type", "application/octet-stream")
    media_type = content_type.partition(";")[0].strip().lower()
    _check_head(headers, media_type, limits)
    pieces = _pieces(receive, limits, hold)
    if media_type != FORM:
        return [await _single(pieces, limits)]
    form = Form(content_type, limits)
    async for piece in pieces:
        form.feed(piece)
    return form.finish()


def late() -> Refusal:
    """The refusal of a client that sends too slowly."""
    return refusal("deadline", "the upload took too long: send it again", status=408)


def _check_head(headers: Headers, media_type: str, limits: Limits) -> None:
    """What can be refused before a byte of the body is read."""
    if media_type != FORM and media_type not in FILM_TYPES:
        told = _HINTS.get(media_type, "")
        told += "the Content-Type is not one of: " + ", ".join((FORM, *FILM_TYPES))
        raise refusal("media-type", told)
    if headers.get("content-encoding", "identity").lower() != "identity":
        raise refusal("media-type", "a Content-Encoding is not taken: send the film as it is")
    length = headers.get("content-length", "")
    if length.isdecimal():
        # What it says may be wrong, so that the pieces are counted all the same.
        _check_size(int(length), limits)
        if media_type != FORM:
            check_film(int(length), limits)


def _check_size(size_bytes: int, limits: Limits) -> None:
    if size_bytes > limits.max_request_bytes:
        most = limits.max_request_bytes / MIB
        raise refusal("too-large", f"larger than {most:g} MiB: send fewer films at once")


async def _single(pieces: AsyncIterator[bytes], limits: Limits) -> bytes:
    received: list[bytes] = []
    size_bytes = 0
    async for piece in pieces:
        size_bytes += len(piece)
        check_film(size_bytes, limits)
        received.append(piece)
    if not received:
        raise refusal("bad-request", "an empty body: send a film")
    return b"".join(received)


async def _pieces(receive: Receive, limits: Limits, hold: Hold) -> AsyncIterator[bytes]:
    try:
        async for piece in body_pieces.pieces(receive, PIECE_WITHIN_S):
            # Before it is held: a piece too many is the request's fault, not a lack of room.
            _check_size(hold.size_bytes + len(piece), limits)
            hold.add(len(piece))
            yield piece
    except Silent:
        raise late() from None
