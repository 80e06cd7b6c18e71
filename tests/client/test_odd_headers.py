"""A DICOM header is not trusted over its pixels: a caution, or a refusal with the true reason.

Controls are the same film in a file without the contradiction; pictures agree within two levels of
255 in the mean. Paragraphs are those of DICOM PS3.3 and PS3.5.
"""

import io

import numpy as np
import pytest

pydicom = pytest.importorskip("pydicom", reason="the dicom extra is not installed")
from hypothesis import HealthCheck, given, settings  # noqa: E402 - only with pydicom

from neumo import image  # noqa: E402
from neumo.errors import ImageError  # noqa: E402
from neumo.release import phantom  # noqa: E402
from support import films, mutated_headers  # noqa: E402
from support.films import WINDOW, radiograph, raw, table, twelve_bits  # noqa: E402

ROOT = "1.2.840.10008.1.2"
SEEDS = (4, 5, 6)
"""Three films of each kind."""
SYNTAXES = {
    f"{ROOT}.5": "RLE",
    f"{ROOT}.4.70": "JPEG Lossless SV1",
    f"{ROOT}.4.57": "JPEG Lossless",
    f"{ROOT}.4.51": "JPEG Extended, 12 bits",
    f"{ROOT}.4.80": "JPEG-LS",
    f"{ROOT}.4.81": "JPEG-LS near lossless",
    f"{ROOT}.4.90": "JPEG 2000 lossless",
    f"{ROOT}.4.91": "JPEG 2000",
    ROOT: "implicit VR",
}

pytestmark = pytest.mark.filterwarnings("ignore:Invalid value for VR")


def control(seed: int) -> np.ndarray:
    """The film as everybody shows it: 12 bits through their whole window."""
    return image.read(radiograph(twelve_bits(seed), 12, **WINDOW)).pixels.astype(int)


def agrees(data: bytes, seed: int, *codes: str) -> None:
    """``data`` is the control's picture, with these cautions."""
    read = image.read(data)
    assert np.abs(read.pixels - control(seed)).mean() <= 2
    assert [caution.code for caution in read.cautions] == list(codes)


def refusal(data: bytes) -> str:
    """The one line with which ``data`` is refused."""
    with pytest.raises(ImageError) as caught:
        image.read(data)
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize("seed", SEEDS)
class TestLookupTables:
    """LUT Descriptor (C.11.1.1.1): number of entries, first value mapped, bits of each entry."""

    def test_says_16_bits_and_has_12(self, seed):
        """The third value says 16 while the largest entry is 4095: the entries' bits count."""
        data = radiograph(twelve_bits(seed), 12, VOILUTSequence=[table(np.arange(4096), 0, 16)])
        agrees(data, seed, "lookup_table")

    def test_says_8_bits_and_has_12(self, seed):
        """The third value says 8 while entries are larger."""
        data = radiograph(twelve_bits(seed), 12, VOILUTSequence=[table(np.arange(4096), 0, 8)])
        agrees(data, seed, "lookup_table")

    def test_8_bits_in_words(self, seed):
        """4096 entries of 8 bits, each in a word, are looked up by all of their index."""
        entries = np.arange(4096) >> 4
        agrees(radiograph(twelve_bits(seed), 12, VOILUTSequence=[table(entries, 0, 8)]), seed)

    def test_8_bits_packed(self, seed):
        """4096 entries of 8 bits, two to a word."""
        item = table(np.arange(4096) >> 4, 0, 8, packed=True)
        agrees(radiograph(twelve_bits(seed), 12, VOILUTSequence=[item]), seed)

    def test_9_bits(self, seed):
        """Entries of 9 bits are white at 511."""
        entries = np.arange(4096) >> 3
        agrees(radiograph(twelve_bits(seed), 12, VOILUTSequence=[table(entries, 0, 9)]), seed)

    def test_fewer_entries_than_said(self, seed):
        """The first value says 65,536 entries (0), and there are 4096."""
        item = table(np.arange(4096), 0, 12)
        item.LUTDescriptor = [0, 0, 12]
        agrees(radiograph(twelve_bits(seed), 12, VOILUTSequence=[item]), seed, "lookup_table")

    def test_first_value_mapped_is_signed(self, seed):
        """US or SS: with pixels from -2048 on, 63488 is -2048."""
        stored = twelve_bits(seed).astype(np.int16) - 2048
        item = table(np.arange(4096), -2048, 12)
        agrees(radiograph(stored, 12, VOILUTSequence=[item]), seed)

    def test_maps_none_of_the_pixels(self, seed):
        """A table for values that the film has not would leave one grey: the window goes on."""
        item = table(np.arange(1000), 20000, 16)
        data = radiograph(twelve_bits(seed), 12, VOILUTSequence=[item], **WINDOW)
        agrees(data, seed, "lookup_table")

    def test_modality_table(self, seed):
        """A Modality LUT is applied before the window."""
        item = table(np.arange(4096)[::-1], 0, 16)
        item.ModalityLUTType = "US"
        stored = 4095 - twelve_bits(seed)
        data = radiograph(stored, 12, ModalityLUTSequence=[item], **WINDOW)
        agrees(data, seed, "lookup_table")


@pytest.mark.parametrize("seed", SEEDS)
class TestNumbers:
    """DS (PS3.5, 6.2) is a fixed or floating point number; what is not is read as meant."""

    @pytest.mark.parametrize(
        "centre",
        [b"2048,0", b" 2048 ", b"2.048e3", b"2,048E3", b"+2048.", b"2048\\40", b"2.048,00",
         b"2,048.00", b"2048\0", b"\t2048"],
    )  # fmt: skip
    def test_window_centre_as_meant(self, seed, centre):
        """A decimal comma, blanks, exponents, several values, separators of thousands."""
        window = raw("WindowCenter", "DS", centre)
        agrees(radiograph(twelve_bits(seed), 12, window, WindowWidth="4096"), seed)

    def test_first_window_that_is_whole(self, seed):
        """An empty first value has no width to go with it."""
        centre, width = raw("WindowCenter", "DS", b"\\2048"), raw("WindowWidth", "DS", b"100\\4096")
        agrees(radiograph(twelve_bits(seed), 12, centre, width), seed)

    @pytest.mark.parametrize(
        "centre", [b"2,048", b"20 48", b"0x800", b"soft", b"nan", b"inf", b"1e999", b"2048 HU"]
    )
    def test_window_centre_not_sure(self, seed, centre):
        """2,048 is 2048 or about 2; words and infinities are nothing."""
        window = raw("WindowCenter", "DS", centre)
        text = refusal(radiograph(twelve_bits(seed), 12, window, WindowWidth="4096"))
        assert "WindowCenter" in text

    def test_whole_numbers_of_another_vr(self, seed):
        """Rows as IS, BitsStored as UL, a window as US are numbers all the same."""
        elements = (
            raw("Rows", "IS", b"256 "),
            raw("BitsStored", "UL", b"\x0c\0\0\0"),
            raw("WindowCenter", "US", b"\0\x08"),
        )
        agrees(radiograph(twelve_bits(seed), 12, *elements, WindowWidth="4096"), seed)

    @pytest.mark.parametrize("slope", [b"1,0", b"1.0E0", b" 1"])
    def test_slope(self, seed, slope):
        """Rescale Slope, too."""
        elements = raw("RescaleSlope", "DS", slope), raw("RescaleIntercept", "DS", b"0")
        agrees(radiograph(twelve_bits(seed), 12, *elements, **WINDOW), seed)

    def test_slope_of_zero(self, seed):
        """It would make all pixels alike; dcmtk leaves it out, too."""
        data = radiograph(twelve_bits(seed), 12, RescaleSlope="0", RescaleIntercept="7", **WINDOW)
        agrees(data, seed, "rescale")


@pytest.mark.parametrize("seed", SEEDS)
class TestBits:
    """Bits Allocated, Bits Stored, High Bit and Pixel Representation (C.7.6.3) against pixels."""

    @pytest.mark.parametrize("stored", [8, 10, 11])
    def test_bits_stored_too_few(self, seed, stored):
        """Values above 2^BitsStored, to the lowest bit, would wrap: the smooth reading is taken."""
        data = radiograph(twelve_bits(seed) + 1, 12, BitsStored=stored, **WINDOW)
        agrees(data, seed, "bits")

    def test_bits_stored_over_allocated(self, seed):
        """Bits Stored shall not exceed Bits Allocated."""
        agrees(radiograph(twelve_bits(seed), 12, BitsStored=20, **WINDOW), seed, "bits")

    def test_unsigned_called_signed(self, seed):
        """Pixel Representation 1 over values up to 4095 of 12 bits."""
        agrees(radiograph(twelve_bits(seed), 12, PixelRepresentation=1, **WINDOW), seed, "bits")

    def test_signed_called_unsigned(self, seed):
        """Pixel Representation 0 over two's complement of 16 bits."""
        stored = twelve_bits(seed).astype(np.int16) - 2048
        window = {"WindowCenter": "0", "WindowWidth": "4096"}
        agrees(radiograph(stored, 16, PixelRepresentation=0, **window), seed, "bits")

    def test_left_aligned(self, seed):
        """High Bit 15 with 12 stored, the lower four empty: PS3.5 allowed it before 2015."""
        agrees(radiograph(twelve_bits(seed) << 4, 12, HighBit=15, **WINDOW), seed)

    def test_high_bit_that_is_not_so(self, seed):
        """High Bit 15 over right-aligned values changes nothing."""
        agrees(radiograph(twelve_bits(seed) + 1, 12, HighBit=15, **WINDOW), seed)

    def test_overlay_in_the_unused_bits(self, seed):
        """What stands above Bits Stored, an overlay of old, is no part of the value."""
        stored = twelve_bits(seed)
        stored[100:110, 50:200] |= 0x8000
        agrees(radiograph(stored, 12, **WINDOW), seed, "bits")

    def test_allocated_8_holds_16(self, seed):
        """The number of bytes cannot be mistaken."""
        agrees(radiograph(twelve_bits(seed), 12, BitsAllocated=8, **WINDOW), seed, "bits")


@pytest.mark.parametrize("seed", SEEDS)
class TestSizes:
    """Rows, columns and frames against the length of Pixel Data."""

    @pytest.mark.parametrize("rows", [200, 255])
    def test_fewer_rows(self, seed, rows):
        """More data than said is shown as said, with a caution."""
        read = image.read(radiograph(twelve_bits(seed), 12, Rows=rows, **WINDOW))
        assert "size" in [caution.code for caution in read.cautions]

    @pytest.mark.parametrize("more", [{"Rows": 257}, {"Columns": 300}, {"Rows": 512}])
    def test_more_rows(self, seed, more):
        """Less data than said is refused."""
        assert "fewer pixels than" in refusal(radiograph(twelve_bits(seed), 12, **more))

    def test_swapped(self, seed):
        """Rows and columns exchanged make every line slant: what is smooth is taken."""
        stored = np.ascontiguousarray(twelve_bits(seed, 300)[:200])
        plain = image.read(radiograph(stored, 12, **WINDOW))
        read = image.read(radiograph(stored, 12, Rows=300, Columns=200, **WINDOW))
        np.testing.assert_array_equal(read.pixels, plain.pixels)
        assert read.cautions[0].code == "size"


@pytest.mark.parametrize("seed", SEEDS)
class TestWindows:
    """A window that leaves no picture of these pixels is not used."""

    @pytest.mark.parametrize(
        ("centre", "width"), [("-3000", "400"), ("40", "80"), ("32768", "65536"), ("2048", "0")]
    )
    def test_shows_nothing(self, seed, centre, width):
        """Beside the values, far within, or a sixteenth of the scale: as without a window."""
        data = radiograph(twelve_bits(seed), 12, WindowCenter=centre, WindowWidth=width)
        plain = image.read(radiograph(twelve_bits(seed), 12))
        read = image.read(data)
        np.testing.assert_array_equal(read.pixels, plain.pixels)
        assert [caution.code for caution in read.cautions] == ["window"]

    @pytest.mark.parametrize("function", ["LINEAR EXACT", "linear", "LINEAR_EXACT "])
    def test_functions_as_meant(self, seed, function):
        """VOI LUT Function in other spellings."""
        element = raw("VOILUTFunction", "CS", function.encode())
        agrees(radiograph(twelve_bits(seed), 12, element, **WINDOW), seed)

    def test_unknown_function(self, seed):
        """One that C.11.2.1.3 lacks is read as LINEAR."""
        element = raw("VOILUTFunction", "CS", b"GAMMA ")
        agrees(radiograph(twelve_bits(seed), 12, element, **WINDOW), seed, "window")


@pytest.mark.parametrize("seed", SEEDS)
class TestWhatIsWhite:
    """Photometric Interpretation (C.7.6.3.1.2) and Presentation LUT Shape (C.8.11.3.1.2)."""

    def test_negative_without_a_word(self, seed):
        """MONOCHROME1 written over MONOCHROME2 values shows white lungs."""
        data = radiograph(twelve_bits(seed), 12, PhotometricInterpretation="MONOCHROME1", **WINDOW)
        assert [caution.code for caution in image.read(data).cautions] == ["negative"]

    @pytest.mark.parametrize(
        ("photometric", "shape"), [("MONOCHROME2", "INVERSE"), ("MONOCHROME1", "IDENTITY")]
    )
    def test_shape_contradicts(self, seed, photometric, shape):
        """The shape is tied to the photometric interpretation, which is followed."""
        stored = twelve_bits(seed) if photometric == "MONOCHROME2" else 4095 - twelve_bits(seed)
        more = {"PhotometricInterpretation": photometric, "PresentationLUTShape": shape}
        agrees(radiograph(stored, 12, **more, **WINDOW), seed, "photometric")

    @pytest.mark.parametrize("said", [b"monochrome2 ", b"MONOCHROME 2", b"RGB ", b"YBR_FULL"])
    def test_one_sample_is_grey(self, seed, said):
        """One sample a pixel cannot be RGB."""
        element = raw("PhotometricInterpretation", "CS", said)
        codes = () if said.upper().startswith(b"MONO") else ("photometric",)
        agrees(radiograph(twelve_bits(seed), 12, element, **WINDOW), seed, *codes)

    def test_missing(self, seed):
        """Without Photometric Interpretation one sample is MONOCHROME2."""
        data = radiograph(twelve_bits(seed), 12, without=["PhotometricInterpretation"], **WINDOW)
        agrees(data, seed, "photometric")

    def test_ybr_that_is_rgb(self, seed):
        """Three equal samples called YBR_FULL: a grey film whose samples are RGB."""
        grey = phantom.draw(seed, 1)[0, :, :, 0]
        more = {"PhotometricInterpretation": "YBR_FULL"}
        agrees(radiograph(np.dstack([grey] * 3), 8, **more), seed, "photometric")

    def test_rgb_that_is_ybr(self, seed):
        """A luma beside two samples of 128, called RGB."""
        grey = phantom.draw(seed, 1)[0, :, :, 0]
        half = np.full_like(grey, 128)
        agrees(radiograph(np.dstack([grey, half, half]), 8), seed, "photometric")

    @pytest.mark.parametrize("bits", [10, 12, 16])
    def test_deep_colour(self, seed, bits):
        """RGB of 16 bits allocated shows the bits in use, whatever Bits Stored repeats."""
        deep = phantom.draw(seed, 1)[0, :, :, 0].astype(np.uint16) << (bits - 8)
        agrees(radiograph(np.dstack([deep] * 3), 16), seed)

    def test_planar_configuration(self, seed):
        """Samples by plane, called by pixel: what is smooth is taken."""
        grey = phantom.draw(seed, 1)[0, :, :, 0]
        by_plane = np.stack([grey, grey // 2 + 60, 255 - grey]).tobytes()
        more = {"PixelData": by_plane}
        plain = image.read(
            radiograph(np.dstack([grey] * 3), 8, PixelData=by_plane, PlanarConfiguration=1)
        )
        read = image.read(radiograph(np.dstack([grey] * 3), 8, **more))
        np.testing.assert_array_equal(read.pixels, plain.pixels)
        assert read.cautions[0].code == "photometric"


@pytest.mark.parametrize("seed", SEEDS)
class TestPadding:
    """Pixel Padding Value (C.7.5.1.1.2) sets no contrast and is black, whatever its VR."""

    @pytest.mark.parametrize(
        ("vr", "value"),
        [("US", b"\x30\xf8"), ("SS", b"\x30\xf8"), ("IS", b"-2000 "), ("UN", b"\x30\xf8"),
         ("DS", b"-2000,0 ")],
    )  # fmt: skip
    def test_vrs(self, seed, vr, value):
        """63536 and -2000 are the same 16 bits of signed pixels."""
        stored = twelve_bits(seed).astype(np.int16)
        stored[:40] = -2000
        plain = image.read(radiograph(stored, 16, PixelPaddingValue=-2000))
        read = image.read(radiograph(stored, 16, raw("PixelPaddingValue", vr, value)))
        np.testing.assert_array_equal(read.pixels, plain.pixels)
        assert read.pixels[:39].max() == 0
        assert np.ptp(read.pixels[40:]) == 255

    def test_negative_film(self, seed):
        """Padding of a MONOCHROME1 film is black though its value is white."""
        stored = 4095 - twelve_bits(seed)
        stored[:40] = 0
        more = {"PhotometricInterpretation": "MONOCHROME1", "PixelPaddingValue": 0}
        assert image.read(radiograph(stored, 12, **more, **WINDOW)).pixels[:39].max() == 0

    def test_spread_by_compression(self, seed):
        """Lossy compression moves padding by some levels."""
        stored = twelve_bits(seed).astype(np.int16) + 1000
        noise = np.random.default_rng(0).integers(-20, 21, stored.shape)
        stored[:40] = (-2000 + noise)[:40]
        more = {"PixelPaddingValue": -2000, "LossyImageCompression": "01"}
        read = image.read(radiograph(stored, 16, **more))
        exact = image.read(radiograph(np.where(stored < 0, -2000, stored), 16, **more))
        assert np.abs(read.pixels.astype(int) - exact.pixels).mean() <= 2


class TestSyntaxes:
    """Compressed pixels (PS3.5, A.4): twelve bits come back as twelve."""

    @pytest.mark.parametrize("seed", SEEDS)
    @pytest.mark.parametrize("syntax", SYNTAXES, ids=SYNTAXES.values())
    def test_twelve_bits(self, syntax, seed):
        """The same film in each."""
        agrees(films.transcoded(radiograph(twelve_bits(seed), 12, **WINDOW), syntax), seed)

    def test_big_endian(self):
        """Explicit VR Big Endian, retired and still met."""
        agrees(radiograph(twelve_bits(), 12, syntax=f"{ROOT}.2", **WINDOW), 4)

    @pytest.mark.parametrize(
        ("syntax", "name"),
        [(f"{ROOT}.4.201", "HTJ2K"), (f"{ROOT}.4.110", "JPEG XL"), (f"{ROOT}.4.103", "video"),
         (f"{ROOT}.4.94", "JPIP"), (f"{ROOT}.4.90", "JPEG 2000")],
    )  # fmt: skip
    def test_named(self, syntax, name):
        """A syntax that is not read, or pixels that are not in it, are named, not damaged."""
        text = refusal(films.with_syntax(radiograph(twelve_bits(), 12), syntax))
        assert name in text
        assert "damaged" not in text

    def test_codestream_of_another_size(self):
        """A codestream's own size counts: ISO 15444-1, A.5.1."""
        data = films.transcoded(radiograph(twelve_bits(), 12, **WINDOW), f"{ROOT}.4.90")
        made = pydicom.dcmread(io.BytesIO(data))
        made.Rows, made.BitsStored, made.HighBit = 128, 10, 9
        content = io.BytesIO()
        made.save_as(content)
        agrees(content.getvalue(), 4, "size", "bits")


class TestKinds:
    """Files that hold no film say what they are."""

    @pytest.mark.parametrize(
        ("sop_class", "name"),
        [("1.2.840.10008.1.3.10", "DICOMDIR"), ("1.2.840.10008.5.1.4.1.1.104.1", "PDF"),
         ("1.2.840.10008.5.1.4.1.1.88.11", "Text SR")],
    )  # fmt: skip
    def test_no_image(self, sop_class, name):
        """By the SOP class."""
        without = ["Rows", "Columns", "PixelData"]
        data = radiograph(twelve_bits(), 12, without=without, SOPClassUID=sop_class)
        assert name in refusal(data)

    def test_no_pixels(self):
        """Pixels on a server (Pixel Data Provider URL) are not in the file."""
        more = {"PixelDataProviderURL": "https://hospital.example/1"}
        text = refusal(radiograph(twelve_bits(), 12, without=["PixelData"], **more))
        assert "server" in text
        assert "hospital" not in text

    @pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
    def test_floats_that_are_no_numbers(self, value):
        """Float Pixel Data with NaN or infinities is refused by name."""
        values = twelve_bits().astype(np.float32)
        values[3, 3] = value
        more = {"FloatPixelData": values.tobytes()}
        assert "NaN" in refusal(radiograph(twelve_bits(), 12, without=["PixelData"], **more))


class TestDatasets:
    """A pydicom Dataset is a source, and is left as it is."""

    @pytest.mark.parametrize("syntax", [f"{ROOT}.1", f"{ROOT}.2", f"{ROOT}.4.90"])
    def test_as_its_file(self, syntax):
        """With its window, its photometric interpretation, its age."""
        more = {"PhotometricInterpretation": "MONOCHROME1", "PatientAge": "040Y"}
        stored = 4095 - twelve_bits()
        data = radiograph(stored, 12, **more, **WINDOW)
        if syntax == f"{ROOT}.2":
            data = radiograph(stored, 12, syntax=syntax, **more, **WINDOW)
        elif syntax != f"{ROOT}.1":
            data = films.transcoded(data, syntax)
        given = pydicom.dcmread(io.BytesIO(data))
        before = repr(given)
        read = image.read(given)
        assert np.abs(read.pixels - control(4)).mean() <= 2
        assert [caution.code for caution in read.cautions] == ["adult"]
        assert repr(given) == before

    def test_made_in_memory(self):
        """Without a file meta header, too."""
        given = pydicom.dcmread(io.BytesIO(radiograph(twelve_bits(), 12, **WINDOW)))
        del given.file_meta
        assert np.abs(image.read(given).pixels - control(4)).mean() <= 2


@pytest.mark.parametrize(
    "part",
    ["CHEST", "TÓRAX", "Torax", "TORAX_PA", "TORACE", "Thorax ap", "THORAX/LUNGS", "POUMON",
     "Poitrine", "PECHO", "PEITO", "TORACICO", "LUNGE PULMO", "BRUSTKORB", "RIPPEN", "COSTILLAS",
     "CHEST^ROUTINE", "RX TORAX PA Y LAT", "CXR", "", "UNKNOWN", "OTROS", "N/A", "WHOLEBODY"],
)  # fmt: skip
def test_a_chest_is_not_doubted(part):
    """Body Part Examined in six languages and free forms (CS allows none of them)."""
    for charset in ("utf-8", "latin-1"):
        element = raw("BodyPartExamined", "CS", part.encode(charset))
        assert image.read(radiograph(twelve_bits(), 12, element, **WINDOW)).cautions == ()


@pytest.mark.parametrize(
    "part",
    ["ABDOMEN", "RODILLA", "CRÂNE", "SCHAEDEL", "MANO", "JOELHO", "BACINO", "T-SPINE", "HAND",
     "COLUMNA TORACICA", "BWS", "BREAST", "MAMMA", "THORACIC SPINE"],
)  # fmt: skip
def test_another_part_is(part):
    """Neither another part nor the vertebrae behind a chest are one."""
    element = raw("BodyPartExamined", "CS", part.encode())
    read = image.read(radiograph(twelve_bits(), 12, element, **WINDOW))
    assert [caution.code for caution in read.cautions] == ["body_part"]


@pytest.mark.parametrize(
    ("keyword", "view", "is_lateral"),
    [("ViewPosition", view, True) for view in
     ("LL", "RL", "LAT", "Lateral", "PERFIL", "PROFIL", "PROFILO", "LATERALE", "SEITLICH",
      "LATERO-LATERAL", "LEFT LATERAL", "L LAT")]
    + [("ViewPosition", view, False) for view in ("PA", "AP", "A/P", "FRONTAL", "LLD", "")]
    + [("SeriesDescription", view, True) for view in
       ("Tórax lateral", "Thorax seitlich", "Thorax profil G", "Torace LL", "Chest Lat.")]
    + [("SeriesDescription", view, False) for view in
       ("Tórax PA y lateral", "Chest PA + LAT", "bilateral", "Chest", "left lateral decubitus")],
)  # fmt: skip
def test_views(keyword, view, is_lateral):
    """View Position, or else the series' free text, in six languages."""
    element = raw(keyword, "LO", view.encode())
    read = image.read(radiograph(twelve_bits(), 12, element, **WINDOW))
    assert [caution.code for caution in read.cautions] == ["lateral"] * is_lateral


@given(mutated_headers.HEADERS)
@settings(
    max_examples=300, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True
)
def test_mutated_headers(elements):
    """Never silently another picture: ``tests/fuzz/headers.py`` tries 10,000."""
    assert mutated_headers.judge(elements) is None
