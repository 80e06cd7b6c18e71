"""What is kept of a rollout in the cluster: enough to go on after a kill at any step."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from typing import Any

from neumo.errors import ConfigError

SCHEMA = 1


class Step(StrEnum):
    """Where a rollout is."""

    PREFLIGHT = "preflight"
    CANARY = "canary"
    VERIFY = "verify"
    SHADOW = "shadow"
    ADMIT = "admit"
    HELD = "held"
    PROMOTE = "promote"
    EVERY_POD = "every pod"
    BAKE = "bake"
    CLOSE = "close"
    FINISHED = "finished"
    UNDO = "undo"
    UNDONE = "undone"


WAY = tuple(Step)[: tuple(Step).index(Step.FINISHED) + 1]
"""The steps of a rollout that goes well, in order."""
ENDED = (Step.FINISHED, Step.UNDONE)


@dataclass(frozen=True, slots=True)
class Terms:
    """What ``start`` was told, kept so that going on asks for the same. Times in seconds.

    ``load_s`` is how long a pod may take from its container's start until it is ready: a release
    that takes longer is stopped within the minute. ``shadow_s`` is how long the shadow is waited
    for; None leaves it out. ``hold`` stops before ``promote``.
    """

    load_s: float = 50.0
    shadow_s: float | None = 900.0
    admit_s: float = 60.0
    bake_s: float = 120.0
    hold: bool = False


@dataclass(frozen=True, slots=True)
class Gate:
    """One judgement: at ``step``, of ``subject``, when and by whom, and what it came to."""

    step: Step
    subject: str
    outcome: str
    text: str
    at: float
    by: str


@dataclass(frozen=True, slots=True)
class Journal:
    """A rollout. Images are as the Deployment names them, digests as the kubelet does.

    ``pod`` is the uid of the canary's pod that is looked at, ``asked`` the uids of the stable pods
    that were found good. ``promoted`` is whether stable was seen with the new image, so that one
    who sets it back can be told from a kill before it was set; ``written`` whether the overlay has
    the image. One line each: ``why`` it was stopped, the ``doubt`` that no look could dispel, and
    why it is ``paused``. ``opened`` is whether the canary was seen as it shall be, ``returns`` how
    often somebody changed that.
    """

    name: str
    operator: str
    release: int
    against: int
    from_image: str
    to_image: str
    started: float
    from_digest: str = ""
    to_digest: str = ""
    step: Step = Step.PREFLIGHT
    since: float = 0.0
    terms: Terms = Terms()
    pod: str = ""
    admitted: float | None = None
    promoted: bool = False
    asked: tuple[str, ...] = ()
    opened: bool = False
    returns: int = 0
    written: bool = False
    why: str = ""
    doubt: str = ""
    paused: str = ""
    overlay: str = ""
    gates: tuple[Gate, ...] = ()

    def at(self, step: Step, now: float, **changes: Any) -> Journal:  # noqa: ANN401 - fields
        """The journal with ``step`` begun at ``now``."""
        return replace(self, step=step, since=now, **changes)

    def judged(self, subject: str, outcome: str, text: str, now: float) -> Journal:
        """The journal with one more gate of its step."""
        gate = Gate(self.step, subject, outcome, " ".join(text.split()), now, self.operator)
        return replace(self, gates=(*self.gates, gate))

    @property
    def ended(self) -> bool:
        """Whether nothing more is to be done."""
        return self.step in ENDED

    def text(self) -> str:
        """The journal as it is written."""
        return json.dumps({"schema": SCHEMA, **asdict(self)}, indent=1)

    @classmethod
    def read(cls, text: str) -> Journal:
        """The journal that ``text`` is; ``ConfigError`` where it is none."""
        try:
            fields = json.loads(text)
            schema = fields.pop("schema")
            found = cls(**{**fields, **_typed(fields)})
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise ConfigError(f"the journal cannot be read ({error}): update neumo") from error
        if schema != SCHEMA:
            raise ConfigError(f"the journal is of another neumo (schema {schema}): update neumo")
        return found


def _typed(fields: Mapping[str, Any]) -> dict[str, Any]:
    gates = tuple(Gate(**{**gate, "step": Step(gate["step"])}) for gate in fields["gates"])
    return {
        "step": Step(fields["step"]),
        "terms": Terms(**fields["terms"]),
        "asked": tuple(fields["asked"]),
        "gates": gates,
    }
