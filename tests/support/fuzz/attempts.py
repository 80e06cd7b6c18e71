"""What the fuzzer sends, and what it accepts as an answer."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from random import Random
from typing import Any


@dataclass(frozen=True, slots=True)
class Call:
    """A gRPC call of raw bytes; ``compressed`` sends them with gzip."""

    kind: str
    method: str
    data: bytes
    compressed: bool = False


@dataclass(frozen=True, slots=True)
class Request:
    """An HTTP request that is well formed as such, whatever its path and body are."""

    kind: str
    method: str
    path: str
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Garbage:
    """Bytes on the REST port that need be no HTTP; a server may answer or hang up."""

    kind: str
    data: bytes


Attempt = Call | Request | Garbage
Maker = Callable[[Random], Attempt]


def mutated(rng: Random, data: bytes) -> bytes:
    """``data`` with a few bytes changed, cut out, doubled or added."""
    found = bytearray(data or b"\0")
    for _ in range(rng.randint(1, 8)):
        at = rng.randrange(len(found) or 1)
        change = rng.choice((_flip, _cut, _double, _insert, _truncate))
        change(rng, found, at)
        if not found:
            found.append(0)
    return bytes(found)


def _flip(rng: Random, data: bytearray, at: int) -> None:
    data[at] ^= 1 << rng.randrange(8)


def _cut(rng: Random, data: bytearray, at: int) -> None:
    del data[at : at + rng.randint(1, 16)]


def _double(rng: Random, data: bytearray, at: int) -> None:
    piece = data[at : at + rng.randint(1, 64)]
    data[at:at] = piece * rng.randint(1, 4)


def _insert(rng: Random, data: bytearray, at: int) -> None:
    data[at:at] = rng.randbytes(rng.randint(1, 16))


def _truncate(_rng: Random, data: bytearray, at: int) -> None:
    del data[at:]


def weird_number(rng: Random) -> Any:
    """A number on the edge of some type, or beyond every type."""
    power = 2 ** rng.choice((7, 8, 15, 16, 24, 31, 32, 53, 63, 64, 1023))
    return rng.choice((0, -1, power, power - 1, -power, power + 1, 0.1, 1e308, -0.0))
