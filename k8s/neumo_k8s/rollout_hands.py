"""What changes the cluster: directly, or by Git where an engine applies what is there."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from neumo_k8s import overlay_file
from neumo_k8s.kubernetes_calls import CANARY, STABLE, KubernetesCalls
from neumo_k8s.observed_cluster import ObservedCluster

_TURN_S = 2.0

ENGINES = {
    "argocd-controller": "Argo CD",
    "argocd-application-controller": "Argo CD",
    "kustomize-controller": "Flux",
    "helm-controller": "Flux",
    "flux": "Flux",
    "helm": "Helm",
    "Helm": "Helm",
}
"""Managers of fields that put back what differs from Git, or from a chart."""


def engine(seen: ObservedCluster) -> str:
    """The engine that applies stable; '' where a person does."""
    return next((ENGINES[name] for name in seen.stable.managers if name in ENGINES), "")


class DirectHands:
    """Changes the cluster itself."""

    def __init__(
        self, calls: KubernetesCalls, overlay: Path | None, tell: Callable[[str], None]
    ) -> None:
        self._calls = calls
        self._overlay = overlay
        self._tell = tell

    def set_canary(self, image: str, release: int) -> None:
        """One pod of ``image``."""
        self._calls.set_canary(image, 1, release)

    def close_canary(self) -> None:
        """No pod; the image stays, for whoever looks what it was."""
        self._calls.set_canary(None, 0)

    def set_traffic(self, pod: str, *, on: bool) -> None:
        """Users for ``pod``, or none."""
        self._calls.set_traffic(pod, on=on)

    def set_stable(self, image: str, release: int, instead_of: str) -> None:
        """``image`` for stable, where ``instead_of`` is."""
        self._calls.set_stable(image, release, instead_of)

    def write_overlay(self, image: str, release: int) -> None:
        """``image`` in the overlay, and what changed shown."""
        if self._overlay is not None:
            labelled = self._calls.has_version()
            change(self._overlay, self._tell, image=image, release=release if labelled else 0)


class GitHands:
    """Edits the overlay; a person commits, and the engine applies. Pods' labels are ours."""

    def __init__(
        self, calls: KubernetesCalls, overlay: Path, tell: Callable[[str], None], who: str
    ) -> None:
        self._calls = calls
        self._overlay = overlay
        self._tell = tell
        self._who = who
        self._asked: set[str] = set()

    def set_canary(self, image: str, release: int) -> None:
        """The edit that gives the canary ``image`` and one pod."""
        self._propose(image=image, release=release, of_canary=True, canary_pods=1)

    def close_canary(self) -> None:
        """The edit that leaves the canary no pod."""
        self._propose(canary_pods=0)

    def set_traffic(self, pod: str, *, on: bool) -> None:
        """Users for ``pod``, or none: no engine knows of a pod's labels."""
        self._calls.set_traffic(pod, on=on)

    def set_stable(self, image: str, release: int, instead_of: str) -> None:  # noqa: ARG002 - Git knows it
        """The edit that gives stable ``image``."""
        self._propose(image=image, release=release)

    def write_overlay(self, image: str, release: int) -> None:
        """Git has it already."""

    def _propose(self, **edit: object) -> None:
        key = repr(edit)
        changed = change(self._overlay, self._tell, **edit)  # type: ignore[arg-type]
        if changed or key not in self._asked:
            self._asked.add(key)
            self._tell(f"commit and push {self._overlay}: {self._who} applies it, this waits")
        # It is asked for again until the engine has applied it.
        time.sleep(_TURN_S)


def change(
    overlay: Path,
    tell: Callable[[str], None],
    *,
    image: str = "",
    release: int = 0,
    of_canary: bool = False,
    canary_pods: int | None = None,
) -> bool:
    """Edit the overlay; True, and the difference is told, where it was not so already.

    With no ``release`` the label that says it is left alone.
    """
    path = overlay_file.path_in(overlay)
    before = after = path.read_text(encoding="utf-8")
    if image:
        name = overlay_file.image_name(before, image)
        after = overlay_file.with_image(after, name + ("-canary" if of_canary else ""), image)
        if release:
            after = overlay_file.with_version(after, CANARY if of_canary else STABLE, release)
    if canary_pods is not None:
        after = overlay_file.with_replicas(after, CANARY, canary_pods)
    if after == before:
        return False
    path.write_text(after, encoding="utf-8")
    tell(overlay_file.diff(path, before, after).rstrip())
    return True
