"""DICOM files to 8-bit images; needs pydicom (``pip install 'neumo[dicom]'``)."""

from __future__ import annotations

import importlib.util

from PIL import Image

from neumo._images.silence_decoders import warnings_ignored
from neumo.cautions import Caution
from neumo.errors import ImageError

PREAMBLE_BYTES = 128
MAGIC = b"DICM"
_FIRST_GROUPS = (b"\x02\x00", b"\x08\x00")
"""What a DICOM without preamble starts with, little endian: group 0002 or 0008."""


def recognises(data: bytes) -> bool:
    """Whether ``data`` starts as a DICOM file does, with its preamble or without."""
    if data[PREAMBLE_BYTES : PREAMBLE_BYTES + len(MAGIC)] == MAGIC:
        return True
    return data[:2] in _FIRST_GROUPS and data[3:4] == b"\0"


def decode(data: bytes) -> tuple[Image.Image, tuple[Caution, ...]]:
    """The 8-bit image in the DICOM file whose content is ``data``, and what to know about it.

    The first frame, white where X-rays were stopped: MONOCHROME1 is inverted, modality and VOI
    transformations are applied as ``neumo._images.dicom.windowing`` says, colours are RGB.
    Raises ``ImageError`` where pydicom is not installed, or no image can be read.
    """
    if importlib.util.find_spec("pydicom") is None:
        raise ImageError("a DICOM file needs one more package: pip install 'neumo[dicom]'")
    try:
        with warnings_ignored():
            from neumo._images.dicom import decoder  # noqa: PLC0415 - pydicom is an extra, and slow

            return decoder.decode(data)
    except ImageError:
        raise
    except Exception:  # noqa: BLE001 - decoders raise anything on damaged bytes
        # Without the cause, whose text may quote an element of the file.
        raise ImageError("a damaged DICOM file: export it again") from None
