"""What was seen of the cluster at one moment: plain data, which decisions are made from."""

from __future__ import annotations

from dataclasses import dataclass

TRAFFIC_LABEL = "neumo/traffic"
"""The Services select it: a pod with ``on`` is asked by users."""
TRAFFIC_ON = "on"


@dataclass(frozen=True, slots=True)
class ObservedPod:
    """A pod of the model servers; ``image_id`` is the digest that the kubelet runs.

    ``started`` is when its container last started, in seconds since 1970, None where it has not.
    ``waiting`` and ``ended`` are the reasons of the container's waiting and last end, ``words``
    what the cluster says of them. ``releases`` are those that it says it answers from, newest
    first; None where it was not asked, or did not answer.
    """

    name: str
    uid: str
    ip: str = ""
    port: int = 8500
    image: str = ""
    image_id: str = ""
    ready: bool = False
    restarts: int = 0
    started: float | None = None
    leaving: bool = False
    traffic: bool = False
    waiting: str = ""
    ended: str = ""
    unschedulable: bool = False
    words: str = ""
    hash: str = ""
    releases: tuple[int, ...] | None = None


@dataclass(frozen=True, slots=True)
class ObservedDeployment:
    """A Deployment and its pods. ``image`` is its template's; ``failure`` why pods cannot be made.

    ``settled`` is whether the controller has seen its newest form. ``hashes`` are those of the
    ReplicaSets that run its present image. ``image_manager`` is who wrote the image last.
    """

    name: str
    image: str
    replicas: int
    updated: int = 0
    available: int = 0
    total: int = 0
    settled: bool = True
    traffic: bool = False
    stalled: str = ""
    failure: str = ""
    paused: bool = False
    cpu: float = 0.0
    memory: int = 0
    surge: int = 1
    image_manager: str = ""
    managers: tuple[str, ...] = ()
    pods: tuple[ObservedPod, ...] = ()

    @property
    def rolled(self) -> bool:
        """Whether every pod that it wants is of its newest form, and available."""
        return self.settled and self.updated == self.available == self.total == self.replicas

    @property
    def staying(self) -> tuple[ObservedPod, ...]:
        """The pods that are not on their way out."""
        return tuple(pod for pod in self.pods if not pod.leaving)


@dataclass(frozen=True, slots=True)
class Autoscaler:
    """The HorizontalPodAutoscaler of the stable Deployment."""

    desired: int
    least: int
    most: int


@dataclass(frozen=True, slots=True)
class Room:
    """What a quota leaves of ``resource``, as cores, bytes or a number of pods."""

    quota: str
    resource: str
    left: float


@dataclass(frozen=True, slots=True)
class ObservedCluster:
    """One namespace. ``canary`` is None where its component is not applied.

    ``gated`` is whether the Services select ``TRAFFIC_LABEL``; ``denied`` are the rights that the
    operator lacks, as ``kubectl auth can-i`` would name them, ``refused`` what the API server says
    of a dry run. The last two are asked for the preflight only.
    """

    namespace: str
    stable: ObservedDeployment
    canary: ObservedDeployment | None
    gated: bool = True
    autoscaler: Autoscaler | None = None
    rooms: tuple[Room, ...] = ()
    denied: tuple[str, ...] = ()
    refused: tuple[str, ...] = ()
