"""Files that consist of tiny pieces without number, which would keep a core busy for minutes."""

from __future__ import annotations

import io

from neumo.errors import ImageError

MAX_READS = 200_000
"""Of one file: a DICOM header has hundreds of elements, a PNG of 128 MB some 64,000 pieces."""
MAX_FRAGMENTS = 100_000
"""Of the pixels of one DICOM file: a film is one, or a few."""


class CountedBytes(io.BytesIO):
    """The content of a file; after ``MAX_READS`` reads it raises ``ImageError``."""

    _reads = 0

    def read(self, size: int | None = -1, /) -> bytes:
        """The next bytes."""
        self._reads += 1
        if self._reads > MAX_READS:
            raise too_many()
        return super().read(size)


def too_many() -> ImageError:
    """The error about a file that is not worth the work of reading it."""
    return ImageError("made of more pieces than any film: export it again")
