"""From stored values to grey: rescale, lookup tables, windows and padding that cannot be as said.

Controls are the same film without the contradiction, within two levels of 255 in the mean.
Paragraphs are those of DICOM PS3.3.
"""

import numpy as np
import pytest

pytest.importorskip("pydicom", reason="the dicom extra is not installed")
from pydicom.dataset import Dataset

from neumo._images.dicom import windowing
from support.films import WINDOW, radiograph, raw, table, twelve_bits
from support.readings import SEEDS, check, codes, control, levels

pytestmark = pytest.mark.filterwarnings("ignore:Invalid value for VR")


@pytest.mark.parametrize("seed", SEEDS)
class TestRescale:
    """Rescale Slope and Intercept (C.11.1.1.2)."""

    def test_intercept_without_a_slope(self, seed):
        """A slope that is absent is 1, as cornerstone and dcm4che take it."""
        stored = twelve_bits(seed) // 2 + 100
        window = {"WindowCenter": "1024", "WindowWidth": "2048"}
        check(radiograph(stored, 12, RescaleIntercept="-100", **window), control(seed))

    @pytest.mark.parametrize(
        ("slope", "intercept"),
        [("0", "7"), ("1e300", "0"), ("1e308", "0"), ("-1e308", "0"), ("1", "1e20"),
         ("1", "-1e17"), ("1e-30", "1")],
    )  # fmt: skip
    def test_that_leaves_no_picture(self, seed, slope, intercept):
        """A slope of 0, or sums in which the film is lost: left out, with a caution."""
        rescale = {"RescaleSlope": slope, "RescaleIntercept": intercept}
        check(radiograph(twelve_bits(seed), 12, **rescale, **WINDOW), control(seed), "rescale")

    def test_negative_slope(self, seed):
        """A slope of -1 inverts, as the standard says, and once more with MONOCHROME1."""
        more = {"RescaleSlope": "-1", "RescaleIntercept": "4095", **WINDOW}
        check(radiograph(4095 - twelve_bits(seed), 12, **more), control(seed))
        more["PhotometricInterpretation"] = "MONOCHROME1"
        check(radiograph(twelve_bits(seed), 12, **more), control(seed))

    @pytest.mark.parametrize(("slope", "intercept"), [("1", "-1024"), ("2", "0")])
    def test_window_for_the_stored_values(self, seed, slope, intercept):
        """A window just round the values before the rescale: used after it, with a caution."""
        more = {"RescaleSlope": slope, "RescaleIntercept": intercept}
        assert "window" in codes(radiograph(twelve_bits(seed), 12, **more, **WINDOW))

    def test_table_for_the_stored_values(self, seed):
        """The same of a VOI LUT."""
        more = {"RescaleSlope": "1", "RescaleIntercept": "-1024"}
        data = radiograph(
            twelve_bits(seed), 12, VOILUTSequence=[table(np.arange(4096), 0, 12)], **more
        )
        assert codes(data) == ["lookup_table"]

    def test_enhanced(self, seed):
        """Window and rescale of enhanced objects are in their functional groups (C.7.6.16.2)."""
        for name in ("SharedFunctionalGroupsSequence", "PerFrameFunctionalGroupsSequence"):
            group, window, rescale = Dataset(), Dataset(), Dataset()
            window.WindowCenter, window.WindowWidth = "0", "4096"
            rescale.RescaleSlope, rescale.RescaleIntercept = "1", "-2048"
            group.FrameVOILUTSequence = [window]
            group.PixelValueTransformationSequence = [rescale]
            check(radiograph(twelve_bits(seed), 12, **{name: [group]}), control(seed))


@pytest.mark.parametrize("seed", SEEDS)
class TestTables:
    """VOI LUT (C.11.2.1.1): its descriptor against its entries."""

    @pytest.mark.parametrize(
        ("bits", "shift"),
        [(16, 0), (14, 0), (13, 0), (10, 0), (8, 0), (0, 0), (255, 0), (12, 1), (16, 1), (15, 3),
         (16, 4), (9, 4)],
    )  # fmt: skip
    def test_says_other_bits_than_it_has(self, seed, bits, shift):
        """Entries of 12, 11, 9 or 8 bits called 0 to 255: their own white is white."""
        data = radiograph(
            twelve_bits(seed), 12, VOILUTSequence=[table(np.arange(4096) >> shift, 0, bits)]
        )
        check(data, control(seed), "lookup_table")

    @pytest.mark.parametrize("signed", [False, True])
    def test_65536_entries(self, seed, signed):
        """A count of 0 stands for 65,536, of signed pixels from -32768 on."""
        stored = twelve_bits(seed).astype(np.int32) * 16
        stored = (stored - 32768).astype(np.int16) if signed else stored.astype(np.uint16)
        item = table(np.arange(65536), -32768 if signed else 0, 16)
        check(radiograph(stored, 16, VOILUTSequence=[item]), control(seed))

    def test_monochrome1(self, seed):
        """MONOCHROME1 is inverted after the table."""
        more = {"PhotometricInterpretation": "MONOCHROME1", "PresentationLUTShape": "INVERSE"}
        data = radiograph(
            4095 - twelve_bits(seed), 12, VOILUTSequence=[table(np.arange(4096), 0, 12)], **more
        )
        check(data, control(seed))

    @pytest.mark.parametrize("what", ["one", "two", "zeros", "nothing", "no data"])
    def test_of_no_use(self, seed, what):
        """A table of one or two entries, of zeros, or without any: the window goes on."""
        entries = {"one": [4095], "two": [0, 4095], "zeros": [0] * 4096}.get(what, [0])
        item = Dataset() if what == "nothing" else table(entries, 0, 12)
        if what == "no data":
            del item.LUTData
        data = radiograph(twelve_bits(seed), 12, VOILUTSequence=[item], **WINDOW)
        check(data, control(seed), "lookup_table")

    def test_without_a_descriptor(self, seed):
        """The entries alone, from 0 on, have as many bits as they use."""
        item = table(np.arange(4096), 0, 12)
        del item.LUTDescriptor
        data = radiograph(twelve_bits(seed), 12, VOILUTSequence=[item])
        check(data, control(seed), "lookup_table")


@pytest.mark.parametrize("seed", SEEDS)
class TestWindows:
    """Window Center and Width (C.11.2.1.2) against the pixels."""

    @pytest.mark.parametrize(
        ("centre", "width"),
        [("2048", "1"), ("2048", "-4096"), ("-2048", "4096"), ("128", "256"), ("1e6", "10")],
    )
    def test_that_shows_nothing(self, seed, centre, width):
        """Of width 1 or less, beside the values, or of 8 bits: as without one."""
        data = radiograph(twelve_bits(seed), 12, WindowCenter=centre, WindowWidth=width)
        check(data, levels(radiograph(twelve_bits(seed), 12)), "window")

    @pytest.mark.parametrize("function", ["SIGMOID", "LINEAR_EXACT"])
    @pytest.mark.parametrize("width", ["0", "-1", "0.001"])
    def test_functions(self, seed, function, width):
        """SIGMOID and LINEAR_EXACT want a width above 0 (C.11.2.1.3)."""
        more = {"WindowCenter": "2048", "WindowWidth": width, "VOILUTFunction": function}
        data = radiograph(twelve_bits(seed), 12, **more)
        check(data, levels(radiograph(twelve_bits(seed), 12)), "window")

    @pytest.mark.parametrize(("centre", "width"), [("4096", "8192"), ("-2048", "8192")])
    def test_that_leaves_half_of_the_scale(self, seed, centre, width):
        """Twice as wide as the values: shown as viewers do, too dark or too bright, and said so."""
        data = radiograph(twelve_bits(seed), 12, WindowCenter=centre, WindowWidth=width)
        assert codes(data) == ["flat"]


@pytest.mark.parametrize("seed", SEEDS)
class TestPadding:
    """Pixel Padding Value (C.7.5.1.1.2) that is not as it is said."""

    @staticmethod
    def padded(seed: int, value: int) -> np.ndarray:
        """Signed stored values, the upper 60 rows padding."""
        stored = twelve_bits(seed).astype(np.int16)
        stored[:60] = value
        return stored

    def declared(self, seed: int) -> np.ndarray:
        """The control: padding that is declared."""
        return levels(radiograph(self.padded(seed, -2000), 16, PixelPaddingValue=-2000))

    @pytest.mark.parametrize("value", [-2000, -32768])
    def test_undeclared(self, seed, value):
        """One value far below all others would make the film nearly white."""
        data = radiograph(self.padded(seed, value), 16)
        check(data, self.declared(seed), "padding")

    def test_declared_as_another(self, seed):
        """The value that is declared is not the one that is there."""
        data = radiograph(self.padded(seed, -2000), 16, PixelPaddingValue=0)
        check(data, self.declared(seed), "padding")

    @pytest.mark.parametrize("vr", ["SS", "US", "OW"])
    def test_empty(self, seed, vr):
        """An empty element declares none."""
        data = radiograph(self.padded(seed, -2000), 16, raw("PixelPaddingValue", vr, b""))
        check(data, self.declared(seed), "padding")

    def test_beyond_the_bits_stored(self, seed):
        """65535 in a film of 12 bits is padding, no contradiction of bits."""
        stored = (twelve_bits(seed) >> 1) + 100
        stored[:60] = 65535
        plain = stored.copy()
        plain[:60] = 0
        expected = levels(radiograph(plain, 12, PixelPaddingValue=0))
        check(radiograph(stored, 12, PixelPaddingValue=65535), expected)

    @pytest.mark.parametrize("says_so", [True, False])
    def test_spread_by_lossy_compression(self, seed, says_so):
        """Padding has many values after it, and a blurred edge, whether the header says so."""
        exact = self.padded(seed, -2000)
        rng = np.random.default_rng(seed)
        spread = exact.astype(int)
        spread[:60] += rng.integers(-50, 51, spread[:60].shape)
        spread[60:64] = np.linspace(-2000, exact[64].mean(), 4)[:, None]
        more = {"LossyImageCompression": "01"} if says_so else {}
        data = radiograph(spread.astype(np.int16), 16, PixelPaddingValue=-2000, **more)
        check(data, self.declared(seed))


def test_burnt_in_letters_are_no_padding():
    """Some white letters, or a black border next to dark air, are of the film."""
    stored = twelve_bits(4) // 2 + 300
    stored[10:20, 10:40] = 4095
    stored[:8] = 0
    values, told = windowing.grey(stored, Dataset(), 12)
    assert told == ()
    assert values.shape == stored.shape
