"""How large a film is, told from its header."""

import io

import numpy as np
import pytest
from PIL import Image

from neumo import image
from neumo._images import file_checks, image_size

pytest.importorskip("pydicom", reason="the dicom extra is not installed")
from support import films

DEFLATED = "1.2.840.10008.1.2.1.99"


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF", "BMP", "GIF", "DICOM"])
def test_every_format_says_its_size_before_its_pixels(kind):
    """Nothing of them is decoded."""
    assert image_size.pixels(films.file(kind)) == 640 * 480


def test_what_is_packed_as_a_whole_counts_as_the_largest():
    """It is not unpacked to be weighed."""
    packed = films.dicom(np.zeros((64, 64), np.uint8), syntax=DEFLATED)
    assert image_size.pixels(packed) == file_checks.MAX_PIXELS


@pytest.mark.parametrize("content", [b"", b"no film", bytes(132) + b"DICM"])
def test_what_says_no_size_has_none(content):
    """Whoever reads it is told why."""
    assert image_size.pixels(content) == 0


def test_a_film_that_was_read_is_a_source_as_its_file_was():
    """With the same pixels and cautions."""
    content = films.file("DICOM")
    read = image.read(content)
    assert [caution.code for caution in read.cautions] == ["adult"]
    assert image.read(read) is read


def test_transparency_of_a_tall_image_is_black_everywhere():
    """Though it is laid on black band by band."""
    rng = np.random.default_rng(5)
    rgba = rng.integers(0, 256, (1100, 70, 4), np.uint8)
    rgba[:, :, 3] = rgba[:, :, 3] // 128 * 255
    file = io.BytesIO()
    Image.fromarray(rgba).save(file, "PNG")
    black = Image.new("RGBA", (70, 1100), (0, 0, 0, 255))
    whole = Image.alpha_composite(black, Image.fromarray(rgba)).convert("RGB")
    np.testing.assert_array_equal(image.read(file.getvalue()).pixels, image.to_pixels(whole))
