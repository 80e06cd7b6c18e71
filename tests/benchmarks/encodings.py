"""What becomes of a film's probability when it comes as DICOM, PNG or TIFF: the shipped release.

``python tests/benchmarks/encodings.py [FOLDER]`` writes each JPEG of FOLDER (without one, drawn
films) in 12 bits, in every encoding below, at its full size, in memory only; asks an embedded
server for each, and prints how far its probability is from that of the JPEG. It ends with 1 where
one is further than .005 from it.
"""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Callable
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np
import tests_path  # noqa: F401
from PIL import Image

import neumo
from neumo import image
from neumo.release import phantom
from neumo.testing import EmbeddedServer
from support import films
from support.films import WINDOW, png16, radiograph, tiff16

LIMIT = 0.005
ROOT = "1.2.840.10008.1.2"
NATIVE = {
    "implicit VR": ROOT,
    "explicit VR": f"{ROOT}.1",
    "deflated": f"{ROOT}.1.99",
    "big endian": f"{ROOT}.2",
}
COMPRESSED = {
    "RLE": f"{ROOT}.5",
    "JPEG lossless": f"{ROOT}.4.57",
    "JPEG lossless SV1": f"{ROOT}.4.70",
    "JPEG-LS": f"{ROOT}.4.80",
    "JPEG-LS near lossless": f"{ROOT}.4.81",
    "JPEG 2000 lossless": f"{ROOT}.4.90",
    "JPEG 2000": f"{ROOT}.4.91",
}

Encoder = Callable[[np.ndarray], bytes]


def _native(syntax: str) -> Encoder:
    return lambda stored: radiograph(stored, 12, syntax=syntax, **WINDOW)


def _compressed(syntax: str) -> Encoder:
    return lambda stored: films.transcoded(radiograph(stored, 12, **WINDOW), syntax)


ENCODINGS: dict[str, Encoder] = {
    **{f"DICOM, {name}": _native(syntax) for name, syntax in NATIVE.items()},
    **{f"DICOM, {name}": _compressed(syntax) for name, syntax in COMPRESSED.items()},
    "PNG, 16 bits": lambda stored: png16(stored[:, :, None]),
    "PNG, 16 bits, RGB": lambda stored: png16(np.dstack([stored] * 3)),
    "TIFF, 16 bits": tiff16,
    "TIFF, 16 bits, RGB": lambda stored: tiff16(np.dstack([stored] * 3)),
    "TIFF, 64-bit float": lambda stored: tiff16(stored / 4095),
}
"""How a film is written: uint16 [h, w] of 12 bits to the file's content."""


def _twelve_bits(grey: np.ndarray) -> np.ndarray:
    """The film in 12 bits, black 0 and white 4095: uint16 of the same shape."""
    return np.rint(grey * (4095 / 255)).astype(np.uint16)


def _jpegs() -> list[bytes]:
    if len(sys.argv) > 1:
        return [path.read_bytes() for path in sorted(Path(sys.argv[1]).rglob("*.jp*g"))]
    contents = []
    for pixels in phantom.chests(3, 4):
        content = io.BytesIO()
        Image.fromarray(pixels[:, :, 0]).resize((900, 1100)).save(content, "JPEG", quality=95)
        contents.append(content.getvalue())
    return contents


def main() -> None:
    """Print the table; end with 1 where a probability moved too far."""
    jpegs = _jpegs()
    with EmbeddedServer() as server, neumo.Client(server.grpc_url, timeout=120) as client:
        expected = np.array([client.predict(one).probability for one in jpegs])
        apart: dict[str, list[float]] = {name: [] for name in ENCODINGS}
        doubted: dict[str, set[str]] = {name: set() for name in ENCODINGS}
        for probability, jpeg in zip(expected, jpegs, strict=True):
            grey, _ = image.decode(jpeg)
            stored = _twelve_bits(np.asarray(grey.convert("L")))
            for name, encode in ENCODINGS.items():
                found = client.predict(encode(stored))
                apart[name].append(abs(found.probability - probability))
                own = {one.code for one in found.warnings}
                doubted[name] |= own - {one.code for one in client.predict(jpeg).warnings}
    print(f"{len(jpegs)} films; the JPEG's probability and each encoding's are apart by")
    print(f"{'':32} {'most':>9} {'mean':>9}  cautions that the JPEG has not")
    for name, values in apart.items():
        told = ", ".join(sorted(doubted[name])) or "none"
        print(f"{name:32} {max(values):9.6f} {np.mean(values):9.6f}  {told}")
    sys.exit(int(max(max(values) for values in apart.values()) > LIMIT))


if __name__ == "__main__":
    main()
