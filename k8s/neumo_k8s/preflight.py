"""What must be so before the first pod of a new release is made."""

from __future__ import annotations

from dataclasses import dataclass

from neumo_k8s.image_reference import ImageReference
from neumo_k8s.journal import Journal
from neumo_k8s.observed_cluster import ObservedCluster, ObservedDeployment


@dataclass(frozen=True, slots=True)
class Check:
    """One thing looked at; ``fault`` is '' where it is as it must be, else what to do."""

    what: str
    fault: str = ""
    note: str = ""


def checks(seen: ObservedCluster, journal: Journal) -> tuple[Check, ...]:
    """Everything that is looked at before ``journal`` begins."""
    return (
        _canary(seen),
        _images(seen, journal),
        _releases(seen, journal),
        _quiet(seen),
        _autoscaler(seen),
        _room(seen),
        _all("rights", "you may not", seen.denied),
        _all("server-side dry run", "the API server refuses it:", seen.refused),
    )


def _canary(seen: ObservedCluster) -> Check:
    what = "a canary that users do not reach"
    if seen.canary is None:
        return Check(what, "no Deployment tfserving-canary: add components/canary to the overlay")
    if seen.canary.traffic:
        return Check(what, "the canary's template has neumo/traffic: take the label out of it")
    if not seen.gated:
        return Check(what, "a Service has the canary's pods, too: apply the overlay of this neumo")
    return Check(what)


def _images(seen: ObservedCluster, journal: Journal) -> Check:
    what = "images by digest"
    if journal.to_image == seen.stable.image:
        return Check(what, f"stable runs {journal.to_image} already: give another image")
    if ImageReference.read(journal.to_image).digest:
        return Check(what)
    return Check(what, note=f"{journal.to_image} is a tag: the digest that its pod runs is held to")


def _releases(seen: ObservedCluster, journal: Journal) -> Check:
    what = "no release skipped"
    if journal.release == journal.against:
        return Check(what, f"release {journal.release} runs already: give --release")
    for pod in seen.stable.staying:
        if pod.releases is None:
            return Check(what, f"pod {pod.name} does not say which releases it has: try again")
        if pod.releases[:1] != (journal.against,):
            newest = pod.releases[0] if pod.releases else "none"
            return Check(what, f"pod {pod.name} answers from release {newest}, not from all one")
    return Check(what, note=f"that the image holds {journal.against}, too, its pod is asked")


def _quiet(seen: ObservedCluster) -> Check:
    what = "nothing else rolls"
    for one in (seen.stable, seen.canary):
        if one is not None and one.paused:
            return Check(
                what, f"{one.name} is paused: kubectl rollout resume deployment/{one.name}"
            )
    if not seen.stable.rolled:
        return Check(what, f"{seen.stable.name} is not rolled yet: kubectl rollout status")
    if not seen.stable.staying:
        return Check(what, f"{seen.stable.name} has no pod: nothing runs that could be kept")
    if seen.canary is not None and seen.canary.replicas:
        return Check(what, "the canary has a pod that no journal knows: scale it to 0")
    return Check(what)


def _autoscaler(seen: ObservedCluster) -> Check:
    what = "the autoscaler below its maximum"
    scaler = seen.autoscaler
    if scaler is None or scaler.least == scaler.most:
        return Check(what, note="nothing scales it")
    if scaler.desired >= scaler.most:
        return Check(what, f"it wants {scaler.desired} of {scaler.most}: raise maxReplicas")
    return Check(what)


def _room(seen: ObservedCluster) -> Check:
    """Pods that leave answer for 95 s more: all of stable may be there twice, and the canary."""
    what = "room for the canary, the surge and the pods that leave"
    stable = seen.stable
    pods = 1 + stable.replicas + stable.surge
    for room in seen.rooms:
        needed = _needed(stable, room.resource, pods)
        if room.left < needed:
            lack = f"{needed:g} of {room.resource} needed for {pods} pods, {room.left:g} left"
            return Check(what, f"quota {room.quota}: {lack}")
    return Check(what, note="" if seen.rooms else "no quota limits it")


def _needed(stable: ObservedDeployment, resource: str, pods: int) -> float:
    each = {"cpu": stable.cpu, "memory": float(stable.memory)}
    return pods * each.get(resource.removeprefix("requests."), 1.0)


def _all(what: str, lack: str, faults: tuple[str, ...]) -> Check:
    return Check(what, f"{lack} {'; '.join(faults)}" if faults else "")
