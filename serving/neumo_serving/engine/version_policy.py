"""Which versions of a model are wanted, and which may go. Pure, but for listing a folder."""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from pathlib import Path

MAX_VERSION = 2**63 - 1
"""Versions are 64-bit numbers on the wire."""


@dataclass(frozen=True, slots=True)
class Latest:
    """The ``num_versions`` highest versions."""

    num_versions: int = 1


@dataclass(frozen=True, slots=True)
class All:
    """Every version."""


@dataclass(frozen=True, slots=True)
class Specific:
    """The versions named, where they are there."""

    versions: tuple[int, ...]


Policy = Latest | All | Specific


@dataclass(frozen=True, slots=True)
class ModelConfig:
    """One model of a ``ModelServerConfig``."""

    name: str
    base_path: Path
    policy: Policy = Latest()
    labels: tuple[tuple[str, int], ...] = ()


def versions_in(base_path: Path) -> dict[int, Path]:
    """The version folders in ``base_path``, by number: ``00001`` is 1; other names are no versions.

    Raises ``OSError`` where the folder cannot be listed.
    """
    # 00001 and 1 are one version: of such twins the last by name counts, each time the same.
    return {
        int(path.name): path
        for path in sorted(base_path.iterdir())
        if _is_version(path.name) and path.is_dir()
    }


def _is_version(name: str) -> bool:
    # The length is looked at first: int() refuses texts of thousands of digits.
    is_number = name.isascii() and name.isdigit() and len(name) <= 255
    return is_number and int(name) <= MAX_VERSION


def wanted(policy: Policy, present: dict[int, Path]) -> dict[int, Path]:
    """What ``policy`` wants of the versions ``present``, highest first."""
    numbers = sorted(present, reverse=True)
    if isinstance(policy, Latest):
        numbers = numbers[: policy.num_versions]
    elif isinstance(policy, Specific):
        numbers = [number for number in numbers if number in policy.versions]
    return {number: present[number] for number in numbers}


def to_unload(wanted: AbstractSet[int], available: AbstractSet[int]) -> set[int]:
    """The versions that may go: never the last one that serves while a wanted one is to come.

    Source: ``core/availability_preserving_policy.cc``.
    """
    unwanted = available - wanted
    if not wanted or available & wanted:
        return set(unwanted)
    # All but the newest: it answers until a wanted one is AVAILABLE.
    return set(sorted(unwanted)[:-1])
