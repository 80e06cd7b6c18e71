"""Drawn films as files of every format, made in memory."""

from __future__ import annotations

import io
import struct
import tempfile
import zlib
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
from PIL import Image
from pydicom.datadict import tag_for_keyword
from pydicom.dataelem import RawDataElement
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.tag import Tag
from pydicom.uid import (
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    RLELossless,
    generate_uid,
)

from neumo.release import phantom

SIZE_PX = (640, 480)
NAME, NUMBER = "SECRETNAME^PATIENT", "SECRETNUMBER17"
DX_STORAGE = "1.2.840.10008.5.1.4.1.1.1.1"


def drawn(seed: int = 4) -> Image.Image:
    """A greyscale film."""
    return Image.fromarray(phantom.draw(seed, 1)[0, :, :, 0]).resize(SIZE_PX)


def file(kind: str, seed: int = 4) -> bytes:
    """A film in Pillow's format ``kind``, or as DICOM."""
    if kind == "DICOM":
        return dicom(np.asarray(drawn(seed)))
    content = io.BytesIO()
    drawn(seed).save(content, kind)
    return content.getvalue()


def enlarged(times: int) -> bytes:
    """A large DICOM film: a drawn one, ``times`` as wide and as high as 640 x 480 pixels."""
    return dicom(np.asarray(drawn()).repeat(times, axis=0).repeat(times, axis=1))


def dicom(pixels: np.ndarray, age: str = "034Y", syntax: str = ExplicitVRLittleEndian) -> bytes:
    """A DICOM file of uint8 ``pixels`` [h, w] with a patient's name and number in it."""
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = DX_STORAGE
    meta.MediaStorageSOPInstanceUID = generate_uid()
    meta.TransferSyntaxUID = syntax
    dataset = FileDataset(None, Dataset(), file_meta=meta, preamble=b"\0" * 128)
    dataset.SOPClassUID, dataset.SOPInstanceUID = DX_STORAGE, meta.MediaStorageSOPInstanceUID
    dataset.PatientName, dataset.PatientID, dataset.PatientAge = NAME, NUMBER, age
    dataset.Modality, dataset.BodyPartExamined = "DX", "CHEST"
    dataset.Rows, dataset.Columns = pixels.shape
    dataset.SamplesPerPixel, dataset.PhotometricInterpretation = 1, "MONOCHROME2"
    dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit = 8, 8, 7
    dataset.PixelRepresentation = 0
    dataset.PixelData = pixels.tobytes()
    content = io.BytesIO()
    dataset.save_as(content, enforce_file_format=True)
    return content.getvalue()


def raw(keyword: str, vr: str, value: bytes) -> RawDataElement:
    """An element with just these bytes, whatever the standard wants of it."""
    tag = tag_for_keyword(keyword)
    assert tag is not None
    return RawDataElement(Tag(tag), vr, len(value), value, 0, False, True)


def radiograph(
    stored: np.ndarray,
    bits: int,
    *elements: RawDataElement,
    syntax: str = ExplicitVRLittleEndian,
    without: Iterable[str] = (),
    **more: Any,
) -> bytes:
    """A DICOM file of a child's chest: ``stored`` values [h, w] or [h, w, 3] of ``bits`` bits.

    ``more`` are elements by keyword, ``elements`` take the place of those of their tags.
    """
    is_big = syntax == ExplicitVRBigEndian
    made = FileDataset(
        *(None, Dataset(), b"\0" * 128, FileMetaDataset()),
        is_implicit_VR=syntax == ImplicitVRLittleEndian,
        is_little_endian=not is_big,
    )
    made.file_meta.TransferSyntaxUID = syntax
    made.SOPClassUID, made.SOPInstanceUID = DX_STORAGE, "1.2.3.4"
    made.Modality, made.BodyPartExamined, made.PatientAge = "DX", "CHEST", "003Y"
    made.Rows, made.Columns = stored.shape[:2]
    made.SamplesPerPixel = 1 if stored.ndim == 2 else 3
    made.PhotometricInterpretation = "MONOCHROME2" if stored.ndim == 2 else "RGB"
    if stored.ndim == 3:
        made.PlanarConfiguration = 0
    made.BitsAllocated, made.BitsStored = 8 * stored.itemsize, bits
    made.HighBit, made.PixelRepresentation = bits - 1, int(stored.dtype.kind == "i")
    order: Literal[">", "<"] = ">" if is_big else "<"
    made.PixelData = stored.astype(stored.dtype.newbyteorder(order)).tobytes()
    made["PixelData"].VR = "OW" if stored.itemsize > 1 else "OB"
    for keyword, value in more.items():
        setattr(made, keyword, value)
    for element in elements:
        made[element.tag] = element
    for keyword in without:
        delattr(made, keyword)
    content = io.BytesIO()
    made.save_as(content, enforce_file_format=True)
    return content.getvalue()


def with_syntax(data: bytes, syntax: str) -> bytes:
    """``data`` whose header names another transfer syntax; nothing else changes."""
    at = data.index(b"\x02\x00\x10\x00UI") + 6
    old = int.from_bytes(data[at : at + 2], "little")
    name = syntax.encode() + b"\0" * (len(syntax) % 2)
    group = int.from_bytes(data[140:144], "little") + len(name) - old
    head = data[:140] + struct.pack("<I", group) + data[144:at]
    return head + struct.pack("<H", len(name)) + name + data[at + 2 + old :]


def twelve_bits(seed: int = 4, side: int = 256) -> np.ndarray:
    """The stored values of a drawn film in 12 bits: uint16 [side, side]."""
    film = Image.fromarray(phantom.draw(seed, 1)[0, :, :, 0]).resize((side, side))
    return np.asarray(film).astype(np.uint16) << 4


WINDOW = {"WindowCenter": "2048", "WindowWidth": "4096"}
"""The one that shows all of 12 bits."""


def table(
    entries: Sequence[int] | np.ndarray, first: int, bits: int, *, packed: bool = False
) -> Dataset:
    """An item of a modality or VOI LUT sequence; ``packed`` puts two entries into a word."""
    item = Dataset()
    item.LUTDescriptor = [len(entries) % 65536, first % 65536, bits]
    item["LUTDescriptor"].VR = "US"
    kind = "u1" if packed else "<u2"
    item.LUTData = np.asarray(entries).astype(kind).tobytes()
    item["LUTData"].VR = "OW"
    return item


def png16(samples: np.ndarray, *extra: tuple[bytes, bytes]) -> bytes:
    """A 16-bit PNG of uint16 [h, w, 1 to 4]: grey, grey and alpha, RGB, RGBA; ``extra`` chunks."""
    height, width, channels = samples.shape
    colour = {1: 0, 2: 4, 3: 2, 4: 6}[channels]
    lines = samples.astype(">u2").reshape(height, -1).view(np.uint8)
    body = np.pad(lines, ((0, 0), (1, 0))).tobytes()
    header = struct.pack(">IIBBBBB", width, height, 16, colour, 0, 0, 0)
    chunks = [(b"IHDR", header), *extra, (b"IDAT", zlib.compress(body)), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(*one) for one in chunks)


def _chunk(kind: bytes, content: bytes) -> bytes:
    check = struct.pack(">I", zlib.crc32(kind + content))
    return struct.pack(">I", len(content)) + kind + content + check


def tiff16(samples: np.ndarray, *, big_endian: bool = False, **tags: int) -> bytes:
    """An uncompressed TIFF of [h, w] or [h, w, c]; the samples' dtype is its sample format.

    ``tags`` are ``photometric``, ``extra`` (what the last channel is), ``bits`` (what it says).
    """
    order: Literal[">", "<"] = ">" if big_endian else "<"
    height, width = samples.shape[:2]
    channels = 1 if samples.ndim == 2 else samples.shape[2]
    formats = {"u": 1, "i": 2, "f": 3}
    values = {
        256: [width],
        257: [height],
        258: [tags.get("bits", 8 * samples.itemsize)] * channels,
        259: [1],
        262: [tags.get("photometric", 1 if channels == 1 else 2)],
        273: [0],
        277: [channels],
        278: [height],
        279: [samples.nbytes],
        339: [formats[samples.dtype.kind]] * channels,
    }
    if "extra" in tags:
        values[338] = [tags["extra"]]
    values = dict(sorted(values.items()))
    end = 8 + 2 + 12 * len(values) + 4
    entries, more = b"", b""
    pixels_at = end + sum(2 * len(one) for one in values.values() if len(one) > 2)
    values[273] = [pixels_at]
    for tag, numbers in values.items():
        kind, letter = (4, "I") if tag in {273, 279} else (3, "H")
        packed = struct.pack(f"{order}{len(numbers)}{letter}", *numbers)
        if len(packed) > 4:
            packed, more = struct.pack(f"{order}I", end + len(more)), more + packed
        entries += struct.pack(f"{order}HHI", tag, kind, len(numbers)) + packed.ljust(4, b"\0")
    start = b"MM\0*" if big_endian else b"II*\0"
    directory = struct.pack(f"{order}H", len(values)) + entries + b"\0\0\0\0"
    pixels = samples.astype(samples.dtype.newbyteorder(order)).tobytes()
    return start + struct.pack(f"{order}I", 8) + directory + more + pixels


def transcoded(data: bytes, syntax: str) -> bytes:
    """The DICOM file ``data`` in another transfer syntax, by gdcm, or by pydicom where it lacks."""
    from pydicom import dcmread

    if syntax in {ImplicitVRLittleEndian, RLELossless}:
        made = dcmread(io.BytesIO(data))
        if syntax == RLELossless:
            made.compress(RLELossless)
        made.file_meta.TransferSyntaxUID = syntax
        content = io.BytesIO()
        made.save_as(content, implicit_vr=syntax == ImplicitVRLittleEndian, little_endian=True)
        return content.getvalue()
    import gdcm

    with tempfile.TemporaryDirectory() as folder:
        source, target = Path(folder, "a.dcm"), Path(folder, "b.dcm")
        source.write_bytes(data)
        reader = gdcm.ImageReader()
        reader.SetFileName(str(source))
        assert reader.Read()
        change = gdcm.ImageChangeTransferSyntax()
        change.SetTransferSyntax(gdcm.TransferSyntax(gdcm.TransferSyntax.GetTSType(syntax)))
        change.SetInput(reader.GetImage())
        assert change.Change(), f"gdcm does not write {syntax}"
        writer = gdcm.ImageWriter()
        writer.SetFileName(str(target))
        writer.SetFile(reader.GetFile())
        writer.SetImage(change.GetOutput())
        assert writer.Write()
        return target.read_bytes()


def htj2k(seed: int) -> bytes:
    """An HTJ2K codestream of OpenJPH 0.26: ``twelve_bits(seed, 128)`` of seed 4, 5 or 6.

    Its low bits are filled, ``small | small >> 8``; of seeds 4 and 5 12 bits without loss, of seed
    6 moved up to 16 bits, and lossy.
    """
    return (Path(__file__).parent / "htj2k" / f"{seed}.j2c").read_bytes()


def with_tag(data: bytes, tag: int, value: int) -> bytes:
    """The TIFF ``data`` of ``tiff16`` with another value of 16 bits in one of its tags."""
    order: Literal[">", "<"] = ">" if data[:2] == b"MM" else "<"
    (count,) = struct.unpack(f"{order}H", data[8:10])
    for at in range(10, 10 + 12 * count, 12):
        if struct.unpack(f"{order}H", data[at : at + 2])[0] == tag:
            return data[: at + 8] + struct.pack(f"{order}H", value) + data[at + 10 :]
    raise KeyError(tag)
