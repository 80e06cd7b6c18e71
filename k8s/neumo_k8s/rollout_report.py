"""A rollout shown: to people line by line, to machines as JSON."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from neumo_k8s.decision import GO_ON, PROMOTE, UNDO
from neumo_k8s.image_reference import digest_of
from neumo_k8s.journal import WAY, Journal, Step
from neumo_k8s.observed_cluster import ObservedCluster, ObservedDeployment
from neumo_k8s.rollout_actions import Finding

_SHORT = 19
"""Characters of a digest: sha256: and twelve."""


def status_lines(
    seen: ObservedCluster, journal: Journal | None, shadow: Finding | None, holder: str, now: float
) -> Iterator[str]:
    """What an operator wants to know, the most urgent first."""
    if journal is None:
        yield "no rollout yet: neumo rollout start IMAGE --release N"
    else:
        yield (
            f"release {journal.against} -> {journal.release}: {journal.step}, "
            f"since {_clock(journal.since)} ({now - journal.since:.0f} s)"
        )
        if journal.why:
            yield f"stopped: {journal.why}"
        if journal.paused:
            yield f"paused: {journal.paused}"
        if not journal.ended:
            yield f"next: {following(journal)}"
            at_work = f"{holder} is at work" if holder else "nobody is at work"
            yield f"{at_work}; goes on: {go_on(journal)}"
    for one in (seen.stable, seen.canary):
        if one is not None:
            yield from _deployment(one)
    if shadow is not None:
        yield f"canary beside stable: {shadow.outcome}: {shadow.text}"


def following(journal: Journal) -> str:
    """The step after ``journal``'s."""
    if journal.step is Step.UNDO:
        return str(Step.UNDONE)
    way = [step for step in WAY if step is not Step.HELD or journal.terms.hold]
    return str(way[way.index(journal.step) + 1])


def go_on(journal: Journal) -> str:
    """The command that goes on."""
    return {Step.UNDO: UNDO, Step.HELD: f"{PROMOTE}, or {UNDO}"}.get(journal.step, GO_ON)


def status_document(
    seen: ObservedCluster, journal: Journal | None, shadow: Finding | None, holder: str
) -> dict[str, Any]:
    """The same for machines."""
    return {
        "schema": 1,
        "namespace": seen.namespace,
        "operator": holder,
        "rollout": journal and {**asdict(journal), "next": None, **_next(journal)},
        "stable": asdict(seen.stable),
        "canary": seen.canary and asdict(seen.canary),
        "shadow": shadow and asdict(shadow),
    }


def audit_lines(journals: Sequence[Journal], *, gates: bool) -> Iterator[str]:
    """A line for each rollout that ended; with ``gates`` each of its judgements, too."""
    for one in journals:
        digests = f"{_digest(one.from_digest)} -> {_digest(one.to_digest)}"
        yield (
            f"{_date(one.started)}  {one.name}  release {one.against} -> {one.release}  {digests}"
            f"  {one.step}  {one.operator}" + (f"  {one.why}" if one.why else "")
        )
        if gates:
            for gate in one.gates:
                line = f"  {_clock(gate.at)} {gate.step}, {gate.subject}: {gate.outcome}"
                yield f"{line}, {gate.by}: {gate.text}"


def _next(journal: Journal) -> dict[str, Any]:
    return {} if journal.ended else {"next": following(journal), "go_on": go_on(journal)}


def _deployment(one: ObservedDeployment) -> Iterator[str]:
    yield f"{one.name}: {one.available} of {one.replicas} available, {one.image}"
    for pod in one.pods:
        state = "leaving" if pod.leaving else "ready" if pod.ready else pod.waiting or "not ready"
        releases = ", ".join(map(str, pod.releases)) if pod.releases else "unknown"
        users = "users" if pod.traffic else "no users"
        yield (
            f"  {pod.name}  {state}  {users}  {_digest(digest_of(pod.image_id))}"
            f"  releases {releases}  restarts {pod.restarts}"
        )


def _digest(digest: str) -> str:
    return digest[:_SHORT] or "digest unknown"


def _clock(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%H:%M:%SZ")


def _date(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%MZ")
