"""A film's probability is its own, in whatever file it comes: release 2 on the 16 public films."""

from __future__ import annotations

import io
from functools import partial

import numpy as np
import pytest
from PIL import Image

import neumo
from support import films
from support.films import WINDOW, png16, radiograph, tiff16
from support.patience import patience

SAME = 0.005
ROOT = "1.2.840.10008.1.2"


def stored(path):
    """The luma of a film over the whole scale of 12 bits: uint16 [h, w]."""
    # By 4095/255, not by 16: else white is 4080, and the film half a level darker, which alone
    # moves a probability near the threshold by up to .021.
    with Image.open(path) as opened:
        return np.rint(np.asarray(opened.convert("L")) * (4095 / 255)).astype(np.uint16)


def plain(syntax, values):
    """As DICOM of 12 bits, uncompressed."""
    return radiograph(values, 12, syntax=syntax, **WINDOW)


def compressed(syntax, values):
    """As DICOM of 12 bits, by gdcm or pydicom."""
    return films.transcoded(radiograph(values, 12, **WINDOW), syntax)


def colour(write, values):
    """Three equal channels of 16 bits that hold 12."""
    return write(np.dstack([values] * 3))


ENCODINGS = {
    "implicit VR": partial(plain, ROOT),
    "explicit VR": partial(plain, f"{ROOT}.1"),
    "deflated": partial(plain, f"{ROOT}.1.99"),
    "big endian": partial(plain, f"{ROOT}.2"),
    "RLE": partial(compressed, f"{ROOT}.5"),
    "JPEG lossless": partial(compressed, f"{ROOT}.4.70"),
    "JPEG-LS": partial(compressed, f"{ROOT}.4.80"),
    "JPEG 2000": partial(compressed, f"{ROOT}.4.90"),
    "PNG, 16-bit grey": lambda values: png16(values[:, :, None]),
    "PNG, 16-bit colour": partial(colour, png16),
    "TIFF, 16-bit grey": tiff16,
    "TIFF, 16-bit colour": partial(colour, tiff16),
}


@pytest.fixture(scope="module")
def client(served):
    """Of the newest release."""
    with neumo.Client(served.grpc_url, timeout=patience(60)) as opened:
        yield opened


@pytest.fixture(scope="module")
def expected(client, val_films):
    """What the JPEG files get."""
    return np.array([client.predict(path).probability for path in val_films])


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:Value length")
@pytest.mark.parametrize("encoding", ENCODINGS)
def test_the_probability_is_the_jpegs(client, val_films, expected, encoding):
    """Within .005, for every one of them."""
    found = []
    for path in val_films:
        content = ENCODINGS[encoding](stored(path))
        found.append(client.predict(io.BytesIO(content)).probability)
    np.testing.assert_allclose(found, expected, atol=SAME)
