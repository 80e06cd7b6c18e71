"""What looks at the cluster, its pods and its gateways."""

from __future__ import annotations

from dataclasses import replace

from neumo_k8s import preflight, shadow_answers
from neumo_k8s.journal import Journal
from neumo_k8s.kubernetes_calls import KubernetesCalls
from neumo_k8s.observed_cluster import ObservedCluster, ObservedDeployment, ObservedPod
from neumo_k8s.pod_answers import PodAnswers
from neumo_k8s.pod_reach import PodReach
from neumo_k8s.rollout_actions import Finding


class RolloutEyes:
    """Looks at one namespace."""

    def __init__(self, calls: KubernetesCalls, reach: PodReach, answers: PodAnswers) -> None:
        self._calls, self._reach, self.answers = calls, reach, answers

    def observe(self) -> ObservedCluster:
        """The cluster as it is."""
        return self._calls.observe()

    def asked(self) -> ObservedCluster:
        """The same, with what each pod that is ready says it has."""
        seen = self._calls.observe()
        canary = seen.canary and self._asked(seen.canary)
        return replace(seen, stable=self._asked(seen.stable), canary=canary)

    def checked(
        self, seen: ObservedCluster, journal: Journal, *, writes: bool
    ) -> tuple[preflight.Check, ...]:
        """The preflight of ``journal``, with all that only it asks for.

        ``writes`` is whether the Deployments will be written, and so are dry-run.
        """
        denied = self._calls.denied()
        tried = writes and not denied and seen.canary is not None
        refused = self._refused(seen, journal) if tried else ()
        return preflight.checks(
            replace(seen, **self._calls.limits(), denied=denied, refused=refused), journal
        )

    def verify(self, pod: ObservedPod, release: int, against: int | None) -> Finding:
        """What ``pod`` answers."""
        return self.answers.verify(pod, release, against)

    def why(self, pod: ObservedPod, release: int) -> Finding:
        """What keeps ``pod`` from being ready."""
        return self.answers.verify(pod, release, None, wait_s=0.0)

    def shadow(self, release: int, against: int) -> Finding:
        """What the gateways' shadows have seen, together."""
        gateways = self._calls.gateways()
        return shadow_answers.read(gateways, self._reach.address, release, against)

    def _refused(self, seen: ObservedCluster, journal: Journal) -> tuple[str, ...]:
        return self._calls.refused(journal.to_image, journal.release, seen.stable.image)

    def _asked(self, one: ObservedDeployment) -> ObservedDeployment:
        pods = tuple(
            replace(pod, releases=self.answers.releases(pod)) if pod.ready else pod
            for pod in one.pods
        )
        return replace(one, pods=pods)
