"""Files that are not among the usual: read where a kept library can, else named."""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Callable
from typing import TypeAlias

from PIL import Image, TiffImagePlugin

from neumo._images import file_checks
from neumo._images.file_checks import CountedBytes
from neumo.cautions import DEPTH, Caution
from neumo.errors import ImageError

_Decoded: TypeAlias = tuple[Image.Image, tuple[Caution, ...]]
Opened: TypeAlias = Callable[[Image.Image, bytes], _Decoded]

_PNG = b"\x89PNG\r\n\x1a\n"
_PNG_NEEDED = {b"IHDR", b"PLTE", b"tRNS", b"eXIf", b"IDAT", b"IEND"}
"""What makes the picture; text and colour profiles are left out."""
_TIFF_STARTS = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
_TIFF_BITS, _TIFF_SAMPLE_FORMAT, _TIFF_COMPRESSION = 258, 339, 259
_TIFF_RARE = {50001}
"""WebP, which has 8 bits in any case."""
_SAMPLE_FORMATS = {1: "unsigned", 2: "signed", 3: "float", 5: "complex", 6: "complex"}
_JPEG = b"\xff\xd8\xff"
_JPEG2000 = (b"\xff\x4f\xff\x51", b"\0\0\0\x0cjP  ")
_AVIF_BRANDS = {b"avif", b"avis"}
_HEIC_BRANDS = {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"}
_AS_FILM = "give a radiograph as DICOM, PNG or JPEG"

_STARTS: tuple[tuple[bytes, str], ...] = (
    (b"PK\x03\x04", f"a ZIP archive or an office document, not a film: unpack it and {_AS_FILM}"),
    (b"PK\x05\x06", f"an empty ZIP archive, not a film: {_AS_FILM}"),
    (b"\x1f\x8b", "packed with gzip: unpack it first"),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive: unpack it first"),
    (b"Rar!", "a RAR archive: unpack it first"),
    (b"BZh", "packed with bzip2: unpack it first"),
    (b"\xfd7zXZ", "packed with xz: unpack it first"),
    (b"\x28\xb5\x2f\xfd", "packed with zstd: unpack it first"),
    (b"\xff\x0a", f"JPEG XL, which is not read: {_AS_FILM}"),
    (b"\0\0\0\x0cJXL \r\n\x87\n", f"JPEG XL, which is not read: {_AS_FILM}"),
    (b"II\xbc", f"JPEG XR, which is not read: {_AS_FILM}"),
    (b"8BPS", "a Photoshop document, which is not read: save it as PNG"),
    (b"%!PS", f"PostScript, not a film: {_AS_FILM}"),
    (b"qoif", "QOI, which is not read: save it as PNG"),
    (b"\0\0\1\0", "an icon (ICO), not a film: give the radiograph itself"),
    (b"v/1\x01", "OpenEXR, which is not read: save it as 16-bit PNG"),
    (b"NRRD", "NRRD, which is not read: save it as 16-bit PNG or DICOM"),
    (b"SIMPLE  =", "FITS, which is not read: save it as 16-bit PNG"),
    (b"\x5c\x01\0\0", "NIfTI or Analyze, which is not read: save it as 16-bit PNG or DICOM"),
    (b"\x93NUMPY", "a numpy file: load it, and give the array"),
    (b"\x89HDF\r\n\x1a\n", "HDF5, not a film: give the picture in it as PNG or an array"),
    (b"\x89JNG\r\n\x1a\n", f"JNG, which is not read: {_AS_FILM}"),
    (b"\x8aMNG\r\n\x1a\n", f"MNG, a film strip, which is not read: {_AS_FILM}"),
    (b"BPG\xfb", f"BPG, which is not read: {_AS_FILM}"),
    (b"AT&TFORM", f"DjVu, which is not read: {_AS_FILM}"),
    (b"\0\0\x01\xba", f"a video, not a film: {_AS_FILM}"),
    (b"\x1aE\xdf\xa3", f"a video, not a film: {_AS_FILM}"),
    (b"{\\rtf", f"a text document, not a film: {_AS_FILM}"),
    (b"\xd0\xcf\x11\xe0", f"an office document or Thumbs.db, not a film: {_AS_FILM}"),
    (b"\0\x05\x16\x07", "macOS's notes about a file (._name), not the film: give the film itself"),
    (b"version https://git-lfs", "a pointer of Git LFS, not the film: git lfs pull"),
    *(((f"P{n}".encode()), "PNM, which is not read: save it as PNG") for n in "1234567"),
)
_INSIDE: tuple[tuple[bytes, str], ...] = (
    (b"%pdf-", f"a PDF, not a film: save the radiograph in it, or rather {_AS_FILM}"),
    (b"<svg", f"SVG, a drawing, not a film: {_AS_FILM}"),
    (b"<html", f"a web page, not a film (was it downloaded while logged out?): {_AS_FILM}"),
    (
        b"<!doctype html",
        f"a web page, not a film (was it downloaded while logged out?): {_AS_FILM}",
    ),
)
_START_BYTES = 1024


def _available(name: str) -> bool:
    """Whether this Pillow has a plugin, which then registers itself."""
    try:
        importlib.import_module(f"PIL.{name}")
    except ImportError:
        return False
    return True


FORMATS = tuple(
    kind
    for kind, plugin in (("JPEG2000", "Jpeg2KImagePlugin"), ("AVIF", "AvifImagePlugin"))
    if _available(plugin) and kind in Image.OPEN
)
"""What Pillow decodes beyond the usual, by how it was built."""
file_checks.silence("PIL")


def decode(data: bytes, opened: Opened) -> _Decoded | None:
    """The image in a file that Pillow did not decode as a usual one; None where it is damaged.

    ``opened`` is ``neumo._images.raster.opened``. Raises ``ImageError`` for what is recognised
    and not read, with its name and what to do.
    """
    if data.startswith(_PNG):
        return _png_without_extras(data, opened)
    if data.startswith(_JPEG):
        return _deep_jpeg(data)
    if data.startswith(_JPEG2000):
        return _read(data, "JPEG2000", "JPEG 2000", opened)
    if data[4:8] == b"ftyp":
        return _of_brand(data, opened)
    if data.startswith(_TIFF_STARTS):
        return _unusual_tiff(data)
    for start, sentence in _STARTS:
        if data.startswith(start):
            raise ImageError(sentence)
    begin = data[:_START_BYTES].lower().replace(b"\0", b"")
    for inside, sentence in _INSIDE:
        if inside in begin:
            raise ImageError(sentence)
    return None


def _png_without_extras(data: bytes, opened: Opened) -> _Decoded | None:
    """A PNG whose text or colour profile is larger than Pillow reads, or broken."""
    kept, at = [_PNG], len(_PNG)
    while at + 12 <= len(data):
        end = at + 12 + int.from_bytes(data[at : at + 4], "big")
        if data[at + 4 : at + 8] in _PNG_NEEDED:
            kept.append(data[at:end])
        at = end
    slim = b"".join(kept)
    if len(slim) == len(data):
        return None
    try:
        with Image.open(CountedBytes(slim), formats=("PNG",)) as image:
            return opened(image, slim)
    except ImageError:
        raise
    except Image.DecompressionBombError:
        raise file_checks.too_large() from None
    except Exception:  # noqa: BLE001 - its pixels are damaged, too
        return None


def _deep_jpeg(data: bytes) -> _Decoded | None:
    """A JPEG of more than 8 bits or without loss, which gdcm decodes; None for a usual one."""
    if importlib.util.find_spec("pydicom") is None or importlib.util.find_spec("gdcm") is None:
        if _is_unusual_jpeg(data):
            raise ImageError(
                "a JPEG of more than 8 bits needs one more package: pip install 'neumo[dicom]'"
            )
        return None
    from neumo._images.dicom import jpeg_files  # noqa: PLC0415 - pydicom is an extra, and slow

    return jpeg_files.decode(data)


def _is_unusual_jpeg(data: bytes) -> bool:
    """Whether its first frame header, of any process but arithmetic coding, has over 8 bits."""
    for marker in (b"\xff\xc0", b"\xff\xc1", b"\xff\xc2", b"\xff\xc3", b"\xff\xf7"):
        at = data.find(marker)
        if at >= 0:
            return data[at + 4] > 8 or marker in {b"\xff\xc3", b"\xff\xf7"}
    return False


def _of_brand(data: bytes, opened: Opened) -> _Decoded | None:
    """AVIF, HEIC and videos, which share a container (ISO 14496-12, 4.3)."""
    size = min(int.from_bytes(data[:4], "big"), 256)
    brands = {data[at : at + 4] for at in (8, *range(16, size, 4))}
    if brands & _AVIF_BRANDS:
        return _read(data, "AVIF", "AVIF", opened)
    if brands & _HEIC_BRANDS:
        raise ImageError(
            "HEIC, a telephone's photograph, which is not read: save it as JPEG; "
            "better than a photograph is the film's own file"
        )
    if data[8:12] == b"jxl ":
        raise ImageError(f"JPEG XL, which is not read: {_AS_FILM}")
    raise ImageError(f"a video, not a film: {_AS_FILM}")


def _read(data: bytes, kind: str, name: str, opened: Opened) -> _Decoded:
    if kind not in FORMATS:
        raise ImageError(f"{name}, which this Pillow does not decode: save it as PNG")
    try:
        with Image.open(CountedBytes(data), formats=(kind,)) as image:
            is_cut = image.mode not in {"I;16", "I"} and _has_over_eight_bits(data, kind)
            found, cautions = opened(image, data)
    except ImageError:
        raise
    except Image.DecompressionBombError:
        raise file_checks.too_large() from None
    except Exception:  # noqa: BLE001 - decoders raise anything on damaged bytes
        raise ImageError(
            f"{name}, damaged or of a kind that is not decoded: save it as PNG"
        ) from None
    return found, (*cautions, DEPTH) if is_cut else cautions


def _has_over_eight_bits(data: bytes, kind: str) -> bool:
    """Whether its samples have more bits than Pillow hands on of colours."""
    if kind == "AVIF":
        # av1C: the second byte's bits 6 and 5 of the third say high bit depth. AV1-ISOBMFF, 2.3.3.
        at = data.find(b"av1C")
        return at >= 0 and bool(data[at + 6] & 0x40)
    at = data.find(_JPEG2000[0])
    return at >= 0 and len(data) > at + 42 and (data[at + 42] & 0x7F) + 1 > 8


def check_tiff(compression: int) -> None:
    """Raise ``ImageError`` for a TIFF compressed as libtiff is rarely built for.

    Asked before libtiff is, which would say so on stderr.
    """
    if compression not in TiffImagePlugin.COMPRESSION_INFO or compression in _TIFF_RARE:
        raise ImageError("a TIFF compressed in a way that is not read: save it uncompressed")


def _unusual_tiff(data: bytes) -> _Decoded | None:
    """What Pillow has no layout for, read or named; None where the file is damaged."""
    from neumo._images import tiff_samples  # noqa: PLC0415 - few films are of that kind

    try:
        found = tiff_samples.decode(data)
        if found is not None:
            return found
        header = tiff_samples.directory(data)
        bits = header.get(_TIFF_BITS, (1,))
        formats = header.get(_TIFF_SAMPLE_FORMAT, (1,))
    except tiff_samples.FAULTS:
        return None
    check_tiff(header.get(_TIFF_COMPRESSION, 1))
    key = (max(bits), _SAMPLE_FORMATS.get(formats[0], "unknown"))
    if key in {(8, "unsigned"), (1, "unsigned")} and len(bits) in {1, 3, 4}:
        return None
    raise ImageError(
        f"a TIFF of {len(bits)} x {key[0]} bits ({key[1]}) of a layout that is not read: "
        "save it as 16-bit greyscale"
    )
