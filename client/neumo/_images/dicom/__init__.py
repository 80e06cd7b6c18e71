"""DICOM files to 8-bit images; needs pydicom (``pip install 'neumo[dicom]'``)."""

from __future__ import annotations

import importlib.util

from PIL import Image

from neumo._images.file_checks import MAGIC, PREAMBLE_BYTES, recognises, warnings_ignored
from neumo.cautions import Caution
from neumo.errors import ImageError

__all__ = ["MAGIC", "PREAMBLE_BYTES", "decode", "recognises"]


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
