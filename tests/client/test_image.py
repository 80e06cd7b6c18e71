"""Any radiograph becomes one uint8 [256, 256, 1] image, or one line says why not."""

import contextlib
import io
import os
import struct
import threading
import warnings
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from neumo import image
from neumo._images import file_checks
from neumo.errors import ImageError
from neumo.release import phantom

WIDTH, HEIGHT = 320, 200


def grey_ramp(width=WIDTH, height=HEIGHT) -> np.ndarray:
    """uint8 [height, width], every level from left to right."""
    return np.tile(np.linspace(0, 255, width).astype(np.uint8), (height, 1))


def encoded(picture: Image.Image, kind: str, **options) -> bytes:
    """The file of ``picture``."""
    buffer = io.BytesIO()
    picture.save(buffer, kind, **options)
    return buffer.getvalue()


def by_contract(picture: Image.Image) -> np.ndarray:
    """The contract's words, written down a second time."""
    return np.asarray(picture.convert("L").resize((256, 256), Image.Resampling.BICUBIC))[..., None]


def refusal(source) -> str:
    """The one line with which ``source`` is refused."""
    with pytest.raises(ImageError) as caught:
        image.read(source)
    text = str(caught.value)
    assert "\n" not in text
    return text


def png_header(width: int, height: int) -> bytes:
    """A PNG that claims a size and holds no pixel."""
    chunk = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    end = b"\x00\x00\x00\x00IEND\xaeB`\x82"
    body = struct.pack(">I", 13) + chunk + struct.pack(">I", zlib.crc32(chunk))
    return b"\x89PNG\r\n\x1a\n" + body + end


class TestContractPath:
    """Greyscale and colour of 8 bits are what the original system fed its models."""

    @pytest.mark.parametrize("kind", ["JPEG", "PNG", "BMP", "TIFF", "WEBP"])
    @pytest.mark.parametrize("mode", ["L", "RGB"])
    def test_pillow_luma_and_bicubic(self, kind, mode):
        """A file is Pillow's luma, bicubically resized, to the last bit."""
        data = encoded(Image.fromarray(phantom.draw(1, 1)[0, :, :, 0]).resize((300, 420)), kind)
        if mode == "RGB":
            data = encoded(
                Image.merge("RGB", [Image.open(io.BytesIO(data)).convert("L")] * 3), kind
            )
        film = image.read(data)
        np.testing.assert_array_equal(film.pixels, by_contract(Image.open(io.BytesIO(data))))
        assert (film.width_px, film.height_px) == (300, 420)
        assert film.cautions == ()

    def test_shape_dtype_and_immutability(self):
        """The pixels are uint8 [256, 256, 1] and cannot be written."""
        pixels = image.read(grey_ramp()).pixels
        assert pixels.shape == (256, 256, 1)
        assert pixels.dtype == np.uint8
        assert not pixels.flags.writeable

    def test_film_of_the_models_size_is_untouched(self):
        """An image that already has 256 x 256 pixels passes unchanged."""
        drawn = phantom.draw(7, 4)
        for pixels in drawn:
            np.testing.assert_array_equal(image.read(pixels).pixels, pixels)


class TestSources:
    """The same film is the same pixels, however it is given."""

    @pytest.fixture
    def data(self) -> bytes:
        """A film's file."""
        return encoded(Image.fromarray(grey_ramp()), "PNG")

    @pytest.fixture
    def path(self, tmp_path, data) -> Path:
        """Where it lies."""
        path = tmp_path / "film.png"
        path.write_bytes(data)
        return path

    def test_every_kind_of_source(self, data, path):
        """Path, text, bytes, buffers, files, Pillow images and arrays give the same pixels."""
        expected = by_contract(Image.fromarray(grey_ramp()))
        with path.open("rb") as file, Image.open(path) as opened:
            given = [path, str(path), data, bytearray(data), memoryview(data), io.BytesIO(data)]
            given += [file, opened, Image.fromarray(grey_ramp()), grey_ramp()]
            given += [grey_ramp()[:, :, None], np.dstack([grey_ramp()] * 3)]
            for source in given:
                np.testing.assert_array_equal(image.read(source).pixels, expected)

    def test_callers_file_stays_open(self, path):
        """A file that the caller opened is read and left open; ours are closed."""
        with path.open("rb") as file:
            image.read(file)
            assert not file.closed

    @pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="counts open files in /proc")
    def test_no_file_stays_open(self, path, tmp_path):
        """Neither a good nor a bad file is open after the call."""
        bad = tmp_path / "bad.tiff"
        bad.write_bytes(encoded(Image.fromarray(grey_ramp()), "TIFF")[:-500])
        before = len(list(Path("/proc/self/fd").iterdir()))
        image.read(path)
        refusal(bad)
        assert len(list(Path("/proc/self/fd").iterdir())) == before

    def test_callers_image_is_not_changed(self):
        """A Pillow image given is neither converted nor turned in place."""
        given = Image.fromarray(grey_ramp()).convert("RGBA")
        image.read(given)
        assert (given.mode, given.size) == ("RGBA", (WIDTH, HEIGHT))

    def test_text_file_object(self, tmp_path):
        """A file opened as text is refused with the mode to open it in."""
        path = tmp_path / "film.txt"
        path.write_text("x")
        with path.open() as file:
            assert "binary" in refusal(file)

    @pytest.mark.parametrize("source", [None, 3, ["a.png"]])
    def test_something_else(self, source):
        """What is no source is refused with the list of sources."""
        assert "give a path" in refusal(source)


class TestDepth:
    """More than 8 bits are reduced without clipping."""

    @pytest.mark.parametrize("kind", ["PNG", "TIFF"])
    @pytest.mark.parametrize("bits", [8, 10, 12, 14, 16])
    def test_grey_of_16_bits(self, kind, bits):
        """A file of 16 bits shows the bits in use: 12-bit films in it are not black."""
        wide = grey_ramp().astype(np.uint16) << (bits - 8)
        film = image.read(encoded(Image.fromarray(wide), kind))
        np.testing.assert_array_equal(film.pixels, by_contract(Image.fromarray(grey_ramp())))

    def test_widened_by_257(self):
        """8 bits widened as Pillow and ImageMagick do come back exactly."""
        wide = grey_ramp().astype(np.uint16) * 257
        np.testing.assert_array_equal(
            image.read(wide).pixels, by_contract(Image.fromarray(grey_ramp()))
        )

    def test_big_endian_tiff(self):
        """Byte order does not matter."""
        wide = (grey_ramp().astype(np.uint16) * 257).astype(">u2")
        picture = Image.frombytes("I;16B", (WIDTH, HEIGHT), wide.tobytes())
        film = image.read(encoded(picture, "TIFF"))
        np.testing.assert_array_equal(film.pixels, by_contract(Image.fromarray(grey_ramp())))

    def test_white_is_zero_tiff(self):
        """A 16-bit TIFF that counts from white to black is inverted, as 8-bit ones are."""
        wide = Image.fromarray(grey_ramp().astype(np.uint16) * 257)
        film = image.read(encoded(wide, "TIFF", tiffinfo={262: 0}))
        np.testing.assert_array_equal(film.pixels, by_contract(Image.fromarray(255 - grey_ramp())))

    def test_float_tiff_in_the_unit_interval(self):
        """Floats in [0, 1] are taken as they are."""
        unit = Image.fromarray(grey_ramp().astype(np.float32) / 255)
        film = image.read(encoded(unit, "TIFF"))
        np.testing.assert_array_equal(film.pixels, by_contract(Image.fromarray(grey_ramp())))
        assert film.cautions == ()

    def test_other_float_tiff(self):
        """Floats of unknown scale are stretched from darkest to brightest, with a caution."""
        film = image.read(encoded(Image.fromarray(grey_ramp() * np.float32(13.5) - 500), "TIFF"))
        np.testing.assert_array_equal(film.pixels, by_contract(Image.fromarray(grey_ramp())))
        assert [caution.code for caution in film.cautions] == ["rescaled"]

    def test_float_tiff_with_nan(self):
        """A float file with NaN is refused."""
        broken = grey_ramp().astype(np.float32)
        broken[5, 5] = np.nan
        assert "not numbers" in refusal(encoded(Image.fromarray(broken), "TIFF"))


class TestColours:
    """Palettes, transparency and unusual colour modes end as the grey that a person would see."""

    def test_palette(self):
        """A palette is looked up before the luma is taken."""
        palette = Image.fromarray(grey_ramp()).quantize(256)
        film = image.read(encoded(palette, "PNG"))
        np.testing.assert_array_equal(film.pixels, by_contract(palette.convert("RGB")))

    def test_one_bit(self):
        """One bit is black and white."""
        film = image.read(encoded(Image.fromarray(grey_ramp() > 127), "PNG"))
        assert film.pixels[:, 0].max() == 0
        assert film.pixels[:, -1].min() == 255

    @pytest.mark.parametrize("mode", ["LA", "RGBA"])
    def test_transparency_is_black(self, mode):
        """What is transparent turns black, what is opaque stays."""
        picture = Image.fromarray(grey_ramp()).convert(mode)
        alpha = Image.new("L", picture.size, 255)
        alpha.paste(0, (0, 0, WIDTH, HEIGHT // 2))
        picture.putalpha(alpha)
        pixels = image.read(encoded(picture, "PNG")).pixels
        assert pixels[:100].max() == 0
        np.testing.assert_array_equal(pixels[160:], by_contract(Image.fromarray(grey_ramp()))[160:])

    def test_transparent_palette_entry(self):
        """A palette entry that is declared transparent is black."""
        white = Image.fromarray(np.full((100, 100), 255, np.uint8)).convert("P")
        assert image.read(encoded(white, "PNG", transparency=255)).pixels.max() == 0

    def test_cmyk_jpeg(self):
        """A CMYK JPEG is not a negative."""
        film = image.read(encoded(Image.fromarray(grey_ramp()).convert("CMYK"), "JPEG"))
        assert film.pixels[:, 5].mean() < 20
        assert film.pixels[:, -5].mean() > 235

    def test_lab_is_refused(self):
        """Colours that Pillow cannot convert are refused with a way out."""
        assert "greyscale" in refusal(encoded(Image.new("LAB", (100, 100)), "TIFF"))


class TestOrientationAndFrames:
    """Films are read upright, and only their first frame."""

    @pytest.mark.parametrize("kind", ["JPEG", "TIFF", "PNG"])
    def test_exif_orientation(self, kind):
        """A film that EXIF says lies on its side is turned before it is resized."""
        upright = Image.fromarray(grey_ramp())
        exif = Image.Exif()
        exif[0x0112] = 6
        lying = upright.transpose(Image.Transpose.ROTATE_90)
        film = image.read(encoded(lying, kind, exif=exif))
        assert (film.width_px, film.height_px) == (WIDTH, HEIGHT)
        difference = film.pixels.astype(int) - by_contract(upright)
        assert np.abs(difference).max() <= 6

    @pytest.mark.parametrize("kind", ["GIF", "TIFF", "WEBP"])
    def test_first_frame(self, kind):
        """Of several frames the first is read, and a caution says so."""
        first, second = Image.fromarray(grey_ramp()), Image.new("L", (WIDTH, HEIGHT), 200)
        options = {"lossless": True} if kind == "WEBP" else {}
        data = encoded(first, kind, save_all=True, append_images=[second], **options)
        film = image.read(data)
        assert [caution.code for caution in film.cautions] == ["first_frame"]
        np.testing.assert_array_equal(film.pixels, by_contract(first))


class TestArrays:
    """An array's dtype says its scale; what does not is refused."""

    def test_unit_floats(self):
        """Floats in [0, 1] are the film, 1 white."""
        np.testing.assert_array_equal(
            image.read(grey_ramp() / 255.0).pixels, by_contract(Image.fromarray(grey_ramp()))
        )

    def test_not_contiguous(self):
        """A view, here mirrored, is read as it looks."""
        np.testing.assert_array_equal(
            image.read(grey_ramp()[:, ::-1]).pixels,
            by_contract(Image.fromarray(grey_ramp()[:, ::-1].copy())),
        )

    @pytest.mark.parametrize(
        "array",
        [
            grey_ramp().astype(np.float32),
            grey_ramp() / 255.0 - 0.1,
            np.full((100, 100), np.nan),
            grey_ramp().astype(np.int64),
            grey_ramp() > 0,
        ],
    )
    def test_unknown_scale(self, array):
        """Values whose white level is anyone's guess are refused."""
        assert "no certain scale" in refusal(array)

    @pytest.mark.parametrize("shape", [(256,), (2, 256, 256, 1), (256, 256, 4), (0, 0)])
    def test_not_one_film(self, shape):
        """A batch, a line, or nothing is not a film."""
        refusal(np.zeros(shape, np.uint8))


class TestRefusals:
    """Every bad input is one line that says what to do."""

    def test_text_called_jpeg(self, tmp_path):
        """A text file called scan.jpeg is not an image."""
        path = tmp_path / "scan.jpeg"
        path.write_text("not a film\n" * 100)
        text = refusal(path)
        assert "not an image" in text
        assert "scan" not in text

    @pytest.mark.parametrize("kind", ["JPEG", "PNG", "TIFF", "BMP", "GIF", "WEBP"])
    @pytest.mark.parametrize("kept", [0.1, 0.5, 0.9])
    def test_cut_off(self, kind, kept):
        """A file that ends early is refused, not padded with grey."""
        noise = np.random.default_rng(0).integers(0, 256, (200, 200)).astype(np.uint8)
        data = encoded(Image.fromarray(noise), kind)
        text = refusal(data[: int(len(data) * kept)])
        assert "damaged" in text

    @pytest.mark.parametrize("missing_bytes", [1, 2, 10, 500])
    def test_jpeg_without_its_end(self, missing_bytes):
        """A JPEG that lacks its last bytes is refused."""
        data = encoded(Image.fromarray(phantom.draw(0, 1)[0, :, :, 0]), "JPEG")
        assert "cut off" in refusal(data[:-missing_bytes])

    def test_empty_file(self, tmp_path):
        """An empty file is called empty."""
        path = tmp_path / "film.png"
        path.touch()
        assert "empty" in refusal(path)
        assert "empty" in refusal(b"")

    @pytest.mark.parametrize("size", [(1, 1), (63, 500), (500, 63)])
    def test_too_small(self, size):
        """An image with a side under 64 pixels is no film."""
        assert "at least 64 x 64" in refusal(encoded(Image.new("L", size), "PNG"))

    def test_smallest(self):
        """64 x 64 pixels are read."""
        assert image.read(encoded(Image.new("L", (64, 64)), "PNG")).width_px == 64

    @pytest.mark.parametrize("side", [8_001, 9_500, 12_000, 30_000])
    def test_too_large_by_its_header(self, side):
        """A huge image is refused from its header: the files here hold no pixel at all."""
        assert "64 megapixels" in refusal(png_header(side, side))

    def test_too_large_array(self):
        """The limit holds for arrays, too."""
        assert "64 megapixels" in refusal(np.broadcast_to(np.uint8(0), (8_001, 8_001)))

    def test_limit_does_not_hang_on_pillows(self, monkeypatch):
        """An application that switched Pillow's own limit off has neumo's all the same."""
        monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", None)
        assert "64 megapixels" in refusal(png_header(30_000, 30_000))

    def test_folder(self, tmp_path):
        """A folder is called a folder."""
        assert "folder" in refusal(tmp_path)

    def test_missing_file(self, tmp_path):
        """A missing file is called missing, without its name."""
        text = refusal(tmp_path / "patient-name.png")
        assert "no such file" in text
        assert "patient" not in text

    @pytest.mark.skipif(
        not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may read every file"
    )
    def test_no_permission(self, tmp_path):
        """A file that may not be read says so."""
        path = tmp_path / "film.png"
        path.write_bytes(b"x")
        path.chmod(0)
        assert "permission" in refusal(path)

    @pytest.mark.parametrize("name", ["a\0b.png", "x" * 5000])
    def test_impossible_name(self, name):
        """A name that no file can have is an error of the path."""
        assert "path" in refusal(name)

    def test_too_many_bytes(self, tmp_path, monkeypatch):
        """A file over the limit is refused, and no more of it than the limit is read."""
        monkeypatch.setattr(file_checks, "MAX_FILE_BYTES", 3 * 1024 * 1024)
        path = tmp_path / "film.png"
        with path.open("wb") as file:
            file.truncate(3 * 1024 * 1024 + 1)
        assert "larger than 3 MiB" in refusal(path)

    @pytest.mark.parametrize("seed", range(40))
    def test_scrambled_bytes(self, seed):
        """A file with bytes changed is a film or an ImageError, never another exception."""
        random = np.random.default_rng(seed)
        kind = ["JPEG", "PNG", "TIFF", "BMP", "GIF", "WEBP"][seed % 6]
        data = np.frombuffer(encoded(Image.fromarray(grey_ramp()), kind), np.uint8).copy()
        places = random.integers(0, min(len(data), 400), 8)
        data[places] = random.integers(0, 256, 8)
        with contextlib.suppress(ImageError):
            assert image.read(data.tobytes()).pixels.shape == (256, 256, 1)


def test_bounds_are_stated_for_pixels_not_bytes():
    """The largest size allowed passes; one more row does not."""
    file_checks.check_size(8_000, 8_000)
    with pytest.raises(ImageError):
        file_checks.check_size(8_000, 8_001)


def test_threads_leave_warnings_as_they_were():
    """Many threads that decode at once leave the process's warning filters as they found them."""
    before = list(warnings.filters)
    data = encoded(Image.fromarray(grey_ramp()), "PNG")

    def work() -> None:
        for _ in range(20):
            image.read(data)

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert warnings.filters == before
