"""How large the film in a file is, from its header: nothing is decoded."""

from __future__ import annotations

import importlib.util

from PIL import Image

from neumo._images import dicom, file_checks, other_kinds, raster
from neumo._images.file_checks import CountedBytes, quiet


def pixels(data: bytes) -> int:
    """The pixels that the file with this content says to have; 0 where that cannot be told.

    A DICOM file that is packed as a whole counts as the largest: its header is packed, too.
    """
    try:
        with quiet():
            return _of_dicom(data) if dicom.recognises(data) else _of_raster(data)
    except Exception:  # noqa: BLE001 - whoever reads it is told what is wrong
        return 0


def _of_raster(data: bytes) -> int:
    formats = (*raster.FORMATS, *other_kinds.FORMATS)
    with Image.open(CountedBytes(data), formats=formats) as image:
        return image.width * image.height


def _of_dicom(data: bytes) -> int:
    if importlib.util.find_spec("pydicom") is None:
        # Nobody will read it, so it takes no room.
        return 0
    # Not by an import of its own: whoever loads pydicom first silences it.
    rows, columns = dicom.loaded_decoder().size(data) or (1, file_checks.MAX_PIXELS)
    return rows * columns
