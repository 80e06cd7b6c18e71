"""Pods asked: which releases they have, and whether they answer as a release does."""

from __future__ import annotations

from pathlib import Path

from neumo import Models, contract
from neumo.errors import ConfigError, NeumoError
from neumo.model_status import ready_releases
from neumo.verification import ManifestFile, Verdict, verify
from neumo_k8s.observed_cluster import ObservedPod
from neumo_k8s.pod_reach import PodReach
from neumo_k8s.rollout_actions import Finding, Outcome

WAIT_S = 10.0
"""How long a model may still be loading in a pod that is ready."""
_STATUS_S = 5.0
_MEMBERS = tuple(member.name for member in contract.MEMBERS)
_OUTCOMES = {
    Verdict.GOOD: Outcome.GOOD,
    Verdict.BAD: Outcome.BAD,
    Verdict.CANNOT_TELL: Outcome.CANNOT_TELL,
}


class PodAnswers:
    """Asks the pods of a namespace. ``manifests`` is where releases' manifests lie."""

    def __init__(self, reach: PodReach, manifests: Path | None) -> None:
        self._reach = reach
        self._manifests = manifests

    def manifest(self, release: int, against: int | None) -> ManifestFile:
        """The manifest of ``release``; ``ConfigError`` where there is none to judge by."""
        return ManifestFile.find(release, against, self._manifests)

    def releases(self, pod: ObservedPod) -> tuple[int, ...] | None:
        """What every member is AVAILABLE at, newest first; None where the pod does not answer."""
        if not pod.ip:
            return None
        try:
            with (
                self._reach.address(pod.name, pod.ip, pod.port) as at,
                Models(f"grpc://{at}", timeout=_STATUS_S, retries=0) as models,
            ):
                said = [models.status(name) for name in _MEMBERS]
        except (NeumoError, OSError):
            return None
        return tuple(ready_releases(said, _MEMBERS))

    def verify(
        self, pod: ObservedPod, release: int, against: int | None, wait_s: float = WAIT_S
    ) -> Finding:
        """What ``neumo verify`` says of ``pod``."""
        try:
            held = self.manifest(release, against)
            with self._reach.address(pod.name, pod.ip, pod.port) as at:
                report = verify([f"grpc://{at}"], held, wait_s=wait_s)
        except (ConfigError, OSError) as error:
            return Finding(Outcome.CANNOT_TELL, str(error))
        remarks = [*report.faults, *report.unknown]
        if remarks:
            more = f" (and {len(remarks) - 1} more)" if len(remarks) > 1 else ""
            return Finding(_OUTCOMES[report.verdict], remarks[0].line + more)
        ratios = [f"{p.what} {p.median_ratio:.2f} x" for p in report.paces]
        text = f"answers as release {release} does" + (f"; {', '.join(ratios)}" if ratios else "")
        return Finding(Outcome.GOOD, text)
