"""The stored values of a DICOM file's first frame, by its header where the pixels allow that.

Source: DICOM PS3.3, C.7.6.3 (Image Pixel), and PS3.5, 8.1.1 (bits allocated, stored, high bit).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
from pydicom import Dataset

from neumo._images import file_checks
from neumo._images.dicom import compressed_frames, element_numbers
from neumo._images.dicom.compressed_frames import Layout
from neumo.cautions import BITS, PHOTOMETRIC, SIZE, Caution
from neumo.errors import ImageError

PALETTE = "PALETTE COLOR"
_BIG_ENDIAN = "1.2.840.10008.1.2.2"
_CONTAINERS = (8, 16, 32)
_SMOOTHER = 0.8
"""Another reading than the header's counts where it is this much smoother: films are smooth."""
_MUCH_SMOOTHER = 0.6
"""The same beside each reading's own contrast."""
_SEEN_PX = 1_000_000
_ALIKE = 0.25
"""Of the deviation, how much the thirds of a tiled picture differ at most."""
_SUBSAMPLED = {"YBR_FULL_422", "YBR_PARTIAL_422", "YBR_PARTIAL_420"}
_FLOATS = {"FloatPixelData": "f4", "DoubleFloatPixelData": "f8"}
_UNREAD_COLOURS = {"CMYK", "HSV"}
_NOISY = 0.5
"""The mean step over the deviation: of films a tenth, of bytes in the wrong order more than one."""
_LEFT_SHARE = 0.3
"""Of a left-aligned film, the pixels that are not nearly black, at least."""
_OVERLAY_SHARE = 0.1
"""Of a film, what an overlay or burnt-in letters cover at most."""
_OVERLAY_STEPS = 4.0
"""How much larger than elsewhere steps at an overlay's border are, once its bit is gone."""

Values = npt.NDArray[Any]


@dataclass(frozen=True, slots=True, eq=False)
class Stored:
    """Stored values [rows, columns] or [rows, columns, samples] and the bits that they have.

    ``photometric`` is what the values are, "RGB" where a decoder has converted them.
    """

    values: Values
    bits: int
    photometric: str
    cautions: tuple[Caution, ...]


def read(dataset: Dataset) -> Stored:
    """The first frame of ``dataset``.

    Raises ``ImageError`` where there are no pixels, or they fit no reading of the header.
    """
    layout, cautions = _layout(dataset)
    for keyword, kind in _FLOATS.items():
        if keyword in dataset and "PixelData" not in dataset:
            return _of_floats(dataset, keyword, kind, layout)
    data = dataset.get("PixelData")
    if not data:
        where = (
            " (they are on a server, says its header)" if "PixelDataProviderURL" in dataset else ""
        )
        raise ImageError(f"a DICOM file without pixels{where}: export the film itself")
    if layout.samples > 1 and layout.photometric in _UNREAD_COLOURS:
        raise ImageError(f"{layout.photometric} colours are not read: export it as greyscale")
    if compressed_frames.is_compressed(dataset) or _is_encapsulated(bytes(data), layout):
        return _compressed(dataset, layout, cautions)
    return _native(dataset, bytes(data), layout, cautions)


def _is_encapsulated(data: bytes, layout: Layout) -> bool:
    """Whether pixels are compressed that the header calls plain: by their start and length."""
    whole = layout.frame_bytes * layout.frames
    return compressed_frames.is_encapsulated(data) and not whole <= len(data) <= whole + whole % 2


def sides(dataset: Dataset) -> tuple[int, int]:
    """Rows and columns; raises ``ImageError`` where the file has none, so no image."""
    rows, columns = (element_numbers.whole(dataset, side) for side in ("Rows", "Columns"))
    if rows is None or columns is None:
        raise ImageError("a DICOM file without an image: give one that holds a radiograph")
    return rows, columns


def _layout(dataset: Dataset) -> tuple[Layout, list[Caution]]:
    """The header's Image Pixel module, and cautions where it contradicts itself."""
    rows, columns = sides(dataset)
    cautions: list[Caution] = []
    samples = element_numbers.whole(dataset, "SamplesPerPixel") or 1
    photometric = element_numbers.text(dataset, "PhotometricInterpretation").replace(" ", "")
    has_one = photometric.startswith("MONOCHROME") or photometric in {"PALETTECOLOR", ""}
    if samples > 1 and has_one:
        photometric = "RGB"
        cautions.append(PHOTOMETRIC)
    elif samples == 1 and photometric not in {"MONOCHROME1", "MONOCHROME2", "PALETTECOLOR"}:
        photometric = "MONOCHROME2"
        cautions.append(PHOTOMETRIC)
    allocated = element_numbers.whole(dataset, "BitsAllocated") or 16
    stored = element_numbers.whole(dataset, "BitsStored")
    if stored is None:
        stored = allocated
    if not 1 <= stored <= allocated:
        cautions.append(BITS)
    high = element_numbers.whole(dataset, "HighBit")
    layout = Layout(
        rows=rows,
        columns=columns,
        samples=samples,
        photometric=PALETTE if photometric == "PALETTECOLOR" else photometric,
        planar=element_numbers.whole(dataset, "PlanarConfiguration") or 0,
        allocated=allocated,
        stored=stored,
        high=stored - 1 if high is None else high,
        signed=element_numbers.whole(dataset, "PixelRepresentation") == 1,
        frames=max(element_numbers.whole(dataset, "NumberOfFrames") or 1, 1),
    )
    return layout, cautions


def _of_floats(dataset: Dataset, keyword: str, kind: str, layout: Layout) -> Stored:
    order = ">" if str(dataset.file_meta.TransferSyntaxUID) == _BIG_ENDIAN else "<"
    frame_bytes = layout.rows * layout.columns * int(kind[1])
    data = bytes(dataset[keyword].value or b"")
    if len(data) < frame_bytes:
        raise _cut_off()
    values = np.frombuffer(data[:frame_bytes], order + kind).astype(np.float64)
    if not np.isfinite(values).all():
        raise ImageError("some of its pixels are NaN or infinite: export it again")
    shape = (layout.rows, layout.columns)
    return Stored(values.reshape(shape), 32, layout.photometric, ())


def _compressed(dataset: Dataset, layout: Layout, cautions: list[Caution]) -> Stored:
    values, photometric, told = compressed_frames.read(dataset, layout)
    cautions += told
    if values.ndim == 3:
        return Stored(values, 8 * values.itemsize, photometric, tuple(cautions))
    if photometric == PALETTE:
        return Stored(values, 8 * values.itemsize, PALETTE, tuple(cautions))
    # A codestream says its own precision, so no unused bits are left to shift out.
    stored = replace(layout, high=layout.stored - 1, allocated=8 * values.itemsize)
    values, bits, doubtful = _as_meant(values, stored, dataset)
    return Stored(values, bits, photometric, (*cautions, BITS) if doubtful else tuple(cautions))


def _native(dataset: Dataset, data: bytes, layout: Layout, cautions: list[Caution]) -> Stored:
    if layout.photometric in _SUBSAMPLED and len(data) >= layout.frame_bytes * layout.frames:
        # Of half the colours' samples it would have less: all are there.
        layout = replace(layout, photometric="YBR_FULL")
        cautions.append(PHOTOMETRIC)
    if layout.photometric in _SUBSAMPLED or layout.allocated == 1:
        values, photometric, told = compressed_frames.read(dataset, layout)
        return Stored(values, max(layout.stored, 1), photometric, (*cautions, *told))
    layout, told = _by_length(layout, data)
    cautions += told
    big_endian = str(dataset.file_meta.TransferSyntaxUID) == _BIG_ENDIAN
    words = data[: layout.frame_bytes + layout.frame_bytes % 2]
    if big_endian and layout.allocated == 8 and getattr(dataset["PixelData"], "VR", "") == "OW":
        # Two pixels to a word, and words are swapped: PS3.5, 8.1.2.
        words = np.frombuffer(words[: len(words) // 2 * 2], ">u2").astype("<u2").tobytes()
    kind = f"{'>' if big_endian else '<'}u{layout.allocated // 8}"
    flat = np.frombuffer(words[: layout.frame_bytes], kind).astype(kind[1:])
    if layout.samples > 1:
        values, doubtful = _in_colour(flat, layout)
        cautions += [PHOTOMETRIC] if doubtful else []
        if layout.photometric == "ARGB":
            values = values[:, :, 1:]
        return Stored(values, layout.stored, layout.photometric, tuple(cautions))
    values, turned = _shaped(flat, layout)
    if layout.photometric == PALETTE:
        # Indices are no brightness: whether they look smooth says nothing.
        return Stored(values, layout.stored, PALETTE, (*cautions, *[SIZE] * turned))
    values, swapped = _in_order(values)
    values, bits, doubtful = _as_meant(values, layout, dataset)
    cautions += [SIZE] * turned + [BITS] * (doubtful or swapped)
    return Stored(values, bits, layout.photometric, tuple(cautions))


def _by_length(layout: Layout, data: bytes) -> tuple[Layout, list[Caution]]:
    """``layout`` as the number of bytes allows it: the length cannot be mistaken, a header can.

    Raises ``ImageError`` where no bits a pixel make it fit.
    """
    length, pixels = len(data), layout.rows * layout.columns
    whole = layout.frame_bytes * layout.frames
    if layout.allocated in _CONTAINERS and whole <= length <= whole + whole % 2:
        return layout, []
    for samples, frames in ((layout.samples, layout.frames), (layout.samples, 1), (1, 1), (3, 1)):
        for bits in (layout.allocated, *_CONTAINERS):
            expected = pixels * samples * frames * bits // 8
            fits = bits in _CONTAINERS and expected <= length <= expected + expected % 2
            if fits and (bits >= layout.allocated or _is_film(data, layout, bits)):
                told = [SIZE if frames != layout.frames else BITS]
                if samples != layout.samples:
                    photometric = "RGB" if samples == 3 else "MONOCHROME2"
                    layout = replace(layout, photometric=photometric)
                    told = [PHOTOMETRIC]
                fewest = min(layout.stored, bits)
                changed = replace(layout, samples=samples, frames=frames, allocated=bits)
                # Bits stored above those allocated say nothing: _as_meant then takes them all.
                return replace(changed, stored=fewest, high=min(layout.high, bits - 1)), told
    if layout.allocated not in _CONTAINERS:
        raise ImageError(
            f"pixels of {layout.allocated} bits are not read: export it with 8 or 16 bits allocated"
        )
    if length < whole:
        raise _cut_off()
    # More than the header says: what it names is shown, as all viewers do.
    return layout, [SIZE]


def _is_film(data: bytes, layout: Layout, bits: int) -> bool:
    """Whether the bytes make a smooth picture of ``bits`` a sample: halves of words do not."""
    kind = np.dtype(f"<u{bits // 8}")
    count = layout.rows * layout.columns
    values = np.frombuffer(data[: count * kind.itemsize], kind)
    picture = values.reshape(layout.rows, layout.columns)
    return _roughness(picture) < float(picture.std())


def _cut_off() -> ImageError:
    return ImageError(
        "cut off or damaged: the DICOM file holds fewer pixels than its header's rows, columns "
        "and frames say; copy or export it again"
    )


def _shaped(flat: Values, layout: Layout) -> tuple[Values, bool]:
    """[rows, columns], or, where rows and columns are swapped in the header, as they are.

    Rows that do not lie below each other make a picture rough from top to bottom.
    """
    values = flat.reshape(layout.rows, layout.columns)
    if layout.rows == layout.columns or layout.photometric == PALETTE:
        return values, False
    swapped = flat.reshape(layout.columns, layout.rows)
    is_swapped = _roughness(swapped) < 0.5 * _roughness(values)
    return (swapped, True) if is_swapped else (values, False)


def _in_colour(flat: Values, layout: Layout) -> tuple[Values, bool]:
    """[rows, columns, samples] by the planar configuration, unless the pixels say the other."""
    by_pixel = flat.reshape(layout.rows, layout.columns, layout.samples)
    planes = flat.reshape(layout.samples, layout.rows, layout.columns)
    by_plane = np.moveaxis(planes, 0, 2)
    if layout.planar == 1:
        is_other = _repeats_rows(planes[0], layout.samples)
    else:
        is_other = _repeats_columns(by_pixel)
    is_by_plane = (layout.planar == 1) != is_other
    return np.ascontiguousarray(by_plane if is_by_plane else by_pixel), is_other


def _repeats_columns(by_pixel: Values) -> bool:
    """Whether planes were taken for pixels: a row shows three of a plane, one picture thrice."""
    third = by_pixel.shape[1] // by_pixel.shape[2]
    left = by_pixel[:, :third].astype(np.float32)
    middle = by_pixel[:, third : 2 * third]
    # Of what changes from left to right alone: even rows are alike in any case.
    contrast = float(left.std(axis=1).mean())
    return contrast > 1.0 and float(np.abs(left - middle).mean()) < _ALIKE * contrast


def _repeats_rows(plane: Values, samples: int) -> bool:
    """Whether pixels were taken for planes: three rows show one of the picture, in pieces."""
    rows = plane.astype(np.float32)
    next_row = float(np.abs(rows[1:] - rows[:-1]).mean())
    return next_row > 1.0 and float(np.abs(rows[samples:] - rows[:-samples]).mean()) < (
        _ALIKE * next_row
    )


def _in_order(values: Values) -> tuple[Values, bool]:
    """Words whose bytes lie the other way round than the syntax says make noise: turned."""
    if values.dtype.itemsize != 2 or _noise(values) < _NOISY or _noise(values.view("i2")) < _NOISY:
        return values, False
    turned = values.byteswap()
    least = min(_noise(turned), _noise(turned.view("i2")))
    return (turned, True) if least < _NOISY / 2 else (values, False)


def _noise(values: Values) -> float:
    """The roughness of the middle over its deviation."""
    middle = values[len(values) // 4 : -(len(values) // 4)]
    return _roughness(middle) / max(float(middle.std()), 1e-9)


def _as_meant(raw: Values, layout: Layout, dataset: Dataset) -> tuple[Values, int, bool]:
    """``raw`` with the header's sign and bits, or with those that make a film of it.

    The values, their bits, and whether the header was not followed or left bits unexplained.
    Padding that is outside of the bits stored is kept as it is, and no contradiction.
    """
    raw = raw if raw.dtype.kind == "u" else raw.view(f"u{raw.itemsize}")
    padding = element_numbers.first(dataset, "PixelPaddingValue")
    stored = layout.stored if 1 <= layout.stored <= layout.allocated else layout.allocated
    if padding is None or not 0 <= padding < 2**layout.allocated or int(padding) >> stored == 0:
        return _of_bits(raw, layout, stored)
    is_padding = raw == int(padding)
    if not is_padding.any() or is_padding.all():
        return _of_bits(raw, layout, stored)
    inside = np.where(is_padding, raw[~is_padding].min(), raw)
    values, bits, changed = _of_bits(inside, layout, stored)
    kept = values.astype(f"{values.dtype.kind}{raw.itemsize}")
    kept[is_padding] = raw[is_padding].view(kept.dtype)
    return kept, bits, changed


def _of_bits(raw: Values, layout: Layout, stored: int) -> tuple[Values, int, bool]:
    """``_as_meant`` of unsigned ``raw`` without padding."""
    container = layout.allocated
    shift = layout.high + 1 - stored
    unused = (1 << (container - stored)) - 1
    is_over = stored < container and bool(int(raw.max()) >> stored)
    # Above the lowest bits, which PS3.5 allowed before 2015: dcmtk believes HighBit where others do
    # not, and here the pixels are asked. Right-aligned values stay in spite of it.
    if is_over and 0 < shift <= container - stored:
        is_empty_below = not (raw & ((1 << shift) - 1)).any()
        raw = raw >> shift if is_empty_below or shift == container - stored else raw
    excess = raw >> stored if stored < container else np.zeros_like(raw)
    explained = not excess.any() or _extends_sign(raw, excess, stored, container)
    is_left = not explained and not (raw & unused).any() and _is_mostly_over(excess)
    if is_left:
        # Left-aligned without a word: HighBit says otherwise.
        raw = raw >> (container - stored)
        excess, explained = np.zeros_like(raw), True
    said = _with_sign(raw, stored, signed=layout.signed)
    chosen, bits, changed = said, stored, is_left
    if not explained and _is_whole(raw, stored, said):
        chosen, bits, changed = raw, container, True
    # Values that wrap where their sign changes are rough; the other sign's are not, then.
    other = _with_sign(raw, bits, signed=chosen.dtype.kind == "u")
    # Bits above those stored that repeat the sign prove it.
    is_proven = layout.signed and explained and bool(excess.any())
    has_sign = bool((raw >> (bits - 1) & 1).any()) and not is_proven
    if has_sign and _roughness(other) < _SMOOTHER * _roughness(chosen):
        chosen, changed = other, True
    is_constant = excess.size > 0 and int(excess.min()) == int(excess.max())
    chosen, overlaid = _without_overlay(chosen)
    return chosen, bits, changed or overlaid or not (explained or is_constant)


def _is_mostly_over(excess: Values) -> bool:
    """Whether what stands above the bits stored is of the film: of many pixels, and no constant."""
    share = float((excess > 0).mean())
    return share > _LEFT_SHARE and len(np.unique(excess[:: max(len(excess) // 64, 1)])) > 3


def _without_overlay(values: Values) -> tuple[Values, bool]:
    """Without a top bit that only few pixels have and the film below goes on without: an overlay.

    ACR-NEMA kept overlays there, and some headers count their bit among those stored.
    """
    top = int(values.max()).bit_length() - 1
    if values.dtype.kind != "u" or top < 8:
        return values, False
    bit = values.dtype.type(1 << top)
    is_set = (values & bit) != 0
    if float(is_set.mean()) > _OVERLAY_SHARE:
        return values, False
    film = (values & ~bit).astype(np.int64)
    steps, borders = np.abs(np.diff(film, axis=1)), is_set[:, 1:] != is_set[:, :-1]
    below = film[is_set]
    # A film's own bright parts would turn dark without the bit, letters have one value.
    is_overlay = (
        bool(borders.any())
        and float(below.std()) > 0
        and float(steps[borders].mean()) < _OVERLAY_STEPS * max(float(steps[~borders].mean()), 1.0)
    )
    return (values & ~bit, True) if is_overlay else (values, False)


def _is_whole(raw: Values, stored: int, said: Values) -> bool:
    """Whether the bits above those stored belong to the values: with them a picture is smoother."""
    whole, masked = _roughness(raw), _roughness(said)
    if whole < _SMOOTHER * masked:
        return True
    levels = np.unique(raw)
    # An overlay, far above the values, leaves a gap between them and itself.
    has_gap = len(levels) > 1 and int(np.diff(levels.astype(np.int64)).max()) >> (stored - 1) > 0
    contrast, of_masked = float(raw.std()), float(said.std())
    return not has_gap and whole * of_masked < _MUCH_SMOOTHER * masked * contrast


def _extends_sign(raw: Values, excess: Values, stored: int, container: int) -> bool:
    """Whether the unused bits repeat the sign, as two's complement does."""
    filled = (1 << (container - stored)) - 1
    negative = (raw >> (stored - 1)) & 1
    return bool((excess == negative * filled).all())


def _with_sign(raw: Values, bits: int, *, signed: bool = True) -> Values:
    """The lowest ``bits`` of unsigned ``raw``, as two's complement where ``signed``."""
    width = 8 * raw.itemsize
    unused = width - bits
    if not signed:
        return raw & raw.dtype.type((1 << bits) - 1) if unused else raw
    return (raw << unused).view(f"i{raw.itemsize}") >> unused


def _roughness(values: Values) -> float:
    """The mean step between neighbours, of a million pixels at most."""
    rows = max(min(len(values), _SEEN_PX // max(values[0].size, 1)), 2)
    top = max((len(values) - rows) // 2, 0)
    seen = values[top : top + rows].astype(np.float64)
    down, across = np.abs(np.diff(seen, axis=0)), np.abs(np.diff(seen, axis=1))
    return float(down.mean() + across.mean())


def check_size(dataset: Dataset) -> None:
    """Raise ``ImageError`` where the picture's sides are out of bounds; nothing is decoded."""
    rows, columns = sides(dataset)
    file_checks.check_size(columns, rows)
