"""Picture files of every depth and kind: read in full depth, or refused by their name."""

import io
import logging
import struct
import threading
import warnings
import zlib

import numpy as np
import pytest
from PIL import Image, features

from neumo import image
from neumo.errors import ImageError
from neumo.release import phantom

pytest.importorskip("pydicom", reason="the dicom extra is not installed")
from support import films
from support.films import png16, tiff16

SEEDS = (4, 5, 6)
"""Three films of each kind."""


def grey(seed: int) -> np.ndarray:
    """A drawn film: uint8 [256, 256]."""
    return phantom.draw(seed, 1)[0, :, :, 0]


def deep(seed: int, bits: int) -> np.ndarray:
    """The same in ``bits`` of 16: uint16 [256, 256]."""
    return grey(seed).astype(np.uint16) << (bits - 8)


def agrees(data: object, seed: int, *codes: str, levels: float = 1.0) -> None:
    """``data`` is the drawn film, with these cautions."""
    read = image.read(data)
    assert np.abs(read.pixels[:, :, 0].astype(int) - grey(seed)).mean() <= levels
    assert [caution.code for caution in read.cautions] == list(codes)


def refusal(data: object) -> str:
    """The one line with which ``data`` is refused."""
    with pytest.raises(ImageError) as caught:
        image.read(data)
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("bits", [8, 10, 12, 14, 16])
class TestDepth:
    """One rule for what is stored in 16 bits: the bits in use, in whatever channels."""

    @pytest.mark.parametrize("channels", [1, 2, 3, 4])
    def test_png(self, bits, seed, channels):
        """Colour types 0, 4, 2 and 6 (PNG, 11.2.2) at bit depth 16, alpha opaque."""
        samples = np.dstack([deep(seed, bits)] * channels)
        if channels in {2, 4}:
            samples[:, :, -1] = 65535
        agrees(png16(samples), seed)

    def test_png_alpha_of_the_same_bits(self, bits, seed):
        """An alpha that uses as many bits as the colours is opaque at its largest."""
        samples = np.dstack([deep(seed, bits)] * 4)
        samples[:, :, 3] = 2**bits - 1
        agrees(png16(samples), seed)

    @pytest.mark.parametrize("big_endian", [False, True])
    @pytest.mark.parametrize("extra", [None, 0, 1, 2])
    def test_tiff(self, bits, seed, big_endian, extra):
        """RGB, alone or with ExtraSamples: unspecified, associated, unassociated alpha."""
        samples = np.dstack([deep(seed, bits)] * (3 if extra is None else 4))
        if extra is not None:
            samples[:, :, 3] = 65535
        tags = {} if extra is None else {"extra": extra}
        agrees(tiff16(samples, big_endian=big_endian, **tags), seed)

    def test_compressed_tiff(self, bits, seed):
        """The same by libtiff, which hands on the machine's own byte order."""
        plain = Image.open(io.BytesIO(tiff16(np.dstack([deep(seed, bits)] * 3))))
        assert plain.mode == "RGB"
        data = tiff16(np.dstack([deep(seed, bits)] * 3))
        packed = _deflated_tiff(data)
        agrees(packed, seed)


def _deflated_tiff(data: bytes) -> bytes:
    """An uncompressed little-endian TIFF of one strip, its strip deflated (compression 8)."""
    count = struct.unpack("<H", data[8:10])[0]
    entries = [bytearray(data[10 + 12 * k : 22 + 12 * k]) for k in range(count)]
    (start,) = [struct.unpack("<I", e[8:12])[0] for e in entries if e[:2] == b"\x11\x01"]
    packed = zlib.compress(data[start:])
    for entry in entries:
        if entry[:2] == b"\x03\x01":
            entry[8:10] = struct.pack("<H", 8)
        if entry[:2] == b"\x17\x01":
            entry[8:12] = struct.pack("<I", len(packed))
    return data[:10] + b"".join(entries) + data[10 + 12 * count : start] + packed


class TestIntegersAndFloats:
    """More than 16 bits, signed or float: by their values, with a caution where they are scaled."""

    @pytest.mark.parametrize("seed", SEEDS)
    @pytest.mark.parametrize("kind", ["u4", "i4"])
    def test_32_bits_that_hold_12(self, seed, kind):
        """Integers of 32 bits within 16 are read as 16 are."""
        agrees(tiff16(deep(seed, 12).astype(kind)), seed)

    @pytest.mark.parametrize("seed", SEEDS)
    def test_32_bits_in_full(self, seed):
        """Unsigned values from 2^31 on are not negative."""
        agrees(tiff16(grey(seed).astype(np.uint32) * 16843009), seed, "rescaled", levels=12)

    @pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
    def test_no_numbers(self, value):
        """NaN and infinities are refused by name, in files and in arrays."""
        values = grey(4).astype(np.float32) / 255
        values[3, 3] = value
        for source in (tiff16(values), values, Image.fromarray(values)):
            assert "NaN" in refusal(source)

    @pytest.mark.parametrize("kind", ["f8", "f2", "u8"])
    def test_layouts_that_are_not_read(self, kind):
        """Compressed as LZW they are named with their bits, not called damaged."""
        text = refusal(films.with_tag(tiff16((grey(4) / 255.0).astype(kind)), 259, 5))
        assert f"{8 * np.dtype(kind).itemsize} bits" in text
        assert "16-bit greyscale" in text


@pytest.mark.parametrize("seed", SEEDS)
class TestTransparency:
    """Alpha that says that nothing is opaque is not meant."""

    @pytest.mark.parametrize("alpha", [0, 1, 15, 128])
    def test_nowhere_opaque(self, seed, alpha):
        """An alpha channel of one low value would darken or hide the whole film."""
        film = Image.fromarray(grey(seed)).convert("RGBA")
        film.putalpha(alpha)
        content = io.BytesIO()
        film.save(content, "PNG")
        agrees(content.getvalue(), seed, "transparency")

    @pytest.mark.parametrize("alpha", [0, 255])
    def test_nowhere_opaque_in_16_bits(self, seed, alpha):
        """The same at 16 bits a channel."""
        samples = np.dstack([deep(seed, 12)] * 4)
        samples[:, :, 3] = alpha
        agrees(png16(samples), seed, "transparency")

    @pytest.mark.parametrize("channels", [1, 3])
    def test_a_transparent_value(self, seed, channels):
        """A tRNS of 16 bits (PNG, 11.3.2.1) hides one value: black, as air."""
        samples = np.dstack([deep(seed, 12)] * channels)
        samples[:100, :100] = 4095
        hidden = (b"tRNS", struct.pack(">H", 4095) * channels)
        assert image.read(png16(samples, hidden)).pixels[:99, :99].max() == 0


class TestKinds:
    """What is recognised and not read is named, with what to do."""

    @pytest.mark.parametrize(
        ("start", "name"),
        [
            (b"%PDF-1.7\n", "PDF"),
            (b"\n\n%PDF-1.4", "PDF"),
            (b"PK\x03\x04" + b"\0" * 26, "ZIP"),
            (b"<?xml version='1.0'?>\n<svg xmlns='http://www.w3.org/2000/svg'/>", "SVG"),
            (b"<svg width='10'/>", "SVG"),
            ("<svg/>".encode("utf-16"), "SVG"),
            (b"<!DOCTYPE html><html>", "web page"),
            (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", "HEIC"),
            (b"\0\0\0\x18ftypmif1\0\0\0\0mif1heix", "HEIC"),
            (b"\0\0\0\x18ftypmp42\0\0\0\0isommp42", "video"),
            (b"\xff\x0a\xff\x07", "JPEG XL"),
            (b"\0\0\0\x0cJXL \r\n\x87\n\0\0\0\x14ftypjxl ", "JPEG XL"),
            (b"\x1f\x8b\x08\0", "gzip"),
            (b"7z\xbc\xaf\x27\x1c", "7z"),
            (b"8BPS\0\x01", "Photoshop"),
            (b"\x93NUMPY\x01\0", "numpy"),
            (b"\0\x05\x16\x07\0\x02\0\0Mac OS X", "._"),
            (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "Thumbs.db"),
        ],
    )
    def test_named(self, start, name):
        """By its first bytes, whatever it is called."""
        text = refusal(start + b"\0" * 200)
        assert name in text
        assert "damaged" not in text

    @pytest.mark.parametrize("seed", SEEDS)
    @pytest.mark.parametrize("kind", [b"zTXt", b"iTXt", b"iCCP"])
    def test_png_with_large_text(self, seed, kind):
        """A text or colour profile of 80 MB, which Pillow takes for an attack, is not needed."""
        packed = zlib.compress(bytes(80_000_000))
        start = {b"zTXt": b"k\0\0", b"iTXt": b"k\0\x01\0\0\0", b"iCCP": b"k\0\0"}[kind]
        agrees(png16(deep(seed, 16)[:, :, None], (kind, start + packed)), seed)

    @pytest.mark.skipif(not features.check("jpg_2000"), reason="Pillow without OpenJPEG")
    @pytest.mark.parametrize("seed", SEEDS)
    def test_jpeg_2000(self, seed):
        """Read by Pillow's OpenJPEG, 16 bits in full."""
        for film in (Image.fromarray(grey(seed)), Image.fromarray(deep(seed, 16))):
            content = io.BytesIO()
            film.save(content, "JPEG2000")
            agrees(content.getvalue(), seed)

    @pytest.mark.skipif(not features.check("avif"), reason="Pillow without AVIF")
    @pytest.mark.parametrize("seed", SEEDS)
    def test_avif(self, seed):
        """Read by Pillow's libavif."""
        content = io.BytesIO()
        Image.fromarray(grey(seed)).save(content, "AVIF", quality=100)
        agrees(content.getvalue(), seed, levels=2)

    @pytest.mark.parametrize("seed", SEEDS)
    @pytest.mark.parametrize("syntax", ["57", "70", "80"])
    def test_deep_jpeg(self, seed, syntax):
        """JPEG without loss (SOF3, two predictors) and JPEG-LS of 12 bits: by gdcm."""
        pydicom = pytest.importorskip("pydicom")
        pytest.importorskip("gdcm")
        data = films.transcoded(
            films.radiograph(deep(seed, 12), 12), f"1.2.840.10008.1.2.4.{syntax}"
        )
        made = pydicom.dcmread(io.BytesIO(data))
        agrees(next(pydicom.encaps.generate_frames(made.PixelData, number_of_frames=1)), seed)

    def test_extended_jpeg(self):
        """A JPEG of 12 bits (SOF1, ISO 10918-1), as in pydicom's own file of that kind."""
        pydicom = pytest.importorskip("pydicom")
        pytest.importorskip("gdcm")
        path = pydicom.data.get_testdata_file("JPGExtended.dcm", download=False)
        made = pydicom.dcmread(path)
        file = next(pydicom.encaps.generate_frames(made.PixelData, number_of_frames=1))
        as_file, as_dicom = image.read(file).pixels, image.read(path).pixels
        assert np.corrcoef(as_file.ravel(), as_dicom.ravel())[0, 1] > 0.98


class TestSources:
    """What is no film is told by what it is."""

    class Upload:
        """As Starlette's ``UploadFile``: its read() is a coroutine."""

        async def read(self, _: int = -1) -> bytes:
            """Never awaited."""
            return b""

    class Slow(io.RawIOBase):
        """A raw stream that gives seven bytes at a time."""

        def __init__(self, content: bytes) -> None:
            self._left = io.BytesIO(content)

        def read(self, size: int = -1) -> bytes:
            """Less than asked for."""
            return self._left.read(min(size, 7))

    class Stale:
        """A file that went away."""

        def read(self, _: int = -1) -> bytes:
            """Fail as NFS does."""
            raise OSError(116, "Stale file handle")

    class Tensor:
        """What numpy makes an array of."""

        def __array__(self, dtype: object = None, copy: object = None) -> np.ndarray:
            return grey(4)

    def test_short_reads(self):
        """A raw stream is read on to its end."""
        content = png16(deep(4, 16)[:, :, None])
        agrees(self.Slow(content), 4)

    def test_upload(self):
        """An asynchronous file is told from a text file."""
        assert "asynchronous" in refusal(self.Upload())

    def test_a_read_that_fails(self):
        """A source whose read() raises is an ImageError."""
        assert "Stale" in refusal(self.Stale())
        closed = io.BytesIO(b"x")
        closed.close()
        assert "closed" in refusal(closed)

    def test_tensors(self):
        """Anything with __array__ is an array."""
        agrees(self.Tensor(), 4)

    @pytest.mark.parametrize("address", ["grpc://host:8500", "https://example.org/film.png"])
    def test_an_address(self, address):
        """A server's address in the film's place."""
        assert "an address" in refusal(address)

    def test_several(self):
        """A list is for predict_many."""
        assert "predict_many" in refusal([grey(4)])

    def test_a_pillow_image_not_yet_cut(self):
        """Pillow would drop half of its bits on loading: the file itself is asked for."""
        opened = Image.open(io.BytesIO(png16(np.dstack([deep(4, 12)] * 3))))
        assert "path or bytes" in refusal(opened)


class TestQuiet:
    """Nothing of the process is changed while a film is decoded, and no decoder is heard."""

    NOISY = png16(deep(4, 16)[:, :, None], (b"acTL", b"\0\0\0\0\0\0\0\0"))
    """An animation of no frames: Pillow warns."""

    def test_warnings_of_the_application_are_shown(self):
        """Each of them, on any thread, with the filters as the application set them."""
        seen, stop = [], threading.Event()

        def decode() -> None:
            while not stop.is_set():
                image.read(self.NOISY)

        threads = [threading.Thread(target=decode) for _ in range(2)]
        with warnings.catch_warnings():
            warnings.simplefilter("always")
            warnings.showwarning = lambda *_, **__: seen.append(1)
            before = list(warnings.filters)
            for thread in threads:
                thread.start()
            for _ in range(200):
                warnings.warn("the application's own", stacklevel=1)
                assert warnings.filters == before
            stop.set()
            for thread in threads:
                thread.join()
        assert len(seen) == 200

    def test_no_remark_becomes_an_error(self):
        """Where the application turns warnings into errors, films are read all the same."""
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            agrees(self.NOISY, 4)

    def test_the_application_hears_pillow(self):
        """What Pillow says to others is said."""
        image.read(self.NOISY)
        with pytest.warns(UserWarning, match="APNG"):
            Image.open(io.BytesIO(self.NOISY))

    def test_no_logger_is_changed(self, caplog):
        """The level of pydicom stays, and none of its children writes a traceback."""
        pytest.importorskip("pydicom")
        caplog.set_level(logging.DEBUG)
        levels = {name: logging.getLogger(name).level for name in ("pydicom", "PIL")}
        data = films.radiograph(deep(4, 12), 12)
        caplog.clear()
        for cut in (100, 1000, 100_000):
            try:
                image.read(films.with_syntax(data[:-cut], "1.2.840.10008.1.2.4.90"))
            except ImageError as error:
                assert "\n" not in str(error)  # noqa: PT017 - each cut may be refused or read
        assert not caplog.records
        assert levels == {name: logging.getLogger(name).level for name in levels}
        assert not logging.getLogger("pydicom").disabled
