"""TIFF, PNG and the other pictures whose tags and pixels cannot both be right.

The control is the drawn film itself, within two levels of 255 in the mean. Sections are those of
TIFF 6.0 and of the PNG specification (third edition).
"""

from __future__ import annotations

import io
import struct
import zlib
from typing import Any

import numpy as np
import pytest
from PIL import Image, features

from neumo.release import phantom

pytest.importorskip("pydicom", reason="the dicom extra is not installed")
from support.films import png16, tiff16, with_tag
from support.readings import SEEDS, check, codes, levels, refusal

BITS_PER_SAMPLE, COMPRESSION, PHOTOMETRIC, PREDICTOR, ORIENTATION = 258, 259, 262, 317, 274


def grey(seed: int) -> np.ndarray:
    """A drawn film: uint8 [256, 256]."""
    return phantom.draw(seed, 1)[0, :, :, 0]


def expected(seed: int) -> np.ndarray:
    """The same as numbers that can be subtracted."""
    return grey(seed).astype(int)


def deep(seed: int, bits: int = 12) -> np.ndarray:
    """The same in ``bits`` of 16: uint16 [256, 256]."""
    return grey(seed).astype(np.uint16) << (bits - 8)


def saved(picture: Image.Image, kind: str, **options: Any) -> bytes:
    """The file that Pillow writes."""
    content = io.BytesIO()
    picture.save(content, kind, **options)
    return content.getvalue()


def tiff(values: np.ndarray, *, planes: bool, rows: int, packed: bool, predictor: int) -> bytes:
    """A little-endian TIFF of [h, w, c] in strips of ``rows``, by plane or by pixel."""
    height, width, samples = values.shape
    parts = np.moveaxis(values, 2, 0)[..., None] if planes else values[None]
    strips = []
    for part in parts:
        for top in range(0, height, rows):
            strip = part[top : top + rows]
            if predictor == 2:
                strip = np.diff(strip, axis=1, prepend=strip.dtype.type(0))
            content = strip.astype(strip.dtype.newbyteorder("<")).tobytes()
            if predictor == 3:
                content = _by_significance(strip)
            strips.append(zlib.compress(content) if packed else content)
    formats = {"u": 1, "i": 2, "f": 3}
    lists = {
        256: [width],
        257: [height],
        258: [8 * values.itemsize] * samples,
        259: [8 if packed else 1],
        262: [1 if samples == 1 else 2],
        273: [0] * len(strips),
        277: [samples],
        278: [rows],
        279: [len(strip) for strip in strips],
        284: [2 if planes else 1],
        317: [predictor],
        339: [formats[values.dtype.kind]] * samples,
    }
    start = 10 + 12 * len(lists) + 4
    start += sum(4 * len(one) for one in lists.values() if len(one) > 1)
    lists[273] = [start + sum(map(len, strips[:number])) for number in range(len(strips))]
    entries, more = b"", b""
    for tag, numbers in lists.items():
        packed_numbers = struct.pack(f"<{len(numbers)}I", *numbers)
        if len(numbers) > 1:
            at = 10 + 12 * len(lists) + 4 + len(more)
            packed_numbers, more = struct.pack("<I", at), more + packed_numbers
        entries += struct.pack("<HHI", tag, 4, len(numbers)) + packed_numbers
    head = b"II*\0" + struct.pack("<IH", 8, len(lists))
    return head + entries + b"\0\0\0\0" + more + b"".join(strips)


def _by_significance(strip: np.ndarray) -> bytes:
    """Predictor 3: the bytes of a row by their significance, then differenced."""
    rows, width, samples = strip.shape
    values = np.ascontiguousarray(strip.astype(strip.dtype.newbyteorder(">")))
    split = values.view(np.uint8).reshape(rows, width * samples, strip.itemsize)
    lined = np.ascontiguousarray(np.moveaxis(split, 2, 1)).reshape(rows, -1, samples)
    return np.diff(lined, axis=1, prepend=np.uint8(0)).tobytes()


@pytest.mark.parametrize("seed", SEEDS)
class TestTiff:
    """TIFF of samples that Pillow has no layout for, or would read wrongly."""

    @pytest.mark.parametrize("big_endian", [False, True])
    @pytest.mark.parametrize("kind", ["f2", "f4", "f8", "u4", "u8", "i4", "i8"])
    @pytest.mark.parametrize("channels", [1, 3])
    def test_sample_formats(self, seed, kind, big_endian, channels):
        """SampleFormat (section 19) of 16 to 64 bits, grey or RGB, in both orders."""
        values = (grey(seed) / 255.0 if kind[0] == "f" else deep(seed)).astype(kind)
        samples = values if channels == 1 else np.dstack([values] * 3)
        check(tiff16(samples, big_endian=big_endian), expected(seed))

    @pytest.mark.parametrize("rows", [256, 100, 7])
    @pytest.mark.parametrize("packed", [False, True])
    @pytest.mark.parametrize(("kind", "predictor"), [("u2", 1), ("u2", 2), ("f8", 1), ("f8", 3)])
    def test_planes(self, seed, rows, packed, kind, predictor):
        """PlanarConfiguration 2 in strips, deflated or not, with predictors 2 and 3."""
        values = (grey(seed) / 255.0 if kind == "f8" else deep(seed)).astype(kind)
        data = tiff(
            np.dstack([values] * 3), planes=True, rows=rows, packed=packed, predictor=predictor
        )
        check(data, expected(seed))

    def test_12_bits_in_words(self, seed):
        """BitsPerSample 12 over strips of 16-bit words: the strips' size counts."""
        check(tiff16(deep(seed), bits=12), expected(seed), "bits")

    def test_12_bits_packed(self, seed):
        """BitsPerSample 12 as the standard packs it, two samples in three bytes."""
        one, two = deep(seed).reshape(-1, 2).T.astype(int)
        packed = np.stack([one >> 4, (one & 15) << 4 | two >> 8, two & 255], axis=1)
        data = tiff16(packed.astype(np.uint8).reshape(256, 384))
        check(with_tag(with_tag(data, 256, 256), BITS_PER_SAMPLE, 12), expected(seed))

    def test_signed_bytes(self, seed):
        """Signed 8 bits are not bytes that wrap."""
        check(tiff16((expected(seed) - 128).astype(np.int8)), expected(seed), "rescaled")

    @pytest.mark.parametrize("kind", ["u1", "u2", "f4", "f8"])
    def test_white_is_zero(self, seed, kind):
        """PhotometricInterpretation 0 counts from white."""
        values = {"u1": 255 - grey(seed), "u2": 4095 - deep(seed)}.get(kind)
        if values is None:
            values = (1 - grey(seed) / 255.0).astype(kind)
        check(tiff16(values, photometric=0), expected(seed))

    @pytest.mark.parametrize("kind", ["u2", "f8"])
    def test_lying(self, seed, kind):
        """Orientation 6 is turned, whatever reads the samples."""
        values = (grey(seed) / 255.0 if kind == "f8" else deep(seed)).astype(kind)
        data = tiff16(np.rot90(values))
        # In the place of 277, SamplesPerPixel, whose default is 1.
        at = data.index(struct.pack("<HHI", 277, 3, 1))
        told = data[:at] + struct.pack("<HHIHH", ORIENTATION, 3, 1, 6, 0) + data[at + 12 :]
        check(told, expected(seed))

    @pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
    def test_no_numbers(self, seed, value):
        """NaN and infinities of 64 bits are refused by name, too."""
        values = grey(seed) / 255.0
        values[3, 3] = value
        assert "NaN" in refusal(tiff16(values))

    @pytest.mark.parametrize("compression", [50001, 34712, 60000])
    def test_rare_compression(self, seed, compression, capfd):
        """Named before libtiff is asked, which would write to stderr."""
        text = refusal(with_tag(tiff16(grey(seed)), COMPRESSION, compression))
        assert "compressed in a way" in text
        assert capfd.readouterr().err == ""

    def test_cut_off(self, seed):
        """A strip that is not whole is no picture."""
        refusal(tiff16(grey(seed) / 255.0)[:-1000])


@pytest.mark.parametrize("seed", SEEDS)
class TestPng:
    """PNG's ancillary chunks change no grey that the file does not mean."""

    @pytest.mark.parametrize(
        "chunk",
        [(b"sBIT", b"\x0c"), (b"sBIT", b"\x08"), (b"gAMA", struct.pack(">I", 100_000)),
         (b"gAMA", struct.pack(">I", 1)), (b"sRGB", b"\0"), (b"pHYs", bytes(9)),
         (b"bKGD", b"\0\0"), (b"tIME", bytes(7))],
    )  # fmt: skip
    def test_ancillary(self, seed, chunk):
        """SBIT that lies, gAMA of 1 or of nothing: the samples are taken as they are."""
        check(png16(deep(seed)[:, :, None], chunk), expected(seed))

    @pytest.mark.parametrize("channels", [1, 3])
    def test_interlaced(self, seed, channels):
        """Adam7 (8.2) at 16 bits holding 12."""
        samples = np.dstack([deep(seed)] * channels)
        passes = [(0, 0, 8, 8), (0, 4, 8, 8), (4, 0, 8, 4), (0, 2, 4, 4), (2, 0, 4, 2),
                  (0, 1, 2, 2), (1, 0, 2, 1)]  # fmt: skip
        body = b""
        for top, left, down, across in passes:
            part = np.ascontiguousarray(samples[top::down, left::across].astype(">u2"))
            lines = part.reshape(len(part), -1).view(np.uint8)
            body += np.pad(lines, ((0, 0), (1, 0))).tobytes()
        plain = png16(samples)
        head = plain[16:28] + b"\x01"
        whole = plain[:16] + head + struct.pack(">I", zlib.crc32(b"IHDR" + head))
        packed = zlib.compress(body)
        data = struct.pack(">I", len(packed)) + b"IDAT" + packed
        check(whole + data + struct.pack(">I", zlib.crc32(b"IDAT" + packed)) + plain[-12:],
              expected(seed))  # fmt: skip

    @pytest.mark.parametrize("alpha", [0, 128])
    def test_palette_nowhere_opaque(self, seed, alpha):
        """A tRNS (11.3.2.1) that makes each entry of the palette transparent."""
        picture = Image.fromarray(grey(seed)).convert("P")
        data = saved(picture, "PNG", transparency=bytes([alpha] * 256))
        check(data, expected(seed), "transparency")

    @pytest.mark.parametrize("mode", ["LA", "RGBA"])
    @pytest.mark.parametrize("kind", ["PNG", "WEBP", "TIFF"])
    def test_half_transparent(self, seed, mode, kind):
        """An alpha that follows the film is no mask: it would darken what is dark already."""
        if (mode, kind) == ("LA", "WEBP"):
            pytest.skip("WebP has no grey")
        picture = Image.fromarray(grey(seed)).convert(mode)
        picture.putalpha(Image.fromarray(np.clip(expected(seed) + 60, 0, 255).astype(np.uint8)))
        options = {"lossless": True, "exact": True} if kind == "WEBP" else {}
        check(saved(picture, kind, **options), expected(seed), "transparency")

    def test_cut_out(self, seed):
        """A soft mask round the film is meant: black outside."""
        picture = Image.fromarray(grey(seed)).convert("LA")
        mask = np.zeros((256, 256), np.uint8)
        mask[20:236, 20:236] = 255
        mask[20], mask[235] = 128, 128
        picture.putalpha(Image.fromarray(mask))
        read = levels(saved(picture, "PNG"))
        assert read[:20].max() == 0
        np.testing.assert_array_equal(read[21:235, 20:236], expected(seed)[21:235, 20:236])
        assert "transparency" not in codes(saved(picture, "PNG"))


@pytest.mark.parametrize("seed", SEEDS)
class TestOthers:
    """The other kinds of pictures, as they are met."""

    @pytest.mark.parametrize(
        ("kind", "options"),
        [("BMP", {}), ("GIF", {}), ("WEBP", {"lossless": True}), ("PNG", {}),
         ("TIFF", {"compression": "tiff_lzw"}), ("TIFF", {"compression": "packbits"}),
         ("TIFF", {"big_tiff": True}), ("JPEG", {"quality": 98, "progressive": True})],
    )  # fmt: skip
    @pytest.mark.parametrize("mode", ["L", "RGB"])
    def test_usual(self, seed, kind, options, mode):
        """BMP, GIF, WebP, LZW, PackBits, BigTIFF, progressive JPEG, grey and colour."""
        check(saved(Image.fromarray(grey(seed)).convert(mode), kind, **options), expected(seed))

    @pytest.mark.parametrize("orientation", range(2, 9))
    def test_exif(self, seed, orientation):
        """EXIF's orientations 2 to 8, undone."""
        turn = Image.Transpose
        undo = {2: turn.FLIP_LEFT_RIGHT, 3: turn.ROTATE_180, 4: turn.FLIP_TOP_BOTTOM,
                5: turn.TRANSPOSE, 6: turn.ROTATE_90, 7: turn.TRANSVERSE,
                8: turn.ROTATE_270}  # fmt: skip
        exif = Image.Exif()
        exif[ORIENTATION] = orientation
        lying = Image.fromarray(grey(seed)).transpose(undo[orientation])
        check(saved(lying, "PNG", exif=exif), expected(seed))

    @pytest.mark.parametrize("orientation", [0, 9, 77])
    def test_exif_that_is_none(self, seed, orientation):
        """Orientations that EXIF lacks turn nothing."""
        exif = Image.Exif()
        exif[ORIENTATION] = orientation
        check(saved(Image.fromarray(grey(seed)), "PNG", exif=exif), expected(seed))

    def test_cmyk(self, seed):
        """CMYK in JPEG with Adobe's inverted inks, and in TIFF without."""
        film = Image.fromarray(grey(seed))
        inks = Image.merge(
            "CMYK", [Image.new("L", film.size)] * 3 + [Image.fromarray(255 - grey(seed))]
        )
        check(saved(inks, "JPEG", quality=98), expected(seed))
        check(saved(inks, "TIFF"), expected(seed))

    @pytest.mark.parametrize("kind", ["GIF", "WEBP", "TIFF", "PNG"])
    def test_several(self, seed, kind):
        """Of several frames or pages the first, with a caution."""
        options = {"lossless": True} if kind == "WEBP" else {}
        other = Image.fromarray(255 - grey(seed)).convert("RGB")
        film = Image.fromarray(grey(seed)).convert("RGB")
        data = saved(film, kind, save_all=True, append_images=[other], **options)
        check(data, expected(seed), "first_frame")

    @pytest.mark.skipif(not features.check("jpg_2000"), reason="Pillow without OpenJPEG")
    def test_jpeg_2000_in_colour(self, seed):
        """JPEG 2000 of three components."""
        check(saved(Image.fromarray(grey(seed)).convert("RGB"), "JPEG2000"), expected(seed))


@pytest.mark.parametrize("seed", SEEDS)
class TestArrays:
    """A dtype says the scale, or the array is refused."""

    @pytest.mark.parametrize("kind", ["f2", "f4", "f8", "g", ">f4", ">f8"])
    def test_floats(self, seed, kind):
        """Floats of any width and order in [0, 1]."""
        check((grey(seed) / 255).astype(kind), expected(seed))

    @pytest.mark.parametrize("bits", [8, 10, 12, 14, 16])
    @pytest.mark.parametrize("kind", ["<u2", ">u2"])
    def test_words(self, seed, bits, kind):
        """uint16 in either order has its bits in use."""
        check(deep(seed, bits).astype(kind), expected(seed))

    @pytest.mark.parametrize("bits", [9, 11, 13, 15])
    def test_odd_bits(self, seed, bits):
        """Of 9, 11, 13 or 15 bits no detector is known: half as bright, and said so."""
        assert codes(deep(seed, bits)) == ["flat"]

    @pytest.mark.parametrize("kind", ["i1", "i2", "i4", "i8", "u4", "u8", "?", "c8", "O", "U3"])
    def test_without_a_scale(self, seed, kind):
        """Every other dtype is refused by its name."""
        assert "no certain scale" in refusal(grey(seed).astype(kind))

    @pytest.mark.parametrize(
        "change",
        [lambda a: a / 255 * 1.001, lambda a: a / 255 - 0.5, lambda a: a.astype(float),
         lambda a: np.where(a == a.max(), np.nan, a / 255)],
    )  # fmt: skip
    def test_floats_of_another_range(self, seed, change):
        """A little above 1, below 0, up to 255, or NaN."""
        refusal(change(grey(seed)))

    @pytest.mark.parametrize(
        "view",
        [np.asfortranarray, lambda a: a[::-1][::-1], lambda a: np.ma.masked_less(a, 20),
         lambda a: a[:, :, None], lambda a: np.dstack([a] * 3)],
    )  # fmt: skip
    def test_layouts_in_memory(self, seed, view):
        """Strides, order and masks change nothing."""
        check(view(grey(seed)), expected(seed))


@pytest.mark.parametrize("start", [b"II+\0\x08\0\0\0", b"MM\0+\0\x08\0\0"])
def test_a_directory_beyond_any_file(start):
    """An offset of 64 bits that no file reaches is damage."""
    assert "damaged" in refusal(start + b"\xff" * 8 + bytes(200))
