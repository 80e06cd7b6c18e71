"""What a server says of a model: its versions and their states."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum


class VersionState(StrEnum):
    """TensorFlow Serving's states of a version, in the order of its life."""

    UNKNOWN = "UNKNOWN"
    START = "START"
    LOADING = "LOADING"
    AVAILABLE = "AVAILABLE"
    UNLOADING = "UNLOADING"
    END = "END"


@dataclass(frozen=True, slots=True)
class VersionStatus:
    """One version of a model; ``error`` says why it failed, and is empty otherwise."""

    version: int
    state: VersionState
    error: str

    @property
    def ready(self) -> bool:
        """Whether the version answers requests."""
        return self.state is VersionState.AVAILABLE


@dataclass(frozen=True, slots=True)
class ModelStatus:
    """Every version of a model that a server knows, newest first."""

    model: str
    versions: tuple[VersionStatus, ...]


def ready_releases(models: Sequence[ModelStatus], members: Iterable[str]) -> list[int]:
    """The releases that every one of ``members`` can answer from now, newest first."""
    ready = {m.model: {v.version for v in m.versions if v.ready} for m in models}
    common = set.intersection(*(ready.get(member, set()) for member in members))
    return sorted(common, reverse=True)
