"""JPEG of 12 bits or without loss by gdcm, in a process of its own.

gdcm's libjpeg writes to the stderr of its process, also of sound films of 12 bits, and nothing but
that process's file descriptor can be turned away: not the application's.
"""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from neumo._images.dicom import gdcm_program

_MOST_S = 60.0
_DAMAGED = (b"Corrupt JPEG data", b"Premature end")
_HARMLESS = b"extraneous bytes before marker"
"""What libjpeg says where it makes up what is missing, and where it passes over a few bytes."""


def decode(
    frame: bytes,
    shape: tuple[int, int, int],
    bits: tuple[int, int],
    photometric: str,
    syntax: str,
) -> npt.NDArray[Any]:
    """uint8 or uint16 [rows, columns] or [rows, columns, samples] of a frame.

    ``shape`` is rows, columns and samples, ``bits`` those allocated and stored, as in the
    codestream. Raises ``ValueError`` on damaged bytes, also where gdcm would make up the rest.
    """
    rows, columns, samples = shape
    values = _values(frame, (*shape, *bits), photometric, syntax)
    kind = np.dtype(f"u{bits[0] // 8}")
    if len(values) != rows * columns * samples * kind.itemsize:
        raise ValueError("gdcm decoded another size")
    found = np.frombuffer(values, kind).reshape(rows, columns, samples)
    return found[:, :, 0].copy() if samples == 1 else found.copy()


def _values(frame: bytes, sizes: tuple[int, ...], photometric: str, syntax: str) -> bytes:
    folder = _folder()
    if folder is None or not sys.executable or getattr(sys, "frozen", False):
        # Within another program there is no Python to start.
        return gdcm_program.decoded(frame, sizes, photometric, syntax)
    program = [sys.executable, "-I", "-S", gdcm_program.__file__, folder]
    arguments = [*(str(size) for size in sizes), photometric, syntax]
    try:
        ended = subprocess.run(  # noqa: S603 - this very Python, and arguments of our own
            [*program, *arguments], input=frame, capture_output=True, timeout=_MOST_S, check=False
        )
    except subprocess.TimeoutExpired:
        raise ValueError("gdcm came to no end") from None
    except OSError:  # no process may be started here
        return gdcm_program.decoded(frame, sizes, photometric, syntax)
    remarks = [line for line in ended.stderr.splitlines() if _HARMLESS not in line]
    if ended.returncode or any(one in line for line in remarks for one in _DAMAGED):
        raise ValueError("gdcm could not decode it")
    return ended.stdout


def _folder() -> str | None:
    """Where gdcm is installed, so that the program looks nowhere else."""
    spec = importlib.util.find_spec("gdcm")
    return str(Path(spec.origin).parent) if spec and spec.origin else None
