"""The first frame of compressed DICOM pixels, by pydicom and gdcm, and by Pillow's OpenJPEG.

Source: DICOM PS3.5, 8.2 and annex A.4; the codestream's own size and precision count.
"""

from __future__ import annotations

import importlib.util
import io
import struct
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Jpeg2KImagePlugin
from pydicom import Dataset
from pydicom.dataset import FileMetaDataset
from pydicom.encaps import generate_frames
from pydicom.pixels import get_decoder
from pydicom.uid import UID

from neumo._images import file_checks
from neumo._images.dicom import gdcm_process
from neumo.cautions import COMPRESSION, SIZE, Caution
from neumo.errors import ImageError

_FRAGMENT = b"\xfe\xff\x00\xe0"
"""The tag before each piece of compressed pixels."""
_ROOT = "1.2.840.10008.1.2"
_NATIVE = {_ROOT, f"{_ROOT}.1", f"{_ROOT}.1.99", f"{_ROOT}.2"}
_JPEG, _EXTENDED_JPEG = f"{_ROOT}.4.50", f"{_ROOT}.4.51"
_RLE = f"{_ROOT}.5"
_HTJ2K = {f"{_ROOT}.4.{number}" for number in (201, 202, 203)}
_UNREAD = {
    **{f"{_ROOT}.4.{number}": "JPEG XL" for number in (110, 111, 112)},
    **{f"{_ROOT}.4.{number}": "a video" for number in range(100, 109)},
    **{f"{_ROOT}.4.{number}": "a video" for number in ("100.1", "101.1", "102.1", "103.1")},
    **{f"{_ROOT}.4.{number}": "JPIP: its pixels are on a server" for number in (94, 95, 204, 205)},
    f"{_ROOT}.8.1": "Deflated Image Frame Compression",
    "1.2.840.113619.5.2": "GE's private syntax",
}
_SYNTAXES: dict[int, tuple[str, ...]] = {
    0: tuple(f"{_ROOT}.4.{number}" for number in (90, 91, 92, 93)),
    0xC0: (_JPEG, _EXTENDED_JPEG),
    0xC1: (_EXTENDED_JPEG, _JPEG),
    0xC2: (_JPEG, _EXTENDED_JPEG),
    0xC3: tuple(f"{_ROOT}.4.{number}" for number in (57, 70)),
    0xF7: tuple(f"{_ROOT}.4.{number}" for number in (80, 81)),
}
"""Those that a codestream may have, by the marker of its frame header; the first where it lies."""
_RETIRED = {f"{_ROOT}.4.{number}" for number in (52, 53, 54, 55, 56, 58, 59, 60, 61, 62, 63, 64)}
_RETIRED |= {f"{_ROOT}.4.{number}" for number in (65, 66)}
"""JPEG's other processes, which pydicom does not know: PS3.6, A.1. The frame says which it is."""
_CAPABILITIES = b"\xff\x50"
"""The marker of HTJ2K's header after SIZ: ISO 15444-1, A.5.2."""
_JPEG_START, _JPEG2000_START = b"\xff\xd8", b"\xff\x4f\xff\x51"
_JP2_START = b"\0\0\0\x0cjP  "
_OTHER_SOF = {0xC4, 0xC8, 0xCC}
"""Markers among those of frames that are none: tables, reserved, arithmetic conditioning."""

Values = npt.NDArray[Any]


@dataclass(frozen=True, slots=True)
class Layout:
    """The Image Pixel module as numbers, its cautions being told already."""

    rows: int
    columns: int
    samples: int
    photometric: str
    planar: int
    allocated: int
    stored: int
    high: int
    signed: bool
    frames: int

    @property
    def frame_bytes(self) -> int:
        """Of one frame, uncompressed."""
        return self.rows * self.columns * self.samples * self.allocated // 8


@dataclass(frozen=True, slots=True)
class Codestream:
    """What the first frame says of itself; ``marker`` is JPEG's frame header, 0 in JPEG 2000."""

    width: int
    height: int
    precision: int
    components: int
    marker: int = 0
    is_high_throughput: bool = False

    def layout(self) -> Layout:
        """As if a DICOM header had said it."""
        empty = Layout(0, 0, 1, "MONOCHROME2", 0, 16, 16, 15, signed=False, frames=1)
        return _of_codestream(empty, self)


def is_compressed(dataset: Dataset) -> bool:
    """Whether the pixels are in a codestream, says the header; pydicom knows no new syntax."""
    return str(dataset.file_meta.TransferSyntaxUID) not in _NATIVE


def read(dataset: Dataset, layout: Layout) -> tuple[Values, str, list[Caution]]:
    """The first frame's values, what they are, and what to know.

    Raises ``ImageError`` for syntaxes that nothing here decodes, by their name; decoders raise
    anything on damaged bytes.
    """
    syntax = UID(str(dataset.file_meta.TransferSyntaxUID))
    if not is_compressed(dataset) and not is_encapsulated(dataset.get("PixelData") or b""):
        values, photometric = _by_pydicom(_plain(dataset, layout, syntax), syntax)
        return values, photometric, []
    _check(dataset, syntax)
    data = bytes(dataset.PixelData)
    if data.count(_FRAGMENT) > file_checks.MAX_FRAGMENTS:
        raise file_checks.too_many()
    frame = next(generate_frames(data, number_of_frames=layout.frames))
    found = codestream(frame)
    said, syntax = syntax, _true_syntax(syntax, found)
    cautions: list[Caution] = [] if syntax == said or str(said) in _RETIRED else [COMPRESSION]
    if found:
        if (found.height, found.width) != (layout.rows, layout.columns):
            cautions.append(SIZE)
        layout = _of_codestream(layout, found)
        file_checks.check_size(layout.columns, layout.rows)
    if syntax in _HTJ2K:
        values = _by_pillow(frame, found)
        return values, "RGB" if values.ndim == 3 else layout.photometric, cautions
    if found and (found.marker == 0xC3 or (found.marker == 0xC1 and found.precision > 8)):
        return by_gdcm(frame, layout, syntax), layout.photometric, cautions
    values, photometric = _by_pydicom(_plain(dataset, layout, syntax), syntax)
    return values, photometric, cautions


def is_encapsulated(data: bytes) -> bool:
    """Whether pixels start as compressed ones do, with the tag of an item."""
    return data[: len(_FRAGMENT)] == _FRAGMENT


def _true_syntax(syntax: UID, found: Codestream | None) -> UID:
    """``syntax``, or that of the codestream; raises ``ImageError`` where neither can be."""
    if found is None:
        if syntax == _RLE:
            return syntax
        raise ImageError(
            f"its header says that it is compressed as {_name(syntax)}, but its pixels are not, or "
            "they are damaged: export it uncompressed (Explicit VR Little Endian)"
        )
    if found.is_high_throughput:
        return syntax if syntax in _HTJ2K else UID(min(_HTJ2K))
    known = _SYNTAXES.get(found.marker)
    if known is None:
        raise ImageError("a JPEG of a rare kind, which is not read: export it uncompressed")
    return syntax if str(syntax) in known else UID(known[0])


def _name(syntax: UID) -> str:
    return "HTJ2K (High-Throughput JPEG 2000)" if syntax in _HTJ2K else syntax.name


def _check(dataset: Dataset, syntax: UID) -> None:
    """Raise ``ImageError`` where the syntax is not read, or the pixels are not in it."""
    if syntax in _UNREAD:
        raise ImageError(
            f"compressed as {_UNREAD[syntax]}, which is not read: export it uncompressed "
            "(Explicit VR Little Endian) or as JPEG 2000"
        )
    data = dataset.get("PixelData") or b""
    if data[: len(_FRAGMENT)] != _FRAGMENT:
        raise ImageError(
            f"its header says that it is compressed as {_name(syntax)}, but its pixels are not: "
            "export it uncompressed (Explicit VR Little Endian)"
        )
    if syntax not in _HTJ2K and str(syntax) not in _RETIRED:
        try:
            decoder = get_decoder(syntax)
        except (NotImplementedError, ValueError):
            raise ImageError(
                f"compressed in a way that is not read ({_name(syntax)}): export it uncompressed "
                "(Explicit VR Little Endian)"
            ) from None
        if not decoder.is_available and importlib.util.find_spec("gdcm") is None:
            raise _needs_gdcm()


def _needs_gdcm() -> ImageError:
    return ImageError("compressed in a way that needs one more package: pip install 'neumo[dicom]'")


def _of_codestream(layout: Layout, found: Codestream) -> Layout:
    """``layout`` with the codestream's size and bits, which decoders go by."""
    allocated = 8 if found.precision <= 8 else 16 if found.precision <= 16 else 32
    photometric = layout.photometric
    if found.components == 1 and layout.samples != 1:
        photometric = "MONOCHROME2"
    elif found.components == 3 and layout.samples == 1:
        photometric = "RGB"
    return replace(
        layout,
        rows=found.height,
        columns=found.width,
        samples=found.components,
        photometric=photometric,
        allocated=allocated,
        stored=found.precision,
        high=found.precision - 1,
    )


def _plain(dataset: Dataset, layout: Layout, syntax: UID) -> Dataset:
    """The Image Pixel module as pydicom wants it, whatever VRs and values the file has."""
    plain = Dataset()
    plain.file_meta = FileMetaDataset()
    plain.file_meta.TransferSyntaxUID = syntax
    plain.Rows, plain.Columns = layout.rows, layout.columns
    plain.SamplesPerPixel, plain.PhotometricInterpretation = layout.samples, layout.photometric
    if layout.samples > 1:
        plain.PlanarConfiguration = layout.planar
    plain.BitsAllocated, plain.BitsStored = layout.allocated, layout.stored
    plain.HighBit, plain.PixelRepresentation = layout.stored - 1, int(layout.signed)
    plain.NumberOfFrames = layout.frames
    plain["PixelData"] = dataset["PixelData"]
    for keyword in ("ExtendedOffsetTable", "ExtendedOffsetTableLengths"):
        if keyword in dataset:
            plain[keyword] = dataset[keyword]
    return plain


def _by_pydicom(plain: Dataset, syntax: UID) -> tuple[Values, str]:
    decoder = get_decoder(syntax)
    # Raw: colours are converted by what the pixels are, and unused bits looked at first.
    # Pillow's libjpeg keeps quiet about damaged bytes, gdcm's writes to stderr.
    plugin = "pillow" if str(syntax) in {_JPEG, _EXTENDED_JPEG} else ""
    values, about = decoder.as_array(
        plain, index=0, decoding_plugin=plugin, raw=True, correct_unused_bits=False
    )
    return values, str(about["photometric_interpretation"])


def by_gdcm(frame: bytes, layout: Layout, syntax: str) -> Values:
    """A JPEG without loss or of 12 bits, which pydicom's plugin does not ask gdcm for.

    ``layout`` is the codestream's. Raises ``ImageError`` without gdcm, ``ValueError`` on damaged
    bytes.
    """
    if importlib.util.find_spec("gdcm") is None:
        raise _needs_gdcm()
    shape = layout.rows, layout.columns, layout.samples
    bits = layout.allocated, layout.stored
    return gdcm_process.decode(frame, shape, bits, layout.photometric, syntax)


def _by_pillow(frame: bytes, found: Codestream | None) -> Values:
    """HTJ2K (ISO 15444-15), which OpenJPEG decodes since 2.5."""
    try:
        with Jpeg2KImagePlugin.Jpeg2KImageFile(io.BytesIO(frame)) as image:
            values = np.asarray(image)
    except Exception:  # noqa: BLE001 - an older OpenJPEG, or damaged bytes
        raise ImageError(
            "compressed as HTJ2K (High-Throughput JPEG 2000), which cannot be decoded here: "
            "export it uncompressed (Explicit VR Little Endian)"
        ) from None
    if image.mode == "I;16" and found:
        # Pillow moves samples to the top of 16 bits.
        return values >> max(16 - found.precision, 0)
    return values


def codestream(frame: bytes) -> Codestream | None:
    """Size and precision by the codestream's first header; None where there is none to read."""
    if frame[:2] == _JPEG_START:
        return _of_jpeg(frame)
    at = 0 if frame[:4] == _JPEG2000_START else frame.find(_JPEG2000_START)
    if at < 0 or (at and frame[:8] != _JP2_START):
        return None
    # SIZ: ISO 15444-1, A.5.1.
    right, bottom, left, top = struct.unpack(">4I", frame[at + 8 : at + 24])
    components = int.from_bytes(frame[at + 40 : at + 42], "big")
    precision = (frame[at + 42] & 0x7F) + 1
    after = at + 4 + int.from_bytes(frame[at + 4 : at + 6], "big")
    is_high = frame[after : after + 2] == _CAPABILITIES and bool(frame[after + 5] & 2)
    return Codestream(right - left, bottom - top, precision, components, is_high_throughput=is_high)


def _of_jpeg(frame: bytes) -> Codestream | None:
    """By the frame header, SOF0 to SOF15 or JPEG-LS's SOF55: ISO 10918-1, B.2.2."""
    at = 2
    while at + 9 < len(frame):
        if frame[at] != 0xFF:
            return None
        marker = frame[at + 1]
        if marker == 0xFF:
            at += 1
            continue
        if marker == 0xF7 or (0xC0 <= marker <= 0xCF and marker not in _OTHER_SOF):
            precision, height, width, components = struct.unpack(">BHHB", frame[at + 4 : at + 10])
            return Codestream(width, height, precision, components, marker) if height else None
        at += 2 + int.from_bytes(frame[at + 2 : at + 4], "big")
    return None
