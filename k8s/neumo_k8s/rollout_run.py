"""A rollout driven: look, decide, write, do; again until it ends or pauses."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Protocol

from neumo_k8s.cluster_errors import (
    ClusterAway,
    ClusterError,
    Conflict,
    CredentialsRefused,
    LeaseHeld,
)
from neumo_k8s.decision import GO_ON, PAUSED, UNDO, Decision, decide, learn
from neumo_k8s.journal import Journal, Step
from neumo_k8s.observed_cluster import ObservedCluster, ObservedPod
from neumo_k8s.rollout_actions import (
    Action,
    AskPod,
    AskWhy,
    CloseCanary,
    Finding,
    Outcome,
    ReadShadow,
    SetCanary,
    SetStable,
    SetTraffic,
    WriteAudit,
)

POLL_S = 2.0
AWAY_S = 20.0
"""How long the API server is waited for before the command pauses."""


class Hands(Protocol):
    """What changes the cluster, or has a person change it."""

    def set_canary(self, image: str, release: int) -> None:
        """One pod of ``image``."""

    def close_canary(self) -> None:
        """No pod."""

    def set_traffic(self, pod: str, *, on: bool) -> None:
        """Users for ``pod``, or none."""

    def set_stable(self, image: str, release: int, instead_of: str) -> None:
        """``image`` for stable."""

    def write_overlay(self, image: str, release: int) -> None:
        """``image`` in the overlay."""


class Eyes(Protocol):
    """What looks at the cluster and at its pods."""

    def observe(self) -> ObservedCluster:
        """The cluster as it is."""

    def verify(self, pod: ObservedPod, release: int, against: int | None) -> Finding:
        """What ``pod`` answers."""

    def why(self, pod: ObservedPod, release: int) -> Finding:
        """What keeps ``pod`` from being ready."""

    def shadow(self, release: int, against: int) -> Finding:
        """What the shadows have seen."""


class Notes(Protocol):
    """What is written and said of a rollout."""

    def write(self, journal: Journal) -> None:
        """The journal."""

    def audit(self, journal: Journal) -> None:
        """The journal of a rollout that ended."""

    def say(self, journal: Journal, line: str) -> None:
        """A line for people."""

    def announce(self, journal: Journal, reason: str, line: str) -> None:
        """A step or an end, for whoever lists the cluster's events."""


@dataclass(frozen=True, slots=True)
class Ending:
    """How a command ended: its exit status, why, and the command that goes on."""

    status: int
    line: str
    command: str
    journal: Journal


class RolloutRun:
    """Drives one rollout. ``check`` raises ``LeaseHeld`` where somebody else is at work by now."""

    def __init__(
        self,
        eyes: Eyes,
        hands: Hands,
        notes: Notes,
        check: Callable[[], None],
        now: Callable[[], float] = time.time,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._eyes, self._hands, self._notes, self._check = eyes, hands, notes, check
        self._now, self._sleep = now, sleep

    def go(self, journal: Journal) -> Ending:
        """Go on from ``journal`` until it ends, or cannot go on by itself."""
        away_since: float | None = None
        while True:
            try:
                journal, ending = self._turn(journal)
                away_since = None
            except LeaseHeld as error:
                return Ending(PAUSED, str(error), "neumo rollout status", journal)
            except (ClusterAway, Conflict) as error:
                away_since = away_since or self._now()
                if self._now() - away_since > AWAY_S:
                    return self._paused(journal, str(error))
                self._notes.say(journal, f"{error}; asking again")
                self._sleep(POLL_S)
                continue
            except CredentialsRefused as error:
                return self._paused(journal, str(error))
            except ClusterError as error:
                return self._paused(journal, str(error))
            if ending:
                return ending

    def _paused(self, journal: Journal, line: str) -> Ending:
        command = UNDO if journal.step is Step.UNDO else GO_ON
        return Ending(PAUSED, line, command, journal)

    def _turn(self, journal: Journal) -> tuple[Journal, Ending | None]:
        self._check()
        decision = decide(self._eyes.observe(), journal, self._now())
        if decision.deed_first and decision.action is not None:
            self._do(decision.action, decision.journal)
        before, journal = journal, self._write(journal, decision)
        if decision.status is not None:
            if decision.journal != before:
                self._notes.announce(journal, "Paused", f"{decision.line}: {decision.command}")
            return journal, Ending(decision.status, decision.line, decision.command, journal)
        if decision.action is not None and not decision.deed_first:
            self._check()
            found = self._do(decision.action, journal)
            if found is not None and isinstance(decision.action, AskPod | AskWhy | ReadShadow):
                journal = self._learnt(journal, decision.action, found)
        if decision.wait:
            self._notes.say(journal, f"waits for {decision.wait}")
            self._sleep(POLL_S)
        return journal, None

    def _learnt(
        self, journal: Journal, action: AskPod | AskWhy | ReadShadow, found: Finding
    ) -> Journal:
        learnt = learn(journal, action, found, self._now())
        if found.outcome is Outcome.CANNOT_TELL and isinstance(action, ReadShadow):
            # Asked every few seconds: only what it came to is worth a line in the audit.
            learnt = replace(learnt, gates=journal.gates)
        if learnt == journal:
            return journal
        subject = "shadow" if isinstance(action, ReadShadow) else action.pod.name
        self._notes.say(learnt, f"{subject}: {found.outcome}: {found.text}")
        return self._write(journal, Decision(learnt))

    def _write(self, before: Journal, decision: Decision) -> Journal:
        after = decision.journal
        if after == before:
            return after
        self._notes.write(after)
        if after.step is not before.step:
            what = f"{before.step} done" if after.step is not Step.UNDO else f"undo: {after.why}"
            self._notes.announce(after, _REASONS.get(after.step, "Step"), what)
        return after

    def _do(self, action: Action, journal: Journal) -> Finding | None:
        hands = self._hands
        if isinstance(action, AskPod):
            return self._eyes.verify(action.pod, action.release, action.against)
        if isinstance(action, AskWhy):
            return self._eyes.why(action.pod, action.release)
        if isinstance(action, ReadShadow):
            return self._eyes.shadow(action.release, action.against)
        if isinstance(action, SetCanary):
            hands.set_canary(action.image, action.release)
        elif isinstance(action, CloseCanary):
            hands.close_canary()
        elif isinstance(action, SetTraffic):
            hands.set_traffic(action.pod.name, on=action.on)
        elif isinstance(action, SetStable):
            hands.set_stable(action.image, action.release, action.instead_of)
        elif isinstance(action, WriteAudit):
            self._notes.audit(journal)
        else:
            hands.write_overlay(action.image, action.release)
        return None


_REASONS = {
    Step.UNDO: "Stopped",
    Step.UNDONE: "Undone",
    Step.FINISHED: "RolledOut",
    Step.PROMOTE: "Promoted",
    Step.ADMIT: "Admitted",
}
