"""A cluster played in memory, with the clock in hand: what Kubernetes does with two Deployments.

The pods of a release do what their image says: ``Release(...)``. One turn of ``sleep`` is what the
controllers, the kubelet and the pods do in that time.
"""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from neumo_k8s.cluster_errors import ClusterAway
from neumo_k8s.journal import Journal, Terms
from neumo_k8s.observed_cluster import ObservedCluster, ObservedDeployment, ObservedPod
from neumo_k8s.rollout_actions import Finding, Outcome
from neumo_k8s.rollout_run import Ending, RolloutRun

GOOD = Finding(Outcome.GOOD, "as it should")
LOADING = Finding(Outcome.CANNOT_TELL, "still loading")
OLD, NEW = "registry/neumo:1@sha256:old", "registry/neumo:2@sha256:new"


@dataclass(frozen=True)
class Release:
    """How pods of an image behave. ``changes`` are what differs in each pod once it is up."""

    load_s: float = 6.0
    answers: Finding = GOOD
    why: Finding = LOADING
    changes: dict[str, object] = field(default_factory=dict)
    digest: str = ""


class PlayedCluster:
    """Eyes, hands and notes of a ``RolloutRun``; ``writes`` is all that was done, in order."""

    def __init__(self, images: dict[str, Release], replicas: int = 3) -> None:
        self.images = images
        self.now = 1_000_000.0
        self.writes: list[str] = []
        self.events: list[str] = []
        self.audited: list[Journal] = []
        self.kept: Journal | None = None
        self.away_until = 0.0
        self.shadow_says: Callable[[], Finding] = lambda: GOOD
        self.at: list[tuple[float, Callable[[], None]]] = []
        self.images_wanted = {"tfserving": OLD, "tfserving-canary": OLD}
        self.replicas = {"tfserving": replicas, "tfserving-canary": 0}
        self.stuck = ""
        self.failure = ""
        self.manager = "kubectl-client-side-apply"
        self._numbers = itertools.count()
        self.pods: dict[str, list[tuple[ObservedPod, float]]] = {
            "tfserving": [],
            "tfserving-canary": [],
        }
        self.killed_after: int | None = None
        self.sleep(60.0)

    def journal(self, **terms: object) -> Journal:
        """A rollout from release 1 to 2 that has passed the preflight."""
        given = {"shadow_s": 60.0, "admit_s": 10.0, "bake_s": 20.0, **terms}
        return Journal(
            name="one",
            operator="tester",
            release=2,
            against=1,
            from_image=OLD,
            to_image=NEW,
            started=self.now,
            since=self.now,
            from_digest="sha256:old",
            terms=Terms(**given),  # type: ignore[arg-type]
        )

    def run(self, journal: Journal) -> Ending:
        """What comes of it."""
        return RolloutRun(self, self, self, lambda: None, lambda: self.now, self.sleep).go(journal)

    def observe(self) -> ObservedCluster:
        """The cluster as it is."""
        self._asked()
        return ObservedCluster(
            "played", self._deployment("tfserving"), self._deployment("tfserving-canary")
        )

    def verify(self, pod: ObservedPod, release: int, against: int | None) -> Finding:
        """What ``pod`` answers."""
        self.sleep(1.0)
        return self.images[pod.image].answers if release == 2 else GOOD

    def why(self, pod: ObservedPod, release: int) -> Finding:
        """What keeps ``pod`` from being ready."""
        return self.images[pod.image].why

    def shadow(self, release: int, against: int) -> Finding:
        """What the shadow says now."""
        return self.shadow_says()

    def set_canary(self, image: str, release: int) -> None:
        """One pod of ``image``."""
        self._did(f"canary {image}")
        self.images_wanted["tfserving-canary"] = image
        self.replicas["tfserving-canary"] = 1

    def close_canary(self) -> None:
        """No pod."""
        self._did("canary closed")
        self.replicas["tfserving-canary"] = 0

    def set_traffic(self, pod: str, *, on: bool) -> None:
        """Users for ``pod``, or none."""
        self._did(f"users {'on' if on else 'off'}")
        self.pods["tfserving-canary"] = [
            (replace(one, traffic=on) if one.name == pod else one, born)
            for one, born in self.pods["tfserving-canary"]
        ]

    def set_stable(self, image: str, release: int, instead_of: str) -> None:
        """``image`` for stable."""
        assert self.images_wanted["tfserving"] == instead_of
        self._did(f"stable {image}")
        self.images_wanted["tfserving"] = image
        self.manager = "neumo-rollout"

    def write_overlay(self, image: str, release: int) -> None:
        """``image`` in the overlay."""
        self._did(f"overlay {image}")

    def write(self, journal: Journal) -> None:
        """The journal, as a ConfigMap would keep it."""
        self._did("")
        self.kept = Journal.read(journal.text())

    def audit(self, journal: Journal) -> None:
        """A rollout that ended."""
        self.audited.append(journal)

    def say(self, journal: Journal, line: str) -> None:
        """Nobody listens."""

    def announce(self, journal: Journal, reason: str, line: str) -> None:
        """An event."""
        self.events.append(f"{reason}: {line}")

    def sleep(self, seconds: float) -> None:
        """Let the cluster work for so long."""
        until = self.now + seconds
        while self.now < until:
            self.now += 1.0
            for when, deed in [one for one in self.at if one[0] <= self.now]:
                self.at.remove((when, deed))
                deed()
            for name in self.pods:
                self._reconcile(name)

    def evict_canary(self) -> None:
        """Its pod goes; the controller makes another."""
        self.pods["tfserving-canary"] = []

    def _asked(self) -> None:
        if self.now < self.away_until:
            raise ClusterAway("connection refused")

    def _did(self, what: str) -> None:
        self._asked()
        if self.killed_after is not None:
            self.killed_after -= 1
            if self.killed_after < 0:
                self.killed_after = None
                raise KilledError
        if what:
            self.writes.append(what)

    def _reconcile(self, name: str) -> None:
        wanted, image = self.replicas[name], self.images_wanted[name]
        pods = [(self._aged(pod, born), born) for pod, born in self.pods[name]]
        new = [one for one in pods if one[0].image == image]
        old = [one for one in pods if one[0].image != image]
        if old and all(pod.ready for pod, _ in new) and len(new) == wanted:
            old = old[1:]
        elif not (name == "tfserving" and self.stuck) and len(new) < wanted and not self.failure:
            spare = len(new) + len(old) < wanted + 1
            if spare and all(pod.ready for pod, _ in new):
                new.append((self._made(name, image), self.now))
            elif old and all(pod.ready for pod, _ in new):
                old = old[1:]
        self.pods[name] = [*old, *new][: wanted + 1] if wanted else []

    def _made(self, name: str, image: str) -> ObservedPod:
        number = next(self._numbers)
        return ObservedPod(
            f"{name}-{number}", f"uid-{number}", image=image, traffic=name == "tfserving"
        )

    def _aged(self, pod: ObservedPod, born: float) -> ObservedPod:
        release = self.images[pod.image]
        if self.now - born < 2.0:
            return pod
        digest = release.digest or pod.image.partition("@")[2]
        up = replace(pod, started=born + 2.0, image_id=f"registry/neumo@{digest}")
        known = {one.name for one in dataclasses.fields(ObservedPod)}
        up = replace(up, **{k: v for k, v in release.changes.items() if k in known})  # type: ignore[arg-type]
        return replace(up, ready=self.now - born >= 2.0 + release.load_s and not up.waiting)

    def _deployment(self, name: str) -> ObservedDeployment:
        pods = tuple(pod for pod, _ in self.pods[name])
        new = [pod for pod in pods if pod.image == self.images_wanted[name]]
        return ObservedDeployment(
            name,
            self.images_wanted[name],
            self.replicas[name],
            updated=len(new),
            available=sum(pod.ready for pod in pods),
            total=len(pods),
            stalled=self.stuck if name == "tfserving" else "",
            failure=self.failure,
            image_manager=self.manager,
            pods=pods,
        )


class KilledError(BaseException):
    """``kill -9``: nothing after it is done."""
