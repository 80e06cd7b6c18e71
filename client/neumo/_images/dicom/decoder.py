"""The first frame of a DICOM file, and its cautions.

Only the elements that the picture and its cautions need are read: no name, no number of the
patient ever enters memory as more than the file's bytes.
"""

from __future__ import annotations

import zlib

import numpy as np
import numpy.typing as npt
from PIL import Image
from pydicom import Dataset, dcmread
from pydicom.dataset import FileMetaDataset
from pydicom.uid import UID

from neumo._images import file_checks
from neumo._images.dicom import colours, element_numbers, stored_values, subject, windowing
from neumo._images.file_checks import MAGIC, PREAMBLE_BYTES, CountedBytes
from neumo.cautions import FIRST_FRAME, PHOTOMETRIC, Caution
from neumo.errors import ImageError

_DEFLATED = b"1.2.840.10008.1.2.1.99"
_PIECE_BYTES = 16 * 1024 * 1024
_IMPLICIT_LITTLE_ENDIAN = "1.2.840.10008.1.2"
_DIRECTORY = "1.2.840.10008.1.3.10"

_PIXEL_KEYWORDS = (
    "SOPClassUID",
    "Rows",
    "Columns",
    "NumberOfFrames",
    "SamplesPerPixel",
    "PhotometricInterpretation",
    "PresentationLUTShape",
    "PlanarConfiguration",
    "BitsAllocated",
    "BitsStored",
    "HighBit",
    "PixelRepresentation",
    "PixelData",
    "FloatPixelData",
    "DoubleFloatPixelData",
    "PixelDataProviderURL",
    "ExtendedOffsetTable",
    "ExtendedOffsetTableLengths",
)
_GROUPS = ("SharedFunctionalGroupsSequence", "PerFrameFunctionalGroupsSequence")
_MACROS = ("FrameVOILUTSequence", "PixelValueTransformationSequence")
"""Where enhanced objects keep window and rescale: PS3.3, C.7.6.16.2.9 and .10."""
_KEYWORDS = (
    *_PIXEL_KEYWORDS,
    *_GROUPS,
    *colours.KEYWORDS,
    *windowing.KEYWORDS,
    *subject.KEYWORDS,
)


def decode(data: bytes) -> tuple[Image.Image, tuple[Caution, ...]]:
    """What ``neumo._images.dicom.decode`` says; raises whatever pydicom does on damaged bytes."""
    return _decode(_dataset(data))


def decode_dataset(given: Dataset) -> tuple[Image.Image, tuple[Caution, ...]]:
    """The film in a pydicom dataset, which is left as it is. Raises as ``decode`` does."""
    dataset = Dataset()
    for keyword in _KEYWORDS:
        if keyword in given:
            # As it lies there: reading it through pydicom would convert it in the caller's.
            dataset[keyword] = given.get_item(keyword)
    meta = getattr(given, "file_meta", None)
    dataset.file_meta = FileMetaDataset()
    for keyword in ("TransferSyntaxUID", "MediaStorageSOPClassUID"):
        if meta is not None and keyword in meta:
            setattr(dataset.file_meta, keyword, meta.get(keyword))
    if "TransferSyntaxUID" not in dataset.file_meta:
        implicit, little_endian = getattr(given, "original_encoding", (None, None))
        dataset.file_meta.TransferSyntaxUID = _syntax(
            is_implicit=implicit is True, is_little_endian=little_endian is not False
        )
    return _decode(dataset)


def _decode(dataset: Dataset) -> tuple[Image.Image, tuple[Caution, ...]]:
    if not dataset:
        raise ImageError("a DICOM file cut off or damaged: copy or export it again")
    _check_kind(dataset)
    stored_values.check_size(dataset)
    _take_groups(dataset)
    levels, cautions = _levels(dataset)
    image = Image.fromarray(np.ascontiguousarray(levels))
    cautions = (*subject.cautions(dataset), *cautions)
    if (element_numbers.whole(dataset, "NumberOfFrames") or 1) > 1:
        cautions = (*cautions, FIRST_FRAME)
    return image, tuple(dict.fromkeys(cautions))


def _take_groups(dataset: Dataset) -> None:
    """Let window and rescale of the first frame stand where other objects have theirs."""
    for groups in reversed(_GROUPS):  # the frame's own before those of all
        for item in (dataset.get(groups) or [])[:1]:
            for macro in (item.get(name) for name in _MACROS):
                for keyword in windowing.KEYWORDS if macro else ():
                    if keyword in macro[0] and keyword not in dataset:
                        dataset[keyword] = macro[0].get_item(keyword)


def size(data: bytes) -> tuple[int, int] | None:
    """Rows and columns, of which nothing is decoded; None where the file is packed as a whole."""
    if _is_deflated(data):
        return None
    tags = ["Rows", "Columns"]
    dataset = dcmread(CountedBytes(data), stop_before_pixels=True, force=True, specific_tags=tags)
    return stored_values.sides(dataset)


def _is_deflated(data: bytes) -> bool:
    return _DEFLATED in data[: 4 * 1024]


def _dataset(data: bytes) -> Dataset:
    if _is_deflated(data):
        _check_inflated_size(data)
    dataset = dcmread(CountedBytes(data), force=True, specific_tags=list(_KEYWORDS))
    if "TransferSyntaxUID" not in dataset.file_meta:
        implicit, little_endian = dataset.original_encoding
        dataset.file_meta.TransferSyntaxUID = _syntax(
            is_implicit=bool(implicit), is_little_endian=bool(little_endian)
        )
    return dataset


def _syntax(*, is_implicit: bool, is_little_endian: bool) -> str:
    if is_implicit:
        return _IMPLICIT_LITTLE_ENDIAN
    return f"{_IMPLICIT_LITTLE_ENDIAN}.{1 if is_little_endian else 2}"


def _check_kind(dataset: Dataset) -> None:
    """Raise ``ImageError`` where the file is of a kind that holds no image, with its name."""
    said = dataset.get("SOPClassUID") or dataset.file_meta.get("MediaStorageSOPClassUID") or ""
    kind = UID(str(said))
    if kind == _DIRECTORY:
        raise ImageError("a DICOMDIR, the index of a disc, not a film: give a file that it lists")
    if "Rows" not in dataset:
        name = f" ({kind.name})" if kind.name != str(kind) else ""
        raise ImageError(f"a DICOM file without an image{name}: give one that holds a radiograph")


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


def _levels(dataset: Dataset) -> tuple[npt.NDArray[np.uint8], tuple[Caution, ...]]:
    """uint8 [rows, columns] or [rows, columns, 3], white where X-rays were stopped."""
    stored = stored_values.read(dataset)
    if stored.photometric == stored_values.PALETTE:
        levels, told = colours.from_palette(stored.values, dataset)
    elif stored.values.ndim == 3:
        levels, told = colours.rgb(stored.values, stored.photometric, stored.bits)
    else:
        levels, told = windowing.grey(stored.values, dataset, stored.bits)
        if stored.photometric == "MONOCHROME1":
            levels = 255 - levels
        _blacken(levels, windowing.padded(stored.values, dataset))
        told = (*told, *_shape_cautions(dataset, stored.photometric))
    return levels, (*stored.cautions, *told)


def _shape_cautions(dataset: Dataset, photometric: str) -> tuple[Caution, ...]:
    """Whether the presentation LUT shape contradicts the photometric interpretation.

    PS3.3 C.8.11.3.1.2 ties them together. Viewers differ where they are not: dcm4che goes by the
    shape; dcmtk and cornerstone, as here, by the photometric interpretation.
    """
    shape = element_numbers.text(dataset, "PresentationLUTShape")
    fits = {
        "": True,
        "INVERSE": photometric == "MONOCHROME1",
        "IDENTITY": photometric != "MONOCHROME1",
    }
    return () if fits.get(shape, False) else (PHOTOMETRIC,)


def _blacken(levels: npt.NDArray[np.uint8], padding: npt.NDArray[np.bool_]) -> None:
    """Make padding that reaches the film's edge black, as air is; the same value within stays."""
    if padding.any():
        reached = np.zeros_like(padding)
        for axis in (0, 1):
            reached |= np.logical_and.accumulate(padding, axis=axis)
            backwards = np.flip(padding, axis)
            reached |= np.flip(np.logical_and.accumulate(backwards, axis=axis), axis)
        levels[reached] = 0
