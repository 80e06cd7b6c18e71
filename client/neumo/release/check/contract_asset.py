"""Whether the contract that lies in a version is the contract, for this model and release."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from neumo import contract

_NAMED = ("model", "release", "labels", "positive", "image")


def findings(folder: Path, model: contract.Model, number: int, version: str) -> Iterator[str]:
    """What is wrong with ``folder``'s ``contract.json``; ``version`` is the manifest's contract."""
    path = folder / contract.CONTRACT_ASSET
    try:
        found = json.loads(path.read_text(encoding="utf-8-sig"))
        written = str(found["contract"])
        signatures = {**found["signatures"]}
    except (OSError, ValueError, KeyError, TypeError) as error:
        kind = type(error).__name__
        yield f"{contract.CONTRACT_ASSET} is missing or not a contract ({kind})"
        return
    if written != version:
        yield f"{contract.CONTRACT_ASSET} is of contract {written}, the manifest of {version}"
        return
    minor = contract.minor_of(version)
    expected = json.loads(contract.to_json(contract.at(model, minor), number))
    for key in _NAMED:
        if found.get(key) != expected[key]:
            yield f"{contract.CONTRACT_ASSET} says {key} {found.get(key)!r}, not {expected[key]!r}"
    yield from _in_signatures(signatures, expected["signatures"], minor)


def _in_signatures(found: dict[str, Any], expected: dict[str, Any], minor: int) -> Iterator[str]:
    for name, tensors in expected.items():
        if not _holds(found.get(name), tensors, minor):
            yield f"{contract.CONTRACT_ASSET} describes signature {name} otherwise or not at all"
    if minor > contract.CONTRACT_MINOR:
        return
    for name in sorted(found.keys() - expected.keys()):
        yield f"{contract.CONTRACT_ASSET} describes signature {name}, which its contract lacks"


def _holds(found: object, expected: dict[str, Any], minor: int) -> bool:
    """Whether ``found`` has the ``expected`` tensors, and others only of a later minor."""
    if minor <= contract.CONTRACT_MINOR or not isinstance(found, dict):
        return bool(found == expected)
    return all(
        isinstance(found.get(role), dict) and found[role].get(name) == tensor
        for role, tensors in expected.items()
        for name, tensor in tensors.items()
    )
