"""The journal and the audit, as ConfigMaps of the namespace."""

from __future__ import annotations

import copy
from typing import Any

from neumo_k8s.cluster_errors import Conflict, LeaseHeld
from neumo_k8s.journal import Journal
from neumo_k8s.kubernetes_calls import KubernetesCalls

JOURNAL, AUDIT = "neumo-rollout", "neumo-rollout-audit"
_KEY = "journal.json"
MOST_KEPT = 50
"""Rollouts in the audit: a ConfigMap holds 1 MiB, and one takes a few kilobytes."""


class JournalStore:
    """Reads and writes; whoever wrote in between is noticed."""

    def __init__(self, calls: KubernetesCalls) -> None:
        self._calls = calls
        self._map: dict[str, Any] | None = None

    def read(self) -> Journal | None:
        """The newest rollout's journal; None before the first."""
        self._map = self._calls.read_map(JOURNAL)
        return Journal.read(self._map["data"][_KEY]) if self._map else None

    def write(self, journal: Journal) -> None:
        """Replace it. Raises ``LeaseHeld`` where it is not as it was read."""
        one = copy.deepcopy(self._map) if self._map else _new(JOURNAL)
        one["data"] = {_KEY: journal.text()}
        try:
            self._map = self._calls.write_map(one)
        except Conflict as error:
            # Our own write, whose answer was lost, counts as written.
            if self.read() != journal:
                raise LeaseHeld("another operator wrote the journal: rollout status") from error

    def audit(self) -> list[Journal]:
        """Every rollout that ended, the oldest first."""
        found = self._calls.read_map(AUDIT) or {}
        return [Journal.read(text) for _, text in sorted((found.get("data") or {}).items())]

    def add_to_audit(self, journal: Journal) -> None:
        """Keep ``journal``; adding it again changes nothing."""
        one = self._calls.read_map(AUDIT) or _new(AUDIT)
        kept = {**(one.get("data") or {}), journal.name: journal.text()}
        one["data"] = dict(sorted(kept.items())[-MOST_KEPT:])
        self._calls.write_map(one)


def _new(name: str) -> dict[str, Any]:
    labels = {"app.kubernetes.io/part-of": "neumo", "app.kubernetes.io/managed-by": "neumo-rollout"}
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": name, "labels": labels},
    }
