"""Decoders' warnings kept from the user, while any number of threads decode."""

from __future__ import annotations

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
            self._holders += 1
        try:
            yield
        finally:
            with self._lock:
                self._holders -= 1
                if not self._holders:
                    self._filters.close()


warnings_ignored = _Silence().hold
"""A context manager: no ``warnings`` are shown or raised in it, on any thread."""
