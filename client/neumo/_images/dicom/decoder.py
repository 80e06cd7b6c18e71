"""The first frame of a DICOM file, and its cautions.

Only the elements that the picture and its cautions need are read: no name, no number of the
patient ever enters memory as more than the file's bytes.
"""

from __future__ import annotations

import importlib.util
import zlib
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image
from pydicom import Dataset, dcmread
from pydicom.pixels import apply_color_lut, pixel_array

from neumo._images import file_checks, grey_depth
from neumo._images.dicom import subject, windowing
from neumo._images.file_checks import MAGIC, PREAMBLE_BYTES, CountedBytes
from neumo.cautions import FIRST_FRAME, Caution
from neumo.errors import ImageError

_DEFLATED = b"1.2.840.10008.1.2.1.99"
_FRAGMENT = b"\xfe\xff\x00\xe0"
"""The tag before each piece of compressed pixels."""
_PIECE_BYTES = 16 * 1024 * 1024
_IMPLICIT_LITTLE_ENDIAN = "1.2.840.10008.1.2"

_PIXEL_KEYWORDS = (
    "Rows",
    "Columns",
    "NumberOfFrames",
    "SamplesPerPixel",
    "PhotometricInterpretation",
    "PlanarConfiguration",
    "BitsAllocated",
    "BitsStored",
    "HighBit",
    "PixelRepresentation",
    "PixelData",
    "FloatPixelData",
    "DoubleFloatPixelData",
    "ExtendedOffsetTable",
    "ExtendedOffsetTableLengths",
)
_PALETTE_KEYWORDS = tuple(
    f"{segmented}{colour}PaletteColorLookupTable{part}"
    for colour in ("Red", "Green", "Blue")
    for segmented, part in (("", "Descriptor"), ("", "Data"), ("Segmented", "Data"))
)


def decode(data: bytes) -> tuple[Image.Image, tuple[Caution, ...]]:
    """What ``neumo._images.dicom.decode`` says; raises whatever pydicom does on damaged bytes."""
    dataset = _dataset(data)
    if not dataset:
        raise ImageError("a DICOM file cut off or damaged: copy or export it again")
    if not all(isinstance(dataset.get(side), int) for side in ("Rows", "Columns")):
        raise ImageError("a DICOM file without an image: give one that holds a radiograph")
    file_checks.check_size(dataset.Columns, dataset.Rows)
    image = Image.fromarray(np.ascontiguousarray(_levels(dataset)))
    cautions = subject.cautions(dataset)
    if int(dataset.get("NumberOfFrames") or 1) > 1:
        cautions = (*cautions, FIRST_FRAME)
    return image, cautions


def size(data: bytes) -> tuple[int, int] | None:
    """Rows and columns, of which nothing is decoded; None where the file is packed as a whole."""
    if _is_deflated(data):
        return None
    tags = ["Rows", "Columns"]
    dataset = dcmread(CountedBytes(data), stop_before_pixels=True, force=True, specific_tags=tags)
    return int(dataset.Rows), int(dataset.Columns)


def _is_deflated(data: bytes) -> bool:
    return _DEFLATED in data[: 4 * 1024]


def _dataset(data: bytes) -> Dataset:
    if _is_deflated(data):
        _check_inflated_size(data)
    tags = (*_PIXEL_KEYWORDS, *_PALETTE_KEYWORDS, *windowing.KEYWORDS, *subject.KEYWORDS)
    dataset = dcmread(CountedBytes(data), force=True, specific_tags=list(tags))
    if "TransferSyntaxUID" not in dataset.file_meta:
        dataset.file_meta.TransferSyntaxUID = _syntax_without_meta(dataset)
    return dataset


def _syntax_without_meta(dataset: Dataset) -> str:
    implicit, little_endian = dataset.original_encoding
    if implicit:
        return _IMPLICIT_LITTLE_ENDIAN
    return f"{_IMPLICIT_LITTLE_ENDIAN}.{1 if little_endian else 2}"


def _check_inflated_size(data: bytes) -> None:
    """Refuse a deflated file that would fill the memory, which pydicom does not limit."""
    start = PREAMBLE_BYTES + len(MAGIC)
    meta_bytes = int.from_bytes(data[start + 8 : start + 12], "little")
    inflater, rest = zlib.decompressobj(-zlib.MAX_WBITS), data[start + 12 + meta_bytes :]
    inflated_bytes = 0
    while rest:
        inflated_bytes += len(inflater.decompress(rest, _PIECE_BYTES))
        rest = inflater.unconsumed_tail
        if inflated_bytes > file_checks.MAX_FILE_BYTES:
            raise file_checks.too_large()


def _levels(dataset: Dataset) -> npt.NDArray[np.uint8]:
    """uint8 [rows, columns] or [rows, columns, 3], white where X-rays were stopped."""
    stored = _stored(dataset)
    photometric = str(dataset.PhotometricInterpretation)
    if photometric == "PALETTE COLOR":
        return grey_depth.from_uint16(apply_color_lut(stored, dataset).astype(np.uint16))
    if stored.ndim == 3:
        excess_bits = max(int(dataset.BitsStored) - 8, 0)
        return (stored >> excess_bits).astype(np.uint8)
    grey = windowing.grey(stored, dataset)
    return 255 - grey if photometric == "MONOCHROME1" else grey


def _stored(dataset: Dataset) -> npt.NDArray[Any]:
    """The first frame's stored values."""
    if dataset.file_meta.TransferSyntaxUID.is_compressed:
        stored = dataset.get("PixelData") or b""
        if stored.count(_FRAGMENT) > file_checks.MAX_FRAGMENTS:
            raise file_checks.too_many()
    try:
        frame: npt.NDArray[Any] = pixel_array(dataset, index=0)
    except (RuntimeError, NotImplementedError):
        syntax = dataset.file_meta.TransferSyntaxUID
        if syntax.is_compressed and importlib.util.find_spec("gdcm") is None:
            raise ImageError(
                "compressed in a way that needs one more package: pip install 'neumo[dicom]'"
            ) from None
        raise
    return frame
