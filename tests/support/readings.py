"""What came of a film: its picture beside its control's, its cautions, or its refusal."""

from __future__ import annotations

import io
import struct
from itertools import pairwise

import numpy as np
import numpy.typing as npt
from pydicom import dcmread
from pydicom.encaps import encapsulate

from neumo import image
from neumo.errors import ImageError
from support.films import WINDOW, radiograph, twelve_bits

MOST_LEVELS = 2.0
"""Of 255, in the mean: so far a film may be from its control."""
SEEDS = (4, 5, 6)
"""Three films of each kind."""

Levels = npt.NDArray[np.int_]


def levels(source: image.Source) -> Levels:
    """The film's grey levels: int [256, 256]."""
    return image.read(source).pixels[:, :, 0].astype(int)


def control(seed: int) -> Levels:
    """A drawn film as everybody shows it: 12 bits through their whole window."""
    return levels(radiograph(twelve_bits(seed), 12, **WINDOW))


def codes(source: image.Source) -> list[str]:
    """The codes of a film's cautions."""
    return [caution.code for caution in image.read(source).cautions]


def check(source: image.Source, expected: Levels, *cautions: str) -> None:
    """Raise ``AssertionError`` unless ``source`` is that picture with exactly these cautions."""
    apart = float(np.abs(levels(source) - expected).mean())
    assert apart <= MOST_LEVELS, f"{apart:.1f} levels from the control"
    assert codes(source) == list(cautions)


def refusal(source: image.Source) -> str:
    """The one line with which ``source`` is refused."""
    try:
        read = image.read(source)
    except ImageError as error:
        (line,) = str(error).splitlines()
        return line
    raise AssertionError(f"read, with {read.cautions}")


def with_frame(data: bytes, frame: bytes, syntax: str, fragments: int = 1) -> bytes:
    """The DICOM file ``data`` with this compressed frame, in so many fragments of a length."""
    made = dcmread(io.BytesIO(data))
    size = len(frame) // fragments // 2 * 2
    edges = [*range(0, fragments * size, size), len(frame)]
    if fragments == 1:
        made.PixelData = encapsulate([frame])
    else:
        parts = [frame[a:b] for a, b in pairwise(edges)]
        made.PixelData = b"".join(_item(part) for part in (b"", *parts)) + _END
    made["PixelData"].VR, made["PixelData"].is_undefined_length = "OB", True
    made.file_meta.TransferSyntaxUID = syntax
    content = io.BytesIO()
    made.save_as(content, enforce_file_format=True)
    return content.getvalue()


_END = b"\xfe\xff\xdd\xe0\0\0\0\0"


def _item(part: bytes) -> bytes:
    padded = part + b"\0" * (len(part) % 2)
    return b"\xfe\xff\x00\xe0" + struct.pack("<I", len(padded)) + padded
