"""The films in a ``multipart/form-data`` body, as it comes in.

By hand over python-multipart's parser, as Starlette's form spools what is large to disk.
"""

from __future__ import annotations

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from neumo_serving.gateway.gateway_settings import MIB, Limits
from neumo_serving.gateway.problems import refusal

FIELD = b"films"
_MAX_BOUNDARY_BYTES = 200
"""RFC 2046 allows 70."""


class Form:
    """Feed it a body piece by piece; then ``finish`` gives the films."""

    def __init__(self, content_type: str, limits: Limits) -> None:
        """Raises a ``Refusal`` where ``content_type`` names no boundary."""
        _, parameters = parse_options_header(content_type)
        boundary = parameters.get(b"boundary", b"")
        if not 0 < len(boundary) <= _MAX_BOUNDARY_BYTES:
            raise refusal("bad-request", "multipart/form-data without a boundary")
        self._limits = limits
        self._films: list[bytes] = []
        self._pieces: list[bytes] = []
        self._size_bytes = 0
        self._header = (bytearray(), bytearray())
        self._disposition = b""
        self._is_complete = False
        self._parser = MultipartParser(
            boundary,
            {
                "on_part_begin": self._begin,
                "on_header_field": lambda data, a, b: self._header[0].extend(data[a:b]),
                "on_header_value": lambda data, a, b: self._header[1].extend(data[a:b]),
                "on_header_end": self._end_header,
                "on_headers_finished": self._check_field,
                "on_part_data": self._add,
                "on_part_end": self._end,
                "on_end": self._complete,
            },
        )

    def feed(self, piece: bytes) -> None:
        """The next piece; raises a ``Refusal`` where it is malformed or too much."""
        try:
            self._parser.write(piece)
        except FormParserError:
            raise refusal("bad-request", "malformed multipart/form-data") from None

    def finish(self) -> list[bytes]:
        """The films; raises a ``Refusal`` where the form is cut off or has none."""
        if not self._is_complete:
            raise refusal("bad-request", "the multipart/form-data is cut off: send it again")
        if not self._films:
            raise refusal("bad-request", "no film: send at least one in the field films")
        return self._films

    def _begin(self) -> None:
        # At the head of the one too many: its bytes are not waited for.
        if len(self._films) == self._limits.max_films:
            most = self._limits.max_films
            raise refusal("too-many", f"at most {most} films in one request: send fewer at once")
        self._disposition, self._size_bytes = b"", 0

    def _end_header(self) -> None:
        # A header may come in several pieces, so it is put together here.
        name, value = map(bytes, self._header)
        if name.lower() == b"content-disposition":
            self._disposition = value
        self._header = (bytearray(), bytearray())

    def _check_field(self) -> None:
        kind, parameters = parse_options_header(self._disposition)
        if kind != b"form-data" or parameters.get(b"name") != FIELD:
            raise refusal("bad-request", "a field that is not known: films is the only one")

    def _add(self, data: bytes, start: int, end: int) -> None:
        self._size_bytes += end - start
        check_film(self._size_bytes, self._limits)
        self._pieces.append(data[start:end])

    def _end(self) -> None:
        self._films.append(b"".join(self._pieces))
        self._pieces.clear()

    def _complete(self) -> None:
        self._is_complete = True


def check_film(size_bytes: int, limits: Limits) -> None:
    """Raise a ``Refusal`` where a film is larger than ``limits`` allow."""
    if size_bytes > limits.max_film_bytes:
        most = limits.max_film_bytes / MIB
        raise refusal("too-large", f"a film larger than {most:g} MiB: export it smaller")
