"""A program of its own, which decodes one frame by gdcm: see ``gdcm_process``.

``python gdcm_program.py FOLDER ROWS COLUMNS SAMPLES ALLOCATED STORED PHOTOMETRIC SYNTAX`` reads the
frame from stdin and writes its stored values to stdout. It imports nothing but gdcm, from FOLDER.
"""

from __future__ import annotations

import sys
from typing import Any


def decoded(frame: bytes, sizes: tuple[int, ...], photometric: str, syntax: str) -> bytes:
    """The stored values, in the machine's order; ``sizes`` are the five numbers above.

    Raises what gdcm does on damaged bytes.
    """
    import gdcm  # noqa: PLC0415 - only where a film needs it

    rows, columns, samples, allocated, stored = sizes
    fragment = gdcm.Fragment()
    fragment.SetByteStringValue(frame)
    fragments = gdcm.SequenceOfFragments.New()
    fragments.AddFragment(fragment)
    element = gdcm.DataElement(gdcm.Tag(0x7FE0, 0x0010))
    element.SetValue(fragments.__ref__())
    picture = gdcm.Image()
    picture.SetNumberOfDimensions(2)
    picture.SetDimensions((columns, rows, 1))
    picture.SetDataElement(element)
    kind = gdcm.PhotometricInterpretation.GetPIType(photometric)
    picture.SetPhotometricInterpretation(gdcm.PhotometricInterpretation(kind))
    picture.SetTransferSyntax(gdcm.TransferSyntax(gdcm.TransferSyntax.GetTSType(syntax)))
    picture.SetPixelFormat(gdcm.PixelFormat(samples, allocated, stored, stored - 1, 0))
    # gdcm's wrapper gives the bytes as text.
    buffer: Any = picture.GetBuffer()
    values: bytes = buffer.encode("utf-8", "surrogateescape")
    return values


def main() -> None:
    """Decode; whatever gdcm raises ends the program with 1."""
    folder, *numbers, photometric, syntax = sys.argv[1:]
    sys.path.insert(0, folder)
    sizes = tuple(int(number) for number in numbers)
    sys.stdout.buffer.write(decoded(sys.stdin.buffer.read(), sizes, photometric, syntax))


if __name__ == "__main__":
    main()
