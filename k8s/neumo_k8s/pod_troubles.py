"""What a pod cannot recover from by waiting."""

from __future__ import annotations

from neumo_k8s.observed_cluster import ObservedPod

_PULL = {"ErrImagePull", "ImagePullBackOff", "InvalidImageName", "ErrImageNeverPull"}
_BROKEN = {"CreateContainerConfigError", "CreateContainerError", "RunContainerError"}


def trouble(pod: ObservedPod, allowed_restarts: int = 0) -> str:
    """Why ``pod`` will not answer, in the cluster's own words; '' where it may still.

    More than ``allowed_restarts`` of its container count: a model server that starts anew by
    itself has crashed.
    """
    if pod.unschedulable:
        return _said(pod, "Unschedulable")
    if pod.waiting in _PULL | _BROKEN or pod.waiting == "CrashLoopBackOff":
        reason = f"{pod.waiting}, {pod.ended}" if pod.ended else pod.waiting
        return _said(pod, reason)
    if pod.ended == "OOMKilled" and pod.restarts >= allowed_restarts:
        return _said(pod, "OOMKilled")
    if pod.restarts > allowed_restarts:
        return _said(pod, f"restarted {pod.restarts} times, {pod.ended or 'reason unknown'}")
    return ""


def _said(pod: ObservedPod, reason: str) -> str:
    words = " ".join(pod.words.split())
    return f"pod {pod.name}: {reason}" + (f" ({words})" if words else "")
