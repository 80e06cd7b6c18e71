"""Any radiograph to the models' input: one uint8 [256, 256, 1] image."""

from __future__ import annotations

import inspect
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Protocol, TypeAlias, cast

import numpy as np
import numpy.typing as npt
from PIL import Image

from neumo._images import arrays, dicom, file_checks, image_size, raster
from neumo._images.file_checks import MAX_FILE_BYTES
from neumo._images.film_folders import SUFFIXES as FILM_SUFFIXES
from neumo._images.film_readers import FilmReaders
from neumo.cautions import Caution
from neumo.ensemble import SHIPPED, InputImage
from neumo.errors import ImageError

__all__ = [
    "FILM_SUFFIXES",
    "MAX_FILE_BYTES",
    "Film",
    "FilmReaders",
    "Source",
    "decode",
    "pixel_count",
    "read",
    "to_pixels",
]


@dataclass(frozen=True, slots=True, eq=False)
class Film:
    """A radiograph as the models see it, without anything that tells whose it is.

    ``pixels`` is uint8 [256, 256, 1], read-only; ``width_px`` and ``height_px`` are those of the
    original, upright. ``cautions`` are what a reader of a prediction about it should know.
    """

    pixels: npt.NDArray[np.uint8]
    cautions: tuple[Caution, ...]
    width_px: int
    height_px: int


class ArrayLike(Protocol):
    """Whatever numpy makes an array of: a tensor of another library, a pydicom pixel array."""

    def __array__(self) -> npt.NDArray[np.generic]: ...


class DicomDataset(Protocol):
    """A ``pydicom.Dataset``, which is an extra, so that its class is not named here."""

    def get_item(self, key: Any, /) -> Any: ...  # noqa: ANN401 - pydicom's own


Source: TypeAlias = (
    str
    | os.PathLike[str]
    | bytes
    | bytearray
    | memoryview
    | BinaryIO
    | Image.Image
    | npt.NDArray[np.generic]
    | ArrayLike
    | DicomDataset
    | Film
)
"""What ``read`` takes; its docstring says how each is understood."""

_FILES = (str, os.PathLike, bytes, bytearray, memoryview)
"""Paths and files' bytes: what most films come as, and what needs no second look."""


def read(source: Source, seen: InputImage = SHIPPED.image) -> Film:
    """The film in ``source``, as models see it: those of neumo's releases, or as ``seen`` says.

    ``source`` is a path, the bytes of a file, a binary file (read to its end, left open), a
    Pillow image, a pydicom ``Dataset``, a film that was read before, or an array (or what numpy
    makes one of): [h, w], [h, w, 1] or [h, w, 3] (RGB) of uint8, of uint16, or of floats in [0, 1],
    white where X-rays were stopped. Give the ``Dataset`` rather than its ``pixel_array``, which
    knows neither its window nor whether it is a negative (MONOCHROME1).

    Files may be JPEG, PNG, WebP, TIFF, BMP, GIF, JPEG 2000, AVIF or, with the ``dicom`` extra,
    DICOM. The first frame is read. EXIF orientation is applied; what is transparent turns black,
    as air is on a film. More than 8 bits are reduced as ``neumo._images.grey_depth`` says. The
    film's cautions name what its file contradicts, and what speaks against judging the picture.

    Raises ``ImageError`` where no film can be read, or its sides are outside
    ``neumo._images.file_checks``.
    """
    if isinstance(source, Film):
        if source.pixels.shape != seen.shape:
            raise ImageError("this film was read for models that see another image: read it again")
        return source
    image, cautions = decode(source)
    pixels = to_pixels(image, seen)
    pixels.flags.writeable = False
    doubts: tuple[Caution, ...] = ()
    if seen == SHIPPED.image:  # what is odd for another model's images nobody knows
        doubts = file_checks.picture_cautions(pixels, image.width, image.height)
    return Film(pixels, (*cautions, *doubts), image.width, image.height)


def to_pixels(image: Image.Image, seen: InputImage = SHIPPED.image) -> npt.NDArray[np.uint8]:
    """The contract's input of an 8-bit ``image``: uint8 [256, 256, 1], or as ``seen`` says.

    Pillow's luma and bicubic filter, no aspect kept, as the original notebook fed its models.
    Training resizes with this very function.
    """
    size = (seen.width_px, seen.height_px)
    # Pillow would copy an image that is as it should be already.
    if image.mode != seen.mode:
        image = image.convert(seen.mode)
    if image.size != size:
        image = image.resize(size, Image.Resampling[seen.resample])
    return np.array(image, dtype=np.uint8).reshape(seen.shape)


def decode(source: Source) -> tuple[Image.Image, tuple[Caution, ...]]:
    """An upright 8-bit image of the original's size, and what to know about it.

    ``source`` is anything that ``read`` takes but a ``Film``; raises as ``read`` does.
    """
    if isinstance(source, np.ndarray):
        return arrays.decode(source), ()
    if isinstance(source, Image.Image):
        return raster.convert(source)
    if not isinstance(source, _FILES):
        if dicom.is_dataset(source):
            return dicom.decode_dataset(source)
        if hasattr(source, "__array__") and not hasattr(source, "read"):
            return arrays.decode_foreign(source), ()
    data = _content(source)
    return dicom.decode(data) if dicom.recognises(data) else raster.decode(data)


def pixel_count(data: bytes) -> int:
    """The pixels that the file with this content says to have; 0 where that cannot be told.

    Nothing is decoded. A DICOM file that is packed as a whole counts as the largest.
    """
    return image_size.pixels(data)


def _content(source: object) -> bytes:
    """The whole content of ``source``: a path, bytes, or a binary file (left open).

    Raises ``ImageError`` where it cannot be read, is empty, or exceeds ``MAX_FILE_BYTES``.
    """
    if isinstance(source, bytes | bytearray | memoryview):
        data = bytes(source)
    elif isinstance(source, str | os.PathLike):
        data = _of_path(_path(source))
    elif hasattr(source, "read"):
        data = _of_file(cast(BinaryIO, source))
    else:
        more = "; predict_many takes several" if isinstance(source, list | tuple) else ""
        raise ImageError(
            f"no film in a {type(source).__name__}: give a path, the bytes of a file, "
            f"a binary file, a Pillow image or a numpy array{more}"
        )
    if not data:
        was_read = hasattr(source, "read")
        advice = "or was it read before: seek(0)?" if was_read else "export or copy it again"
        raise ImageError(f"the file is empty: {advice}")
    return data


def _path(source: str | os.PathLike[str]) -> Path:
    text = os.fspath(source)
    scheme, found, _ = str(text).partition("://")
    if found and scheme.isalnum():
        # A server's address where the film should be, or the film's on the web.
        raise ImageError("an address, not a file: give the film's path, or download it first")
    return Path(os.fsdecode(text))


def _of_path(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return _of_file(file)
    except IsADirectoryError:
        raise ImageError("a folder, not a film: give a file in it") from None
    except FileNotFoundError:
        raise ImageError("no such file: check the path") from None
    except PermissionError:
        raise ImageError("no permission to read it: change the file's mode or owner") from None
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise ImageError(f"cannot be read ({reason}): check the path") from None


def _of_file(file: BinaryIO) -> bytes:
    pieces: list[bytes] = []
    left = file_checks.MAX_FILE_BYTES + 1
    # A raw stream, such as a socket's, may give less than asked for and go on.
    while left > 0 and (piece := _piece(file, left)):
        pieces.append(piece)
        left -= len(piece)
    if left <= 0:
        limit = file_checks.MAX_FILE_BYTES // (1024 * 1024)
        raise ImageError(f"larger than {limit} MiB: export one film as PNG or JPEG")
    return pieces[0] if len(pieces) == 1 else b"".join(pieces)


def _piece(file: BinaryIO, most: int) -> bytes:
    try:
        piece: object = file.read(most)
    except Exception as error:  # noqa: BLE001 - an application's own stream raises anything
        reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
        raise ImageError(f"cannot be read ({reason}): open it again") from None
    if isinstance(piece, bytes | bytearray | memoryview):
        return bytes(piece)
    if inspect.isawaitable(piece):
        if inspect.iscoroutine(piece):
            piece.close()
        raise ImageError(
            "its read() is asynchronous: give the bytes, await file.read(), "
            "or an UploadFile's .file"
        )
    if piece is None:
        raise ImageError("the stream has nothing yet, it does not block: give one that waits")
    raise ImageError('the file is open as text: open it in binary mode, open(path, "rb")')
