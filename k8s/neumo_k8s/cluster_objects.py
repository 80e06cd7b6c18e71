"""The API server's JSON read into what decisions are made from."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, TypeAlias

from neumo_k8s.observed_cluster import (
    TRAFFIC_LABEL,
    TRAFFIC_ON,
    Autoscaler,
    ObservedDeployment,
    ObservedPod,
    Room,
)

Fields: TypeAlias = Mapping[str, Any]

CONTAINER = "tfserving"
_SUFFIXES = {
    **dict(zip("kMGTP", (1e3, 1e6, 1e9, 1e12, 1e15), strict=True)),
    **{f"{c}i": 1024.0 ** (n + 1) for n, c in enumerate("KMGTP")},
    "m": 1e-3,
    "": 1.0,
}


def quantity(text: str) -> float:
    """Kubernetes' quantity as a number: ``200m`` is 0.2, ``1Gi`` 1073741824."""
    number = text.rstrip("kKMGTPim")
    return float(number) * _SUFFIXES[text[len(number) :]]


def moment(text: str | None) -> float | None:
    """Kubernetes' time in seconds since 1970."""
    return datetime.fromisoformat(text).timestamp() if text else None


def deployment(
    one: Fields, pods: Sequence[Fields], replica_sets: Iterable[Fields], events: Iterable[Fields]
) -> ObservedDeployment:
    """A Deployment with those of the namespace's ``pods`` that its ReplicaSets own."""
    own = {
        owned["metadata"]["uid"]: owned
        for owned in replica_sets
        if _owner(owned) == one["metadata"]["uid"]
    }
    spec, status = one["spec"], one.get("status", {})
    container = main_container(spec["template"]["spec"])
    requests = container.get("resources", {}).get("requests", {})
    conditions = {c["type"]: c for c in status.get("conditions", ())}
    progressing = conditions.get("Progressing", {})
    failing = conditions.get("ReplicaFailure", {})
    said = list(events)
    wanted = spec.get("replicas", 1)
    return ObservedDeployment(
        name=one["metadata"]["name"],
        image=container["image"],
        replicas=wanted,
        updated=status.get("updatedReplicas", 0),
        available=status.get("availableReplicas", 0),
        total=status.get("replicas", 0),
        settled=status.get("observedGeneration", 0) >= one["metadata"]["generation"],
        traffic=_traffic(spec["template"]["metadata"]),
        stalled=progressing.get("message", "") if progressing.get("status") == "False" else "",
        failure=failing.get("message", "") if failing.get("status") == "True" else "",
        paused=spec.get("paused", False),
        cpu=quantity(requests.get("cpu", "0")),
        memory=int(quantity(requests.get("memory", "0"))),
        surge=_surge(spec.get("strategy", {}).get("rollingUpdate", {}).get("maxSurge"), wanted),
        image_manager=_image_manager(one),
        managers=tuple(sorted({m["manager"] for m in _managed(one)})),
        pods=tuple(pod(p, said) for p in pods if _owner(p) in own),
    )


def pod(one: Fields, events: Iterable[Fields] = ()) -> ObservedPod:
    """A pod, with the newest warning among ``events`` that is about it."""
    meta, status = one["metadata"], one.get("status", {})
    container = main_container(one["spec"])
    state: Fields = next(
        (s for s in status.get("containerStatuses", ()) if s["name"] == container["name"]), {}
    )
    conditions = {c["type"]: c for c in status.get("conditions", ())}
    scheduled = conditions.get("PodScheduled", {})
    unschedulable = scheduled.get("reason") == "Unschedulable"
    now, last = state.get("state", {}), state.get("lastState", {})
    waiting = now.get("waiting", {})
    ended = now.get("terminated") or last.get("terminated") or {}
    words = scheduled.get("message", "") if unschedulable else waiting.get("message", "")
    return ObservedPod(
        name=meta["name"],
        uid=meta["uid"],
        ip=status.get("podIP", ""),
        port=next(
            (p["containerPort"] for p in container.get("ports", ()) if p.get("name") == "grpc"),
            8500,
        ),
        image=container["image"],
        image_id=state.get("imageID", ""),
        ready=conditions.get("Ready", {}).get("status") == "True",
        restarts=state.get("restartCount", 0),
        started=moment(now.get("running", {}).get("startedAt")),
        leaving="deletionTimestamp" in meta or status.get("phase") in {"Failed", "Succeeded"},
        traffic=_traffic(meta),
        waiting=waiting.get("reason", ""),
        ended=ended.get("reason", ""),
        unschedulable=unschedulable,
        words=words or _warning(meta["uid"], events),
        hash=meta.get("labels", {}).get("pod-template-hash", ""),
    )


def autoscaler(scalers: Iterable[Fields], name: str) -> Autoscaler | None:
    """The one that scales the Deployment ``name``."""
    for one in scalers:
        target = one["spec"]["scaleTargetRef"]
        if (target["kind"], target["name"]) == ("Deployment", name):
            status = one.get("status", {})
            desired = status.get("desiredReplicas") or status.get("currentReplicas") or 0
            least = one["spec"].get("minReplicas", 1)
            return Autoscaler(desired, least, one["spec"]["maxReplicas"])
    return None


def rooms(quotas: Iterable[Fields]) -> tuple[Room, ...]:
    """What each quota leaves of what a pod takes."""
    kept = {"pods", "cpu", "memory", "requests.cpu", "requests.memory", "count/pods"}
    found = []
    for one in quotas:
        status = one.get("status", {})
        for resource, hard in status.get("hard", {}).items():
            if resource in kept:
                used = quantity(status.get("used", {}).get(resource, "0"))
                left = quantity(hard) - used
                found.append(Room(one["metadata"]["name"], resource, left))
    return tuple(found)


def is_gated(services: Iterable[Fields]) -> bool:
    """Whether every Service that has the model servers asks for the traffic label.

    One that has the canary alone, by its track, is for those who look at it.
    """
    for one in services:
        selector = one["spec"].get("selector") or {}
        of_both = selector.get("app.kubernetes.io/name") == "tfserving" and "track" not in selector
        if of_both and selector.get(TRAFFIC_LABEL) != TRAFFIC_ON:
            return False
    return True


def main_container(spec: Fields) -> Fields:
    """The model server's among those of a pod's ``spec``."""
    containers: Sequence[Fields] = spec["containers"]
    return next((c for c in containers if c["name"] == CONTAINER), containers[0])


def _traffic(meta: Fields) -> bool:
    return bool(meta.get("labels", {}).get(TRAFFIC_LABEL) == TRAFFIC_ON)


def _owner(one: Fields) -> str:
    owners = one["metadata"].get("ownerReferences", ())
    return next((o["uid"] for o in owners if o.get("controller")), "")


def _managed(one: Fields) -> Sequence[Fields]:
    managed: Sequence[Fields] = one["metadata"].get("managedFields", ())
    return [m for m in managed if m.get("subresource") != "status"]


def _image_manager(one: Fields) -> str:
    """Who wrote the container's image last; '' where the cluster does not say."""
    key = f'k:{{"name":"{main_container(one["spec"]["template"]["spec"])["name"]}"}}'
    path = ("f:spec", "f:template", "f:spec", "f:containers", key, "f:image")
    named = [(m.get("time", ""), m["manager"]) for m in _managed(one) if _has(m, path)]
    return max(named)[1] if named else ""


def _has(managed: Fields, path: Sequence[str]) -> bool:
    at: Any = managed.get("fieldsV1", {})
    for key in path:
        if key not in at:
            return False
        at = at[key]
    return True


def _surge(given: int | str | None, replicas: int) -> int:
    if isinstance(given, int):
        return given
    return max(1, math.ceil(int((given or "25%").rstrip("%")) / 100 * replicas))


def _warning(uid: str, events: Iterable[Fields]) -> str:
    found = [
        (e.get("lastTimestamp") or e.get("eventTime") or "", e.get("message", ""))
        for e in events
        if e.get("type") == "Warning" and e.get("involvedObject", {}).get("uid") == uid
    ]
    return str(max(found)[1]) if found else ""
