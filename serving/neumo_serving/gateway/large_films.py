"""Large films are read apart, one at a time.

A file of a few hundred kilobytes may unpack to 64 megapixels, which take a second and hundreds of
megabytes: several at once would fill the memory, and the SDK's readers, for everybody.
"""

from __future__ import annotations

import asyncio
from functools import partial

from neumo import image
from neumo.image import Film, FilmReaders
from neumo_serving.gateway.admission import Places

LARGE_PIXELS = 20_000_000
"""More than a detector of 35 x 43 cm with pixels of 0.1 mm has."""
WAITING = 2
"""Large films that are read or wait for it; whoever brings one more is refused."""


class LargeFilms:
    """The one thread on which they are read."""

    def __init__(self) -> None:
        self._places = Places(WAITING)
        self._workers = FilmReaders(1)

    async def read(self, content: bytes) -> Film | bytes:
        """The film in a large file; of any other, its content, for the SDK to read.

        Raises ``ImageError`` as the SDK does, and a ``Refusal`` where too many wait.
        """
        # On a thread: even the head of a compressed file can take milliseconds to find.
        if await asyncio.to_thread(image.pixel_count, content) <= LARGE_PIXELS:
            return content
        with self._places.take(1):
            # Where nobody waits any more it is not begun; once begun it holds the thread.
            return await asyncio.wrap_future(self._workers.submit(partial(image.read, content)))

    def close(self) -> None:
        """Let the thread end."""
        self._workers.close()
