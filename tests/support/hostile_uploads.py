"""Uploads that nobody sends by mistake, made in memory."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib

import numpy as np
from PIL import Image, PngImagePlugin

from support import films

MIB = 2**20
KINDS = ("JPEG", "PNG", "WEBP", "TIFF", "DICOM", "GIF", "BMP")
DEFLATED = "1.2.840.10008.1.2.1.99"


def truncated() -> dict[str, bytes]:
    """Every format, cut off in its pixels and in its header."""
    whole = {kind: films.file(kind) for kind in KINDS}
    cut = {f"half a {kind}": content[: len(content) // 2] for kind, content in whole.items()}
    return cut | {f"the head of a {kind}": content[:40] for kind, content in whole.items()}


def png(width: int, height: int, pixels: bytes, extra: bytes = b"") -> bytes:
    """A greyscale PNG that says to be so large, with these packed pixels."""
    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    parts = (b"IHDR" + head, extra, b"IDAT" + pixels, b"IEND")
    return b"\x89PNG\r\n\x1a\n" + b"".join(map(chunk, filter(None, parts)))


def chunk(content: bytes) -> bytes:
    """A chunk of a PNG: its type and its content."""
    return struct.pack(">I", len(content) - 4) + content + struct.pack(">I", zlib.crc32(content))


def tiff(*entries: tuple[int, int, int, int], tail: bytes = b"", next_at: int = 0) -> bytes:
    """A little-endian TIFF with one directory of (tag, type, count, value)."""
    body = b"".join(struct.pack("<HHII", *entry) for entry in sorted(entries))
    directory = struct.pack("<H", len(entries)) + body + struct.pack("<I", next_at)
    return b"II*\0" + struct.pack("<I", 8) + directory + tail


def tiff_of(width: int, height: int, strip: bytes, compression: int) -> bytes:
    """A greyscale TIFF that says to be so large, in one strip."""
    entries = [
        (256, 4, 1, width),
        (257, 4, 1, height),
        (258, 3, 1, 8),
        (259, 3, 1, compression),
        (262, 3, 1, 1),
        (273, 4, 1, 8 + 2 + 9 * 12 + 4),
        (277, 3, 1, 1),
        (278, 4, 1, height),
        (279, 4, 1, len(strip)),
    ]
    return tiff(*entries, tail=strip)


def zeros(size_bytes: int, wbits: int = zlib.MAX_WBITS) -> bytes:
    """So many zeros, packed into a thousandth."""
    packer = zlib.compressobj(9, zlib.DEFLATED, wbits)
    return b"".join(
        [*(packer.compress(bytes(MIB)) for _ in range(size_bytes // MIB)), packer.flush()]
    )


def bombs() -> dict[str, bytes]:
    """Small files that say, or are, far larger ones."""
    text = PngImagePlugin.PngInfo()
    text.add_text("note", "x" * (80 * MIB), zip=True)
    noted = io.BytesIO()
    films.drawn().save(noted, "PNG", pnginfo=text)
    loop = tiff((256, 4, 1, 640), (257, 4, 1, 480), next_at=8)
    small = np.zeros((64, 64), np.uint8)
    return {
        "PNG of 60000 x 60000": png(60_000, 60_000, zeros(64 * MIB)),
        "PNG of 2147483647 x 2147483647": png(2**31 - 1, 2**31 - 1, zeros(MIB)),
        "PNG with 80 MiB of text": noted.getvalue(),
        "PNG whose pixels unpack to a hundred times its size": png(640, 480, zeros(256 * MIB)),
        "TIFF of 60000 x 60000": tiff_of(60_000, 60_000, zeros(64 * MIB), 8),
        "TIFF whose strip unpacks to a hundred times its size": tiff_of(
            640, 480, zeros(256 * MIB), 8
        ),
        "TIFF whose directory follows itself": loop,
        "TIFF with four thousand million values": tiff((256, 4, 2**32 - 1, 8), (257, 4, 1, 480)),
        "DICOM of 65535 x 65535": with_size(films.dicom(small), 65_535, 65_535),
        "DICOM deflated from 1 GiB": deflated(zeros(1024 * MIB, -zlib.MAX_WBITS)),
        "DICOM of a million nested sequences": nested(films.dicom(small), 1_000_000),
        "DICOM of a million elements": elements(films.dicom(small), 1_000_000),
        "DICOM of half a million fragments": fragments(500_000),
        "GIF of 20000 frames": frames(20_000),
        "GIF of 300000 frames": frames(300_000),
        "JPEG of a million segments": segments(1_000_000),
        "PNG of half a million chunks": chunks(500_000),
    }


def with_size(content: bytes, rows: int, columns: int) -> bytes:
    """A DICOM file that says to be so large."""
    changed = content
    for element, value in (
        (b"\x28\x00\x10\x00US\x02\x00", rows),
        (b"\x28\x00\x11\x00US\x02\x00", columns),
    ):
        at = changed.index(element) + len(element)
        changed = changed[:at] + struct.pack("<H", value) + changed[at + 2 :]
    return changed


def deflated(packed: bytes) -> bytes:
    """A DICOM file whose data set is packed."""
    content = films.dicom(np.zeros((64, 64), np.uint8), syntax=DEFLATED)
    length = struct.unpack("<I", content[140:144])[0]
    return content[: 144 + length] + packed


def nested(content: bytes, depth: int) -> bytes:
    """A DICOM file with a sequence in a sequence, and so on."""
    sequence = b"\x08\x00\x40\x11SQ\0\0\xff\xff\xff\xff" + b"\xfe\xff\x00\xe0\xff\xff\xff\xff"
    at = content.index(b"\x08\x00\x16\x00UI")
    return content[:at] + sequence * depth + content[at:]


def elements(content: bytes, count: int) -> bytes:
    """A DICOM file with so many private elements before its pixels."""
    at = content.index(b"\x10\x00\x10\x00PN")
    return content[:at] + b"\x09\x00\x01\x10LO\x02\x00ab" * count + content[at:]


def fragments(count: int) -> bytes:
    """A DICOM file whose compressed pixels are so many empty pieces."""
    content = films.dicom(np.zeros((64, 64), np.uint8))
    rle = content.replace(b"1.2.840.10008.1.2.1\0", b"1.2.840.10008.1.2.5\0")
    head = rle[: rle.rindex(b"\xe0\x7f\x10\x00")]
    pixels = b"\xe0\x7f\x10\x00OB\0\0\xff\xff\xff\xff"
    return head + pixels + b"\xfe\xff\x00\xe0\0\0\0\0" * count + b"\xfe\xff\xdd\xe0\0\0\0\0"


def chunks(count: int) -> bytes:
    """A PNG with so many empty chunks before its pixels."""
    film = films.file("PNG")
    return film[:33] + chunk(b"teSt") * count + film[33:]


def segments(count: int) -> bytes:
    """A JPEG with so many empty segments before its pixels."""
    film = films.file("JPEG")
    return film[:2] + b"\xff\xec\x00\x02" * count + film[2:]


def frames(count: int) -> bytes:
    """A GIF with so many frames of one pixel after the first."""
    film = io.BytesIO()
    films.drawn().save(film, "GIF")
    frame = b"\x2c\0\0\0\0\x01\0\x01\0\0\x02\x02\x44\x01\0"
    return film.getvalue()[:-1] + frame * count + b";"


def polyglots() -> dict[str, bytes]:
    """Files that are two things at once."""
    zipped = io.BytesIO()
    with zipfile.ZipFile(zipped, "w") as archive:
        archive.writestr("page.html", "<script>alert(1)</script>")
    jpeg = films.file("JPEG")
    return {
        "GIF that is a script": b"GIF89a/*" + b"\0" * 20 + b"*/=1;alert(1)",
        "PDF around a JPEG": b"%PDF-1.7\n1 0 obj\nstream\n" + jpeg + b"\nendstream",
        "DICOM's letters in a JPEG": jpeg[:128] + b"DICM" + jpeg[132:],
        "a DICOM in a syntax that there is not": films.dicom(np.zeros((64, 64), np.uint8)).replace(
            b"1.2.840.10008.1.2.1\0", b"1.2.840.10008.1.2.4.50"[:20]
        ),
        "a zip": zipped.getvalue(),
    }


def other_things() -> dict[str, bytes]:
    """What is no film at all."""
    entities = "".join(f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">' for n in range(1, 10))
    return {
        "nothing": b"\n",
        "text": b"a letter to the doctor",
        "a program": b"\x7fELF\x02\x01\x01" + b"\0" * 1000,
        "SVG with entities": f'<!DOCTYPE s [<!ENTITY a0 "a">{entities}]><svg>&a9;</svg>'.encode(),
        "EPS": b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 640 480\n(%pipe%id) run\n",
        "an icon": icon(),
        "zeros": bytes(MIB),
        "noise": np.random.default_rng(3).bytes(MIB),
    }


def icon() -> bytes:
    """A PNG too small for a film."""
    content = io.BytesIO()
    Image.new("L", (16, 16)).save(content, "PNG")
    return content.getvalue()


def corpus() -> dict[str, bytes]:
    """All of them, by what they are."""
    return truncated() | bombs() | polyglots() | other_things()
