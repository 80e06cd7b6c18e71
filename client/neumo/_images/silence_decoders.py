"""Decoders' warnings kept from the user, while any number of threads decode.

pydicom logs, too, what it warns of, with the element's value: that is nobody's to read.
"""

from __future__ import annotations

import logging
import threading
import warnings
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager


class _Silence:
    """Ignores warnings from the first holder's entry to the last one's exit.

    ``warnings.catch_warnings`` alone would be left in the wrong order by threads, and the
    process would stay silent, or a decoder's remark become an error, for good.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._holders = 0
        self._filters = ExitStack()

    @contextmanager
    def hold(self) -> Iterator[None]:
        with self._lock:
            if not self._holders:
                self._filters.enter_context(warnings.catch_warnings())
                warnings.simplefilter("ignore")
                self._filters.enter_context(_unlogged(logging.getLogger("pydicom")))
            self._holders += 1
        try:
            yield
        finally:
            with self._lock:
                self._holders -= 1
                if not self._holders:
                    self._filters.close()


@contextmanager
def _unlogged(logger: logging.Logger) -> Iterator[None]:
    before, logger.disabled = logger.disabled, True
    try:
        yield
    finally:
        logger.disabled = before


warnings_ignored = _Silence().hold
"""A context manager: no ``warnings`` are shown, raised or logged in it, on any thread."""
