"""What a decision may ask to be done, and what comes back of it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias

from neumo_k8s.observed_cluster import ObservedPod


class Outcome(StrEnum):
    """What a look at the release came to. Only ``GOOD`` lets it pass."""

    GOOD = "good"
    BAD = "bad"
    CANNOT_TELL = "cannot tell"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True)
class Finding:
    """An outcome, why in one line, and what was looked at by how many films where that counts."""

    outcome: Outcome
    text: str


@dataclass(frozen=True, slots=True)
class SetCanary:
    """One pod of ``image``, which is of ``release``, in the canary."""

    image: str
    release: int


@dataclass(frozen=True, slots=True)
class CloseCanary:
    """No pod in the canary."""


@dataclass(frozen=True, slots=True)
class SetTraffic:
    """Users for ``pod``, or none any more."""

    pod: ObservedPod
    on: bool


@dataclass(frozen=True, slots=True)
class SetStable:
    """``image``, which is of ``release``, in stable, where ``instead_of`` is now."""

    image: str
    release: int
    instead_of: str


@dataclass(frozen=True, slots=True)
class AskPod:
    """``pod`` verified to answer as ``release`` does, timed against ``against`` if there is one."""

    pod: ObservedPod
    release: int
    against: int | None


@dataclass(frozen=True, slots=True)
class AskWhy:
    """``pod``, which is late to be ready, asked whether a model of ``release`` will never load."""

    pod: ObservedPod
    release: int


@dataclass(frozen=True, slots=True)
class ReadShadow:
    """What the gateways' shadow says of ``release`` beside ``against``."""

    release: int
    against: int


@dataclass(frozen=True, slots=True)
class WriteOverlay:
    """``image`` of ``release`` written into the overlay, so that the next apply changes nothing."""

    image: str
    release: int


@dataclass(frozen=True, slots=True)
class WriteAudit:
    """The rollout's line in the audit."""


Action: TypeAlias = (
    SetCanary
    | CloseCanary
    | SetTraffic
    | SetStable
    | AskPod
    | AskWhy
    | ReadShadow
    | WriteOverlay
    | WriteAudit
)
