"""DICOM files to 8-bit images; needs pydicom (``pip install 'neumo[dicom]'``)."""

from __future__ import annotations

import importlib.util
import logging
import sys
import threading
from collections.abc import Callable
from typing import Any, TypeAlias

from PIL import Image

from neumo._images import file_checks
from neumo._images.file_checks import MAGIC, PREAMBLE_BYTES, quiet, recognises
from neumo.cautions import Caution
from neumo.errors import ImageError

__all__ = ["MAGIC", "PREAMBLE_BYTES", "decode", "decode_dataset", "is_dataset", "recognises"]

_Decoded: TypeAlias = tuple[Image.Image, tuple[Caution, ...]]

_import_lock = threading.Lock()


def decode(data: bytes) -> _Decoded:
    """The 8-bit image in the DICOM file whose content is ``data``, and what to know about it.

    The first frame, white where X-rays were stopped: MONOCHROME1 is inverted, modality and VOI
    transformations are applied as ``neumo._images.dicom.windowing`` says, colours are RGB, padding
    is black. Where the header and the pixels cannot both be true, the pixels are believed, and a
    caution says so. Raises ``ImageError`` where pydicom is not installed, or no image can be read.
    """
    return _with_decoder(lambda decoder: decoder.decode(data))


def decode_dataset(dataset: object) -> _Decoded:
    """As ``decode``, of a pydicom ``Dataset``, which is not changed."""
    return _with_decoder(lambda decoder: decoder.decode_dataset(dataset))


def is_dataset(source: object) -> bool:
    """Whether ``source`` is a pydicom ``Dataset``; pydicom is not imported to tell."""
    pydicom = sys.modules.get("pydicom")
    return pydicom is not None and isinstance(source, pydicom.Dataset)


def _with_decoder(work: Callable[[Any], _Decoded]) -> _Decoded:
    if importlib.util.find_spec("pydicom") is None:
        raise ImageError("a DICOM file needs one more package: pip install 'neumo[dicom]'")
    try:
        with quiet():
            return work(loaded_decoder())
    except ImageError:
        raise
    except Exception:  # noqa: BLE001 - decoders raise anything on damaged bytes
        # Without the cause, whose text may quote an element of the file.
        raise ImageError("a damaged DICOM file: export it again") from None


def loaded_decoder() -> Any:  # noqa: ANN401 - a module
    """The decoder's module, imported so that pydicom leaves the application's logging as it is."""
    name = "neumo._images.dicom.decoder"
    with _import_lock:
        if name not in sys.modules:
            logger = logging.getLogger("pydicom")
            level = logger.level
            is_new = "pydicom" not in sys.modules
            from neumo._images.dicom import decoder  # noqa: PLC0415 - pydicom is an extra, and slow

            if is_new:
                logger.setLevel(level)  # pydicom.config sets it, whatever it was
            file_checks.silence("pydicom")
            return decoder
    return sys.modules[name]
