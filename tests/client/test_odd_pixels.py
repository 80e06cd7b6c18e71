"""Stored values that are not as the header says: bits, order, overlays, colours, compression.

Controls are the same film without the contradiction, within two levels of 255 in the mean.
Paragraphs are those of DICOM PS3.3 and PS3.5.
"""

import contextlib
import io
import struct
import sys
import threading
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

pydicom = pytest.importorskip("pydicom", reason="the dicom extra is not installed")
from pydicom.data import get_testdata_file  # noqa: E402 - only with pydicom

from neumo._images.dicom import gdcm_process  # noqa: E402
from neumo.errors import ImageError  # noqa: E402
from neumo.release import phantom  # noqa: E402
from support import films  # noqa: E402
from support.films import WINDOW, radiograph, twelve_bits  # noqa: E402
from support.readings import SEEDS, check, codes, control, levels, refusal, with_frame  # noqa: E402

ROOT = "1.2.840.10008.1.2"
J2K, JPEG_LS, LOSSLESS, RLE = f"{ROOT}.4.90", f"{ROOT}.4.80", f"{ROOT}.4.70", f"{ROOT}.5"
HTJ2K = {4: f"{ROOT}.4.201", 5: f"{ROOT}.4.202", 6: f"{ROOT}.4.203"}
"""Of each seed's file in ``tests/support/htj2k``: lossless, lossless RPCL, lossy."""
WIDE = {"WindowCenter": "32768", "WindowWidth": "65536"}

pytestmark = pytest.mark.filterwarnings("ignore:Invalid value for VR")


def grey(seed: int) -> np.ndarray:
    """A drawn film: uint8 [256, 256]."""
    return phantom.draw(seed, 1)[0, :, :, 0]


def frame_of(data: bytes, syntax: str) -> bytes:
    """The compressed frame of a film in that syntax."""
    made = pydicom.dcmread(io.BytesIO(films.transcoded(data, syntax)))
    return next(pydicom.encaps.generate_frames(made.PixelData, number_of_frames=1))


@pytest.mark.parametrize("seed", SEEDS)
class TestBits:
    """Bits Allocated, Bits Stored, High Bit (PS3.5, 8.1.1) against the words."""

    def test_high_bit_between(self, seed):
        """High Bit 14 with 12 stored and the lowest three empty, as dcmtk reads it."""
        check(radiograph(twelve_bits(seed) << 3, 12, HighBit=14, **WINDOW), control(seed))

    def test_left_aligned_without_a_word(self, seed):
        """High Bit 11 over values that fill the upper 12 of 16."""
        check(radiograph(twelve_bits(seed) << 4, 12, **WINDOW), control(seed), "bits")

    def test_8_bits_in_words(self, seed):
        """Values up to 255 in words of 16, with and without the bits said."""
        expected = grey(seed).astype(int)
        window = {"WindowCenter": "128", "WindowWidth": "256"}
        for stored in (8, 16):
            check(radiograph(grey(seed).astype(np.uint16), stored, **window), expected)

    @pytest.mark.parametrize("bit", [12, 13, 14, 15])
    @pytest.mark.parametrize("stored", [12, 16])
    def test_overlay(self, seed, bit, stored):
        """An overlay's bit, above those stored or counted among them, is taken out."""
        values = twelve_bits(seed)
        values[50:200, 100:110] |= 1 << bit
        check(radiograph(values, stored, **WINDOW), control(seed), "bits")
        check(radiograph(values, stored), levels(radiograph(twelve_bits(seed), 12)), "bits")

    def test_bytes_in_the_other_order(self, seed):
        """Big-endian words under a little-endian syntax are noise: turned."""
        values = (twelve_bits(seed) + 3).byteswap()
        check(radiograph(values, 12, **WINDOW), control(seed), "bits")

    @pytest.mark.parametrize("kind", [np.uint32, np.int32])
    def test_words_of_32(self, seed, kind):
        """Twelve bits in words of 32."""
        check(radiograph(twelve_bits(seed).astype(kind), 32, **WINDOW), control(seed))

    def test_8_bits_signed(self, seed):
        """Unsigned bytes called signed would wrap at 128."""
        data = radiograph(grey(seed), 8, PixelRepresentation=1)
        check(data, grey(seed).astype(int), "bits")


def test_letters_and_noise_are_no_overlay():
    """A white letter has one value, and noise is rough in any order of its bytes."""
    values = twelve_bits(4) // 4
    values[20:30, 20:50] = 4095
    assert codes(radiograph(values, 12)) == []
    noise = np.random.default_rng(4).integers(0, 4096, (256, 256)).astype(np.uint16)
    assert "bits" not in codes(radiograph(noise, 12))


@pytest.mark.parametrize("seed", SEEDS)
class TestColours:
    """Samples per Pixel and Photometric Interpretation (C.7.6.3.1.2) against the bytes."""

    def test_subsampled_that_is_whole(self, seed):
        """YBR_FULL_422 with all of its colours' samples is YBR_FULL."""
        half = np.full_like(grey(seed), 128)
        stored = np.dstack([grey(seed), half, half])
        for said in ("YBR_FULL_422", "YBR_PARTIAL_422"):
            data = radiograph(stored, 8, PhotometricInterpretation=said)
            check(data, grey(seed).astype(int), "photometric")

    def test_argb(self, seed):
        """ARGB, retired, has its alpha first."""
        stored = np.dstack([np.full_like(grey(seed), 255), *[grey(seed)] * 3])
        data = radiograph(stored, 8, SamplesPerPixel=4, PhotometricInterpretation="ARGB")
        check(data, grey(seed).astype(int))

    @pytest.mark.parametrize("said", ["CMYK", "HSV"])
    def test_not_read(self, seed, said):
        """Retired colours that nobody shows are named."""
        stored = np.dstack([grey(seed)] * (4 if said == "CMYK" else 3))
        more = {"SamplesPerPixel": stored.shape[2], "PhotometricInterpretation": said}
        assert said in refusal(radiograph(stored, 8, **more))


@pytest.mark.parametrize("seed", SEEDS)
class TestCompression:
    """A Transfer Syntax that is not the codestream's: the codestream counts (PS3.5, A.4)."""

    @pytest.mark.parametrize("is_in", [J2K, JPEG_LS, LOSSLESS])
    @pytest.mark.parametrize("said", [J2K, JPEG_LS, LOSSLESS, RLE, f"{ROOT}.1", f"{ROOT}.4.201"])
    def test_another(self, seed, is_in, said):
        """JPEG 2000, JPEG-LS and JPEG lossless, each called another, RLE or uncompressed."""
        data = radiograph(twelve_bits(seed), 12, **WINDOW)
        told = with_frame(data, frame_of(data, is_in), said)
        check(told, control(seed), *(["compression"] if is_in != said else []))

    def test_of_8_bits(self, seed):
        """A baseline or progressive JPEG called JPEG 2000."""
        window = {"WindowCenter": "128", "WindowWidth": "256"}
        data = radiograph(grey(seed), 8, **window)
        for progressive in (False, True):
            file = io.BytesIO()
            Image.fromarray(grey(seed)).save(file, "JPEG", quality=98, progressive=progressive)
            told = with_frame(data, file.getvalue(), J2K)
            check(told, grey(seed).astype(int), "compression")

    def test_no_codestream(self, seed):
        """A PNG under a syntax of JPEG is named as a contradiction, not as damage alone."""
        file = io.BytesIO()
        Image.fromarray(grey(seed)).save(file, "PNG")
        text = refusal(with_frame(radiograph(grey(seed), 8), file.getvalue(), f"{ROOT}.4.50"))
        assert "its header says that it is compressed as JPEG" in text

    @pytest.mark.parametrize("fragments", [2, 5])
    @pytest.mark.parametrize("syntax", [J2K, JPEG_LS, LOSSLESS])
    def test_fragments(self, seed, syntax, fragments):
        """One frame in several fragments, with an empty Basic Offset Table."""
        data = radiograph(twelve_bits(seed), 12, **WINDOW)
        check(with_frame(data, frame_of(data, syntax), syntax, fragments), control(seed))


@pytest.mark.parametrize("seed", SEEDS)
class TestHighThroughput:
    """HTJ2K (ISO 15444-15), by Pillow's OpenJPEG: codestreams by OpenJPH, of drawn films."""

    @staticmethod
    def stored(seed: int) -> tuple[np.ndarray, int]:
        """What was encoded: 12 bits without loss, or 16 with."""
        small = twelve_bits(seed, 128)
        return (small | (small >> 8), 12) if seed < 6 else ((small | (small >> 8)) << 4, 16)

    def test_as_dicom(self, seed):
        """In each of the three syntaxes, as the same film uncompressed."""
        values, bits = self.stored(seed)
        window = WINDOW if bits == 12 else WIDE
        plain = radiograph(values, bits, **window)
        check(with_frame(plain, films.htj2k(seed), HTJ2K[seed]), levels(plain), "small")

    def test_called_jpeg_2000(self, seed):
        """Under the older syntax, which the codestream contradicts."""
        values, bits = self.stored(seed)
        plain = radiograph(values, bits, **(WINDOW if bits == 12 else WIDE))
        told = with_frame(plain, films.htj2k(seed), J2K)
        check(told, levels(plain), "compression", "small")

    def test_as_a_file(self, seed):
        """The codestream alone, by its bits in use."""
        values, bits = self.stored(seed)
        check(films.htj2k(seed), levels((values >> (bits - 12)).astype(np.uint16)), "small")

    def test_plain_pixels_under_its_name(self, seed):
        """Uncompressed pixels called HTJ2K are named, not called damaged."""
        text = refusal(films.with_syntax(radiograph(twelve_bits(seed), 12), HTJ2K[seed]))
        assert "HTJ2K" in text
        assert "damaged" not in text


class TestOutputOfDecoders:
    """A decoder writes nothing to the application's stderr."""

    @staticmethod
    def heard(capfd: pytest.CaptureFixture[str], source: object) -> str:
        """What came on the file descriptors while it was read or refused."""
        capfd.readouterr()
        with contextlib.suppress(ImageError):
            levels(source)
        return "".join(capfd.readouterr())

    @pytest.mark.parametrize("name", ["JPGExtended.dcm", "JPEG-lossy.dcm"])
    def test_twelve_bits(self, capfd, name):
        """JPEG of 12 bits, where gdcm tries its 8-bit libjpeg first."""
        pytest.importorskip("gdcm")
        path = get_testdata_file(name, download=False)
        assert self.heard(capfd, path) == ""
        made = pydicom.dcmread(path)
        frame = next(pydicom.encaps.generate_frames(made.PixelData, number_of_frames=1))
        assert self.heard(capfd, frame) == ""

    @pytest.mark.parametrize("seed", SEEDS)
    @pytest.mark.parametrize("syntax", [LOSSLESS, f"{ROOT}.4.57", JPEG_LS, J2K])
    def test_damaged(self, capfd, seed, syntax):
        """Damaged codestreams of any kind."""
        data = bytearray(films.transcoded(radiograph(twelve_bits(seed), 12, **WINDOW), syntax))
        rng = np.random.default_rng(seed)
        for at in rng.integers(len(data) // 2, len(data) - 100, 20):
            data[at] = rng.integers(256)
        assert self.heard(capfd, bytes(data)) == ""

    def test_damaged_baseline(self, capfd):
        """And of 8 bits, which Pillow decodes."""
        data = bytearray(films.transcoded(films.dicom(grey(4)), f"{ROOT}.4.50"))
        data[len(data) // 2 : len(data) // 2 + 40] = b"\x55" * 40
        assert self.heard(capfd, bytes(data)) == ""

    def test_a_damaged_frame_is_no_picture(self):
        """Where libjpeg would make up what is missing, the film is refused."""
        pytest.importorskip("gdcm")
        made = pydicom.dcmread(get_testdata_file("JPGExtended.dcm", download=False))
        frame = bytearray(next(pydicom.encaps.generate_frames(made.PixelData, number_of_frames=1)))
        assert levels(bytes(frame)).shape == (256, 256)
        frame[len(frame) // 2 : len(frame) // 2 + 40] = b"\x55" * 40
        assert "damaged" in refusal(bytes(frame))

    @pytest.mark.parametrize("executable", ["", "/nowhere/python"])
    def test_without_a_python_to_start(self, monkeypatch, executable):
        """Inside another program it decodes in this process."""
        pytest.importorskip("gdcm")
        monkeypatch.setattr(sys, "executable", executable)
        data = radiograph(twelve_bits(), 12, **WINDOW)
        check(films.transcoded(data, LOSSLESS), control(4))

    def test_many_at_once(self):
        """On several threads, each with a process of its own."""
        pytest.importorskip("gdcm")
        data = films.transcoded(radiograph(twelve_bits(), 12, **WINDOW), LOSSLESS)
        found: list[np.ndarray] = []
        threads = [threading.Thread(target=lambda: found.append(levels(data))) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(found) == 4
        for one in found:
            np.testing.assert_array_equal(one, found[0])

    def test_program_is_whole(self):
        """The program that is started imports nothing of neumo."""
        text = Path(gdcm_process.gdcm_program.__file__).read_text()
        assert "import neumo" not in text
        assert "from neumo" not in text


def test_more_pixels_than_the_header_names():
    """A frame whose own size differs from the header's is read by its own (ISO 10918-1, B.2.2)."""
    data = radiograph(twelve_bits(), 12, **WINDOW)
    frame = frame_of(data, LOSSLESS)
    lying = with_frame(radiograph(twelve_bits(), 12, Rows=128, **WINDOW), frame, LOSSLESS)
    check(lying, control(4), "size")
    assert struct.pack(">HH", 256, 256) in frame
