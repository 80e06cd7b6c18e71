"""Lists of strings in one block of bytes: their lengths as varints, then the strings.

Source: ``EncodeStringList`` in TensorFlow's ``core/platform/tensor_coding.cc``.
"""

from __future__ import annotations

from collections.abc import Sequence

_MORE = 0x80
"""The bit that says that another byte follows."""
_BITS = 7
_MAX_VARINT_BYTES = 5
"""Lengths have 32 bits: more bytes than this are no length, whatever they say."""


def encode(texts: Sequence[bytes]) -> bytes:
    """``texts`` in one block."""
    return b"".join([*(varint(len(text)) for text in texts), *texts])


def decode(block: bytes, count: int) -> list[bytes]:
    """The ``count`` strings in ``block``; raises ``ValueError`` where it holds anything else."""
    lengths = []
    position = 0
    for _ in range(count):
        length, position = _read_varint(block, position)
        lengths.append(length)
    # Before anything is cut: lengths may claim more than there is.
    if position + sum(lengths) != len(block):
        raise ValueError(len(block))
    texts = []
    for length in lengths:
        texts.append(block[position : position + length])
        position += length
    return texts


def varint(number: int) -> bytes:
    """A whole number as protobuf writes it, too: seven bits a byte, the lowest first."""
    out = bytearray()
    while number >= _MORE:
        out.append(number & (_MORE - 1) | _MORE)
        number >>= _BITS
    out.append(number)
    return bytes(out)


def _read_varint(block: bytes, position: int) -> tuple[int, int]:
    length = 0
    for place, byte in enumerate(block[position : position + _MAX_VARINT_BYTES]):
        length |= (byte & (_MORE - 1)) << (_BITS * place)
        if byte < _MORE:
            return length, position + place + 1
    raise ValueError(position)
