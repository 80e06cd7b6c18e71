"""Many films through TensorFlow, so many at a time that memory does not matter."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

# Of 192 x 192 float32 they are 9 MB.
FILMS = 64


def of(*arrays: npt.NDArray[Any]) -> Iterator[tuple[npt.NDArray[Any], ...]]:
    """The same rows of ``arrays`` [n, …], batch by batch; float16 becomes float32."""
    for first in range(0, len(arrays[0]), FILMS):
        yield tuple(_real(array[first : first + FILMS]) for array in arrays)


def convert(function: Callable[..., Any], *arrays: npt.NDArray[Any]) -> npt.NDArray[np.float16]:
    """What ``function`` makes of every row of ``arrays`` [n, …], float16 [n, …]."""
    return np.concatenate([function(*batch).numpy().astype(np.float16) for batch in of(*arrays)])


def _real(array: npt.NDArray[Any]) -> npt.NDArray[Any]:
    # Half precision is for keeping films, not for computing: bfloat16 took 1.1 times as long
    # (tried.csv).
    return array.astype(np.float32) if array.dtype == np.float16 else array
