"""The bytes behind a path, a file or a buffer, within a limit."""

from __future__ import annotations

import os
from pathlib import Path
from typing import BinaryIO, cast

from neumo.errors import ImageError

MAX_FILE_BYTES = 512 * 1024 * 1024
"""No film is larger: 64 megapixels of 16-bit colour, uncompressed, are 384 MB."""


def content(source: object) -> bytes:
    """The whole content of ``source``: a path, bytes, or a binary file (left open).

    Raises ``ImageError`` where it cannot be read, is empty, or exceeds ``MAX_FILE_BYTES``.
    """
    if isinstance(source, bytes | bytearray | memoryview):
        data = bytes(source)
    elif isinstance(source, str | os.PathLike):
        data = _of_path(Path(source))
    elif hasattr(source, "read"):
        data = _of_file(cast(BinaryIO, source))
    else:
        raise ImageError(
            f"no film in a {type(source).__name__}: give a path, the bytes of a file, "
            "a binary file, a Pillow image or a numpy array"
        )
    if not data:
        raise ImageError("the file is empty: export or copy it again")
    return data


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
    data = file.read(MAX_FILE_BYTES + 1)
    if not isinstance(data, bytes):
        raise ImageError('the file is open as text: open it in binary mode, open(path, "rb")')
    if len(data) > MAX_FILE_BYTES:
        limit = MAX_FILE_BYTES // (1024 * 1024)
        raise ImageError(f"larger than {limit} MiB: export one film as PNG or JPEG")
    return data
