"""JPEG files of more than 8 bits or without loss, which gdcm decodes and Pillow does not."""

from __future__ import annotations

import numpy as np
from PIL import Image

from neumo._images import file_checks, grey_depth
from neumo._images.dicom import compressed_frames
from neumo.cautions import Caution
from neumo.errors import ImageError

_SYNTAXES = {
    0xC1: "1.2.840.10008.1.2.4.51",
    0xC3: "1.2.840.10008.1.2.4.57",
    0xF7: "1.2.840.10008.1.2.4.80",
}
"""DICOM's name of the process by its frame header: SOF1, SOF3, JPEG-LS."""


def decode(data: bytes) -> tuple[Image.Image, tuple[Caution, ...]] | None:
    """The 8-bit grey in the file, by ``grey_depth``'s rule; None for what Pillow would read.

    Raises ``ImageError`` where gdcm does not decode it either.
    """
    found = compressed_frames.codestream(data)
    if found is None or (found.precision == 8 and found.marker not in {0xC3, 0xF7}):
        return None
    name = f"a JPEG of {found.precision} bits"
    # SOF1 has 8 or 12 bits; gdcm's own encoder writes 16, half of whose levels are an offset.
    is_odd = found.marker == 0xC1 and found.precision != 12
    if found.components != 1 or found.marker not in _SYNTAXES or is_odd:
        raise ImageError(f"{name} of a kind that is not read: save it as PNG")
    file_checks.check_size(found.width, found.height)
    try:
        values = compressed_frames.by_gdcm(data, found.layout(), _SYNTAXES[found.marker])
    except Exception:  # noqa: BLE001 - gdcm raises anything on damaged bytes
        raise ImageError(f"{name}, damaged or cut off: export it again") from None
    return Image.fromarray(grey_depth.from_uint16(values.astype(np.uint16))), ()
