"""DICOM files become films: windowed, upright in their greys, with cautions, without a name."""

import contextlib
import io
import logging
import struct
import sys
import zlib
from pathlib import Path

import numpy as np
import pytest

from neumo import image
from neumo._images import file_checks
from neumo.errors import ImageError

pydicom = pytest.importorskip("pydicom", reason="the dicom extra is not installed")
from pydicom import uid  # noqa: E402 - only where pydicom is installed
from pydicom.data import get_testdata_file  # noqa: E402
from pydicom.dataset import Dataset, FileMetaDataset  # noqa: E402

SIDE = 256
"""As the models' input, so that a film's pixels can be compared one by one."""

BUNDLED = Path(pydicom.data.__file__).parent / "test_files"


def ramp(levels: int, dtype=np.uint16) -> np.ndarray:
    """[256, 256] of ``levels`` levels, from 0 on, left to right."""
    line = np.arange(SIDE) * (levels - 1) // (SIDE - 1)
    return np.tile(line, (SIDE, 1)).astype(dtype)


def dataset(pixels: np.ndarray, bits_stored: int, **elements) -> Dataset:
    """A radiograph of ``pixels`` with ``elements`` added."""
    made = Dataset()
    made.SOPClassUID, made.SOPInstanceUID = uid.ComputedRadiographyImageStorage, "1.2.3"
    made.Modality, made.PatientName, made.PatientID = "CR", "Doe^Jane", "4711"
    made.Rows, made.Columns = pixels.shape[:2]
    made.SamplesPerPixel, made.PhotometricInterpretation = 1, "MONOCHROME2"
    made.BitsAllocated, made.BitsStored = 8 * pixels.itemsize, bits_stored
    made.HighBit, made.PixelRepresentation = bits_stored - 1, int(pixels.dtype.kind == "i")
    made.PixelData = pixels.tobytes()
    made["PixelData"].VR = "OW"
    for keyword, value in elements.items():
        setattr(made, keyword, value)
    return made


def written(made: Dataset, syntax=uid.ExplicitVRLittleEndian) -> bytes:
    """The file of ``made``."""
    made.file_meta = FileMetaDataset()
    made.file_meta.TransferSyntaxUID = syntax
    buffer = io.BytesIO()
    made.save_as(buffer, enforce_file_format=True)
    return buffer.getvalue()


def film(pixels: np.ndarray, bits_stored: int, **elements) -> image.Film:
    """The film that is read from a file of ``pixels`` and ``elements``."""
    return image.read(written(dataset(pixels, bits_stored, **elements)))


def line(read: image.Film) -> np.ndarray:
    """The first row of a film, as numbers that can be subtracted."""
    return read.pixels[0, :, 0].astype(int)


def codes(**elements) -> list[str]:
    """The cautions of a film with ``elements``."""
    return [caution.code for caution in film(ramp(256, np.uint8), 8, **elements).cautions]


def refusal(data: bytes) -> str:
    """The one line with which ``data`` is refused."""
    with pytest.raises(ImageError) as caught:
        image.read(data)
    assert "\n" not in str(caught.value)
    return str(caught.value)


class TestGreys:
    """Stored values become grey as PS3.3 says, white where X-rays were stopped."""

    def test_eight_bits_as_they_are(self):
        """8 bits without a window are taken unchanged."""
        np.testing.assert_array_equal(line(film(ramp(256, np.uint8), 8)), np.arange(256))

    def test_monochrome1_is_inverted(self):
        """MONOCHROME1 counts from white to black."""
        read = film(ramp(256, np.uint8), 8, PhotometricInterpretation="MONOCHROME1")
        np.testing.assert_array_equal(line(read), np.arange(255, -1, -1))

    @pytest.mark.parametrize(
        ("function", "low", "high"),
        [("LINEAR", 1000.0, 2999.0), ("LINEAR_EXACT", 1000.0, 3000.0), (None, 1000.0, 2999.0)],
    )
    def test_linear_window(self, function, low, high):
        """A window maps its lower end to black and its upper end to white (C.11.2.1.2)."""
        extra = {"VOILUTFunction": function} if function else {}
        read = film(ramp(4096), 12, WindowCenter=2000, WindowWidth=2000, **extra)
        expected = np.clip((ramp(4096)[0] - low) / (high - low), 0, 1) * 255
        assert np.abs(line(read) - expected).max() <= 0.51

    def test_sigmoid_window(self):
        """A SIGMOID window is half white at its centre and monotone (C.11.2.1.3.1)."""
        read = film(ramp(4096), 12, WindowCenter=2048, WindowWidth=1000, VOILUTFunction="SIGMOID")
        expected = 255 / (1 + np.exp(-4 * (ramp(4096)[0] - 2048.0) / 1000))
        assert np.abs(line(read) - expected).max() <= 0.51

    def test_first_of_several_windows(self):
        """Of several windows the first counts."""
        one = film(ramp(4096), 12, WindowCenter=1000, WindowWidth=500)
        two = film(ramp(4096), 12, WindowCenter=[1000, 3000], WindowWidth=[500, 100])
        np.testing.assert_array_equal(one.pixels, two.pixels)

    def test_rescale_comes_before_the_window(self):
        """Slope and intercept move the values before the window looks at them."""
        plain = film(ramp(4096), 12, WindowCenter=2000, WindowWidth=1001)
        moved = film(
            ramp(4096),
            12,
            WindowCenter=3000,
            WindowWidth=2001,
            RescaleSlope="2",
            RescaleIntercept="-1000",
        )
        assert np.abs(line(plain) - line(moved)).max() <= 1

    def test_signed_values(self):
        """PixelRepresentation 1 is read as signed."""
        signed = ramp(4096).astype(np.int16) - 2048
        read = film(signed, 12, WindowCenter=0, WindowWidth=4096)
        plain = film(ramp(4096), 12, WindowCenter=2048, WindowWidth=4096)
        np.testing.assert_array_equal(read.pixels, plain.pixels)

    def test_voi_lut(self):
        """A VOI LUT is looked up, and scaled by the bits that it says it has."""
        table = Dataset()
        table.LUTDescriptor = [4096, 0, 10]
        table["LUTDescriptor"].VR = "US"
        table.LUTData = np.arange(4096, dtype=np.uint16)[::-1] // 4
        table.LUTData = table.LUTData.tobytes()
        table["LUTData"].VR = "OW"
        read = film(ramp(4096), 12, VOILUTSequence=[table])
        expected = (1023 - ramp(4096)[0].astype(int) // 4) * 255 / 1023
        assert np.abs(line(read) - expected).max() <= 1

    def test_without_a_window(self):
        """Without a window the percentiles 0.5 to 99.5 are, so one burnt-in dot changes nothing."""
        narrow = ramp(1000) + 500
        dotted = narrow.copy()
        dotted[0, 0] = 4095
        read, with_dot = film(narrow, 12), film(dotted, 12)
        assert line(read)[2:4].max() <= 3
        assert line(read)[-4:].min() >= 252
        assert np.abs(line(read)[1:] - line(with_dot)[1:]).max() <= 1

    def test_padding_sets_no_contrast(self):
        """What the file calls padding does not set the contrast of the rest."""
        padded = ramp(1000) + 2000
        padded[128:] = 0
        plain, read = film(ramp(1000) + 2000, 12), film(padded, 12, PixelPaddingValue=0)
        assert np.abs(line(plain) - line(read)).max() <= 1

    @pytest.mark.parametrize(("centre", "width"), [(2000, 0), (2000, -5), (None, 100), ("", "")])
    def test_window_that_is_none(self, centre, width):
        """A window without a width above 0 counts as absent."""
        read = film(ramp(4096), 12, WindowCenter=centre, WindowWidth=width)
        np.testing.assert_array_equal(read.pixels, film(ramp(4096), 12).pixels)

    @pytest.mark.filterwarnings("ignore:Invalid value for VR DS")
    def test_window_that_is_no_number(self):
        """A window written as words is refused: what it means is not sure."""
        data = written(dataset(ramp(4096), 12, WindowCenter="2000", WindowWidth="2000"))
        assert "not a number" in refusal(data.replace(b"2000", b"soft"))

    def test_constant_film(self):
        """A film of one value is read, not divided by zero."""
        assert film(np.full((SIDE, SIDE), 700, np.uint16), 12).pixels.std() == 0

    def test_colour(self):
        """RGB is taken to grey by Pillow's luma."""
        red = np.zeros((SIDE, SIDE, 3), np.uint8)
        red[:, :, 0] = 255
        read = film(
            red, 8, SamplesPerPixel=3, PlanarConfiguration=0, PhotometricInterpretation="RGB"
        )
        assert set(line(read)) == {76}


class TestFraming:
    """A DICOM file is known by its content, in any uncompressed encoding."""

    @pytest.mark.parametrize(
        "syntax",
        [
            uid.ExplicitVRLittleEndian,
            uid.ImplicitVRLittleEndian,
            uid.DeflatedExplicitVRLittleEndian,
        ],
    )
    def test_encodings(self, syntax):
        """Explicit, implicit and deflated files hold the same film."""
        read = image.read(written(dataset(ramp(256, np.uint8), 8), syntax))
        np.testing.assert_array_equal(line(read), np.arange(256))

    @pytest.mark.parametrize("kept_from", [128 + 4, None])
    def test_without_preamble(self, kept_from):
        """A file without preamble, or without any header, is read too."""
        data = written(dataset(ramp(256, np.uint8), 8), uid.ImplicitVRLittleEndian)
        start = kept_from if kept_from is not None else data.index(b"\x08\x00\x16\x00")
        np.testing.assert_array_equal(line(image.read(data[start:])), np.arange(256))

    def test_first_frame(self):
        """Of several frames the first is read, and a caution says so."""
        two = np.concatenate([ramp(256, np.uint8), np.zeros((SIDE, SIDE), np.uint8)])
        read = film(two, 8, Rows=SIDE, NumberOfFrames=2)
        np.testing.assert_array_equal(line(read), np.arange(256))
        assert [caution.code for caution in read.cautions] == ["first_frame"]

    def test_deflated_bomb(self, monkeypatch):
        """A deflated file that inflates without bound is refused before the memory is gone."""
        monkeypatch.setattr(file_checks, "MAX_FILE_BYTES", 16 * 1024 * 1024)
        data = written(dataset(ramp(256, np.uint8), 8), uid.DeflatedExplicitVRLittleEndian)
        meta_bytes = struct.unpack("<I", data[140:144])[0]
        packer = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
        zeros = bytes(8 * 1024 * 1024)
        body = b"".join(packer.compress(zeros) for _ in range(3)) + packer.flush()
        assert "megapixels" in refusal(data[: 144 + meta_bytes] + body)


class TestCautions:
    """A reader is told what the file says against trusting the prediction."""

    @pytest.mark.parametrize(
        ("age", "expected"),
        [
            ("045Y", ["adult"]),
            ("018Y", ["adult"]),
            ("017Y", ["age"]),
            ("006Y", ["age"]),
            ("005Y", []),
            ("001Y", []),
            ("018M", []),
            ("011M", ["age"]),
            ("003W", ["age"]),
            ("010D", ["age"]),
        ],
    )
    def test_age(self, age, expected):
        """Who is not 1 to 5 years old is outside the population."""
        assert codes(PatientAge=age) == expected

    @pytest.mark.parametrize(
        ("born", "studied", "expected"),
        [
            ("20000615", "20060614", []),
            ("20000615", "20060615", ["age"]),
            ("20000615", "20010614", ["age"]),
            ("20000615", "20010615", []),
            ("19400305", "20040826", ["adult"]),
            ("20000615", "", []),
            ("20040826", "20000615", []),
            ("", "20040826", []),
        ],
    )
    def test_age_by_dates(self, born, studied, expected):
        """Without an age the dates of birth and study tell it, to the day."""
        assert codes(PatientBirthDate=born, StudyDate=studied) == expected

    @pytest.mark.parametrize(
        ("modality", "expected"),
        [("CR", []), ("DX", []), ("OT", []), ("", []), ("MR", ["modality"]), ("US", ["modality"])],
    )
    def test_modality(self, modality, expected):
        """What is no radiograph is said to be none; what is unknown is not."""
        assert codes(Modality=modality) == expected

    @pytest.mark.parametrize(
        ("view", "expected"),
        [("PA", []), ("AP", []), ("", []), ("LL", ["lateral"]), ("RL", ["lateral"])],
    )
    def test_view(self, view, expected):
        """A lateral view is said to be one."""
        assert codes(ViewPosition=view) == expected

    @pytest.mark.parametrize(
        ("part", "expected"), [("CHEST", []), ("THORAX", []), ("", []), ("KNEE", ["body_part"])]
    )
    def test_body_part(self, part, expected):
        """A file that names another part of the body is said to."""
        assert codes(BodyPartExamined=part) == expected


class TestPrivacy:
    """Nothing that tells whose film it is leaves the reader."""

    SECRETS = ("Doe", "Jane", "4711", "19400305", "1940", "20040826", "2004", "064", "64")

    def test_film_and_cautions(self):
        """Neither the film nor its cautions hold a name, a number, a date or an age."""
        read = film(
            ramp(256, np.uint8),
            8,
            PatientBirthDate="19400305",
            StudyDate="20040826",
            PatientAge="064Y",
            ViewPosition="LL",
        )
        text = repr(read.cautions)
        assert len(read.cautions) == 2
        assert not [secret for secret in self.SECRETS if secret in text]

    @pytest.mark.filterwarnings("ignore:Invalid value for VR")
    def test_malformed_values_reach_no_log(self, caplog):
        """A value that breaks DICOM's rules is neither logged nor warned about."""
        caplog.set_level(logging.DEBUG)
        made = dataset(ramp(256, np.uint8), 8, PatientBirthDate="Doe 1940", PatientAge="64 Jane")
        data = written(made)
        caplog.clear()
        image.read(data)
        assert not [secret for secret in self.SECRETS if secret in caplog.text]

    def test_a_malformed_header_reaches_no_log(self, caplog):
        """Nor does a value of the file's own header, which pydicom would log with its warning."""
        made = dataset(ramp(256, np.uint8), 8)
        data = written(made).replace(b"1.2.840.10008.1.2.1", b"1.2.840.10008.01.2.")
        caplog.clear()
        with contextlib.suppress(ImageError):
            image.read(data)
        assert not caplog.records

    def test_errors(self):
        """An error about a file does not quote it, nor carry a cause that does."""
        data = written(dataset(ramp(256, np.uint8), 8, WindowCenter="1", WindowWidth="2"))
        with pytest.raises(ImageError) as caught:
            image.read(data[:-5000])
        assert caught.value.__cause__ is None
        assert not [secret for secret in self.SECRETS if secret in str(caught.value)]


class TestRefusals:
    """What holds no film is refused in one line."""

    @pytest.mark.parametrize("missing_bytes", [1, 5_000, SIDE * SIDE, SIDE * SIDE + 40])
    def test_cut_off(self, missing_bytes):
        """A file that ends early is refused, wherever it ends."""
        refusal(written(dataset(ramp(256, np.uint8), 8))[:-missing_bytes])

    def test_no_image(self):
        """A report or a plan holds no image."""
        made = dataset(ramp(256, np.uint8), 8)
        for keyword in ("Rows", "Columns", "PixelData"):
            delattr(made, keyword)
        assert "without an image" in refusal(written(made))

    def test_no_pixels(self):
        """A size without pixels is no film."""
        made = dataset(ramp(256, np.uint8), 8)
        del made.PixelData
        refusal(written(made))

    @pytest.mark.parametrize(("rows", "columns"), [(1, 1), (60_000, 60_000), (8_001, 8_000)])
    def test_sizes(self, rows, columns):
        """Sizes out of bounds are told from the header, before anything is decoded."""
        text = refusal(written(dataset(ramp(256, np.uint8), 8, Rows=rows, Columns=columns)))
        assert "64 x 64" in text or "64 megapixels" in text

    def test_more_frames_than_bytes(self):
        """A file that claims frames it does not hold is read with a caution."""
        read = film(ramp(256, np.uint8), 8, NumberOfFrames=2_000_000_000)
        assert [caution.code for caution in read.cautions] == ["size", "first_frame"]

    def test_without_pydicom(self, monkeypatch):
        """Without pydicom one line names the extra to install."""
        monkeypatch.setitem(sys.modules, "pydicom", None)
        monkeypatch.setattr("importlib.util.find_spec", lambda _name: None)
        assert "pip install 'neumo[dicom]'" in refusal(written(dataset(ramp(256, np.uint8), 8)))


class TestRealFiles:
    """Files as scanners and converters wrote them."""

    @pytest.mark.parametrize(
        "path",
        sorted(path for path in BUNDLED.glob("*") if path.is_file()),
        ids=lambda path: path.name,
    )
    def test_pydicoms_own_files(self, path):
        """Every file that pydicom ships is a film or an ImageError, nothing else."""
        self._film_or_refusal(path)

    def test_pydicom_data(self):
        """Every file of pydicom-data is a film, save the one that is cut off."""
        folder = Path(pytest.importorskip("data_store", reason="no pydicom-data").__path__[0])
        refused = [
            path.name
            for path in sorted((folder / "data").glob("*.dcm"))
            if not self._film_or_refusal(path)
        ]
        assert refused == ["emri_small_jpeg_2k_lossless_too_short.dcm"]

    @pytest.mark.parametrize(
        "name", ["RG1_UNCR.dcm", "RG1_UNCI.dcm", "RG1_J2KR.dcm", "RG1_J2KI.dcm"]
    )
    def test_adults_chest_film(self, name):
        """A computed radiograph is the same film in every compression: bright heart, dark lungs."""
        pytest.importorskip("data_store", reason="no pydicom-data")
        read = image.read(get_testdata_file(name, download=False))
        assert [caution.code for caution in read.cautions] == ["adult"]
        assert (read.width_px, read.height_px) == (1841, 1955)
        pixels = read.pixels[:, :, 0].astype(int)
        spine, right_lung = pixels[100:160, 118:138].mean(), pixels[60:90, 60:90].mean()
        assert spine > right_lung + 40
        reference = image.read(get_testdata_file("RG1_UNCR.dcm", download=False))
        assert np.abs(pixels - reference.pixels[:, :, 0]).mean() < 2

    @staticmethod
    def _film_or_refusal(path: Path) -> bool:
        try:
            read = image.read(path)
        except ImageError:
            return False
        return read.pixels.shape == (256, 256, 1)
