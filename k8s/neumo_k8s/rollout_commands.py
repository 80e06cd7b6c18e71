"""What each of the commands of ``neumo rollout`` does."""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TextIO

from neumo.errors import ConfigError
from neumo_k8s import rollout_report
from neumo_k8s.cluster_errors import ClusterError
from neumo_k8s.decision import DONE, GO_ON, PAUSED, STOPPED, UNDO
from neumo_k8s.image_reference import ImageReference, digest_of
from neumo_k8s.journal import Journal, Step, Terms
from neumo_k8s.journal_store import JournalStore
from neumo_k8s.kubernetes_calls import KubernetesCalls, connect
from neumo_k8s.observed_cluster import ObservedCluster
from neumo_k8s.operator_lease import NAME as LEASE
from neumo_k8s.operator_lease import OperatorLease, operator
from neumo_k8s.pod_answers import PodAnswers
from neumo_k8s.pod_reach import PodReach
from neumo_k8s.preflight import Check
from neumo_k8s.rollout_eyes import RolloutEyes
from neumo_k8s.rollout_hands import DirectHands, GitHands, engine
from neumo_k8s.rollout_notes import RolloutNotes
from neumo_k8s.rollout_run import Ending, RolloutRun


def run(chosen: argparse.Namespace) -> int:
    """The command that ``chosen`` names; its exit status."""
    try:
        return int(_COMMANDS[chosen.command](chosen, _Tools.of(chosen)))
    except ClusterError as error:
        return _end(chosen, Ending(PAUSED, str(error), "the same command", _NOTHING))


@dataclass(frozen=True, slots=True)
class _Tools:
    calls: KubernetesCalls
    store: JournalStore
    eyes: RolloutEyes

    @classmethod
    def of(cls, chosen: argparse.Namespace) -> _Tools:
        client = connect(chosen.context)
        calls = KubernetesCalls(client, chosen.namespace)
        reach = PodReach(client, chosen.namespace)
        manifests = Path(chosen.manifests) if chosen.manifests else None
        return cls(
            calls, JournalStore(calls), RolloutEyes(calls, reach, PodAnswers(reach, manifests))
        )


_NOTHING = Journal("", "", 0, 0, "", "", 0.0)


def _plan(chosen: argparse.Namespace, tools: _Tools) -> int:
    seen = tools.eyes.asked()
    checks = _checks(tools, seen, _begun(chosen, seen))
    return _show_checks(chosen, checks, show_good=True)


def _start(chosen: argparse.Namespace, tools: _Tools) -> int:
    with OperatorLease(tools.calls, operator(), _tell(chosen)) as lease:
        journal = tools.store.read()
        if journal is None or journal.ended:
            seen = tools.eyes.asked()
            journal = _begun(chosen, seen)
            status = _show_checks(chosen, _checks(tools, seen, journal), show_good=False)
            if status != DONE:
                return status
            tools.store.write(journal)
        elif _another(chosen, journal):
            raise ConfigError(
                f"release {journal.release} ({journal.to_image}) is at {journal.step}: go on with "
                f"`{GO_ON}` alone, or `{UNDO}` first"
            )
        return _drive(chosen, tools, lease, journal)


def _promote(chosen: argparse.Namespace, tools: _Tools) -> int:
    with OperatorLease(tools.calls, operator(), _tell(chosen)) as lease:
        journal = _open_one(tools)
        if journal.step is Step.HELD:
            journal = journal.judged("hold", "good", f"ended by {operator()}", time.time())
            journal = journal.at(Step.PROMOTE, time.time(), operator=operator())
        elif journal.step not in {Step.PROMOTE, Step.EVERY_POD, Step.BAKE, Step.CLOSE}:
            raise ConfigError(
                f"the rollout is at {journal.step}, and its gates are not passed: {GO_ON}"
            )
        return _drive(chosen, tools, lease, journal)


def _undo(chosen: argparse.Namespace, tools: _Tools) -> int:
    with OperatorLease(tools.calls, operator(), _tell(chosen)) as lease:
        journal = tools.store.read()
        if journal is None or journal.step is Step.UNDONE:
            raise ConfigError("no rollout to undo: neumo rollout audit shows those that were")
        if journal.step is not Step.UNDO:
            why = f"asked for by {operator()}"
            journal = journal.at(Step.UNDO, time.time(), why=why, asked=(), promoted=True)
        ending = _driven(chosen, tools, lease, journal)
        if ending.status == STOPPED:
            ending = replace(ending, status=DONE)
        return _end(chosen, ending)


def _status(chosen: argparse.Namespace, tools: _Tools) -> int:
    journal = tools.store.read()
    seen = tools.eyes.asked()
    shadow = None
    if journal is not None and not journal.ended and journal.terms.shadow_s is not None:
        shadow = tools.eyes.shadow(journal.release, journal.against)
    lease = tools.calls.read_lease(LEASE)
    holder = (lease or {}).get("spec", {}).get("holderIdentity") or ""
    if chosen.json:
        _print(json.dumps(rollout_report.status_document(seen, journal, shadow, holder), indent=1))
    else:
        for line in rollout_report.status_lines(seen, journal, shadow, holder, time.time()):
            _print(line)
    return PAUSED if journal is not None and journal.paused and not journal.ended else DONE


def _audit(chosen: argparse.Namespace, tools: _Tools) -> int:
    journals = tools.store.audit()
    if chosen.json:
        _print(json.dumps([asdict(one) for one in journals], indent=1))
    else:
        for line in rollout_report.audit_lines(journals, gates=chosen.gates):
            _print(line)
    return DONE


_COMMANDS = {
    "plan": _plan,
    "start": _start,
    "status": _status,
    "promote": _promote,
    "undo": _undo,
    "audit": _audit,
}


def _begun(chosen: argparse.Namespace, seen: ObservedCluster) -> Journal:
    """The journal of a new rollout."""
    if not chosen.image:
        raise ConfigError("no rollout to go on with: give IMAGE and --release N")
    tag = ImageReference.read(chosen.image).tag
    release = chosen.release or (int(tag) if tag.isdecimal() else None)
    if not release:
        raise ConfigError(f"{chosen.image} does not say its release: give --release N")
    served = [pod.releases[0] for pod in seen.stable.staying if pod.releases]
    digests = [digest_of(pod.image_id) for pod in seen.stable.staying]
    now = time.time()
    return Journal(
        name=datetime.fromtimestamp(now, UTC).strftime("%Y%m%dT%H%M%SZ"),
        operator=operator(),
        release=release,
        against=max(served, default=0),
        from_image=seen.stable.image,
        to_image=chosen.image,
        started=now,
        since=now,
        from_digest=digests[0] if len(set(digests)) == 1 else "",
        to_digest="",
        terms=Terms(
            load_s=chosen.load_within,
            shadow_s=None if chosen.without_shadow else chosen.shadow_within,
            admit_s=chosen.admit_for,
            bake_s=chosen.bake_for,
            hold=chosen.hold,
        ),
        overlay=str(Path(chosen.overlay).resolve()) if chosen.overlay else "",
    )


def _checks(tools: _Tools, seen: ObservedCluster, journal: Journal) -> tuple[Check, ...]:
    what = f"the manifest of release {journal.release}"
    try:
        held = tools.eyes.answers.manifest(journal.release, journal.against or None)
        manifest = Check(what, note=f"contract {held.manifest.contract}, {held.sha256[:12]}")
    except ConfigError as error:
        manifest = Check(what, str(error))
    who = engine(seen)
    git = Check("who applies stable", note=who or "a person")
    if who and not journal.overlay:
        git = Check("who applies stable", f"{who} does, so Git is edited: give --overlay FOLDER")
    return (manifest, git, *tools.eyes.checked(seen, journal, writes=not who))


def _another(chosen: argparse.Namespace, journal: Journal) -> bool:
    return bool(
        (chosen.image and chosen.image != journal.to_image)
        or (chosen.release and chosen.release != journal.release)
    )


def _open_one(tools: _Tools) -> Journal:
    journal = tools.store.read()
    if journal is None or journal.ended:
        raise ConfigError("no rollout is under way: neumo rollout start IMAGE --release N")
    return journal


def _drive(
    chosen: argparse.Namespace, tools: _Tools, lease: OperatorLease, journal: Journal
) -> int:
    return _end(chosen, _driven(chosen, tools, lease, journal))


def _driven(
    chosen: argparse.Namespace, tools: _Tools, lease: OperatorLease, journal: Journal
) -> Ending:
    tell = _tell(chosen)
    metrics = Path(chosen.metrics_file) if chosen.metrics_file else None
    notes = RolloutNotes(tools.calls, tools.store, tell, metrics)
    overlay = Path(journal.overlay) if journal.overlay else None
    who = engine(tools.eyes.observe())
    hands: DirectHands | GitHands = DirectHands(tools.calls, overlay, tell)
    if who and overlay is not None:
        hands = GitHands(tools.calls, overlay, tell, who)
    resumed = replace(journal, paused="", doubt="", operator=operator())
    tools.store.write(resumed)
    return RolloutRun(tools.eyes, hands, notes, lease.check).go(resumed)


def _show_checks(chosen: argparse.Namespace, checks: tuple[Check, ...], *, show_good: bool) -> int:
    faults = [one for one in checks if one.fault]
    if chosen.json and (show_good or faults):
        _print(json.dumps([asdict(one) for one in checks], indent=1))
        return STOPPED if faults else DONE
    for one in checks:
        if one.fault:
            _print(f"no   {one.what}: {one.fault}")
        elif show_good:
            _print(f"ok   {one.what}" + (f": {one.note}" if one.note else ""))
    if faults:
        _print(f"nothing was changed: {len(faults)} to mend first", sys.stderr)
    return STOPPED if faults else DONE


def _end(chosen: argparse.Namespace, ending: Ending) -> int:
    goes_on = f"; goes on: {ending.command}" if ending.command else ""
    kind = {DONE: "", STOPPED: "stopped: ", PAUSED: "paused: "}[ending.status]
    if chosen.json:
        document = {
            "status": ending.status,
            "line": ending.line,
            "go_on": ending.command,
            "rollout": asdict(ending.journal) if ending.journal is not _NOTHING else None,
        }
        _print(json.dumps(document, indent=1))
    else:
        _print(f"{kind}{ending.line}{goes_on}", sys.stderr if ending.status else sys.stdout)
    return ending.status


def _tell(chosen: argparse.Namespace) -> Callable[[str], None]:
    """Progress: to stderr where stdout is for a machine."""
    return lambda line: _print(line, sys.stderr if chosen.json else sys.stdout)


def _print(line: str, out: TextIO | None = None) -> None:
    (out or sys.stdout).write(f"{line}\n")
    (out or sys.stdout).flush()
