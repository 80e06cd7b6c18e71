"""What a verification found, and what may be concluded."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any

SCHEMA = 1
"""Of ``Report.document``: counted up where a field goes or means something else, not for more."""


class Verdict(StrEnum):
    """What a verification came to; only ``GOOD`` lets a release pass."""

    GOOD = "good"
    BAD = "bad"
    CANNOT_TELL = "cannot tell"


class Check(StrEnum):
    """What was looked at."""

    SERVER = "server"
    """Whether it answers at all."""
    AVAILABLE = "available"
    """Whether the models of the release are AVAILABLE at it."""
    IN_COMMON = "in_common"
    """The same of the release that it is held against."""
    MODELS = "models"
    """Whether a model is there that the manifest lacks, as ``lungs``, or unknown to this neumo."""
    SIGNATURES = "signatures"
    """Names, dtypes and shapes of what is asked and answered."""
    ANSWERS = "answers"
    """The golden answers."""
    THRESHOLD = "threshold"
    """The threshold that travels with the weights, which clients decide by."""
    RELEASE = "release"
    """The release that the weights say they are of."""
    HEATMAP = "heatmap"
    """Heat maps: their form, and what the manifest records of them."""
    REFUSALS = "refusals"
    """Whether what is no chest is refused."""
    LATENCY = "latency"
    """How long one film takes, against the other release."""
    LOAD = "load"
    """How long several films at a time take, so what they cost the processor."""


@dataclass(frozen=True, slots=True)
class Remark:
    """One thing that is wrong, or could not be told, with what to do about it.

    ``server`` is the URL; ``model`` is '' where it concerns all of them.
    """

    server: str
    check: Check
    model: str
    text: str

    @property
    def line(self) -> str:
        """The remark as one line."""
        where = f"{self.server}, {self.model}" if self.model else self.server
        return f"{where}: {' '.join(self.text.split())}"


@dataclass(frozen=True, slots=True)
class Pace:
    """How long ``server`` took for the same films, asked of both releases in turns.

    ``what`` is "predict" or "explain": every model's call of one film together, as the SDK makes
    them; ``films`` is how many at a time. ``rounds`` is how often each release was asked. The
    seconds are medians; ``median_ratio`` is the median of each round's ratio, and ``p99_ratio``
    that of the 99th percentiles. ``is_slower`` is None where they do not tell.
    """

    server: str
    what: str
    films: int
    rounds: int
    seconds: float
    against_seconds: float
    median_ratio: float
    p99_ratio: float
    is_slower: bool | None


@dataclass(frozen=True, slots=True)
class Report:
    """What was found of ``release`` at ``servers``.

    ``manifest`` is the path of the manifest that it was judged by, ``manifest_sha256`` the file's,
    ``weights_sha256`` that of ``neumo.release.weights_sha256``. ``faults`` are wrong, ``unknown``
    could not be told, and ``notes`` were not looked at: none of them is a fault.
    """

    release: int
    against: int | None
    manifest: str
    manifest_sha256: str
    weights_sha256: str
    servers: tuple[str, ...]
    faults: tuple[Remark, ...] = ()
    unknown: tuple[Remark, ...] = ()
    notes: tuple[str, ...] = ()
    paces: tuple[Pace, ...] = field(default=())

    @property
    def verdict(self) -> Verdict:
        """``BAD`` for any fault, ``CANNOT_TELL`` for anything unknown, ``GOOD`` else."""
        if self.faults:
            return Verdict.BAD
        return Verdict.CANNOT_TELL if self.unknown else Verdict.GOOD

    def document(self) -> dict[str, Any]:
        """The report as JSON takes it."""
        return {
            "schema": SCHEMA,
            "verdict": self.verdict.value,
            **asdict(self),
        }
