"""What is written and said of a rollout: journal, audit, events, metrics, lines for people."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from neumo_k8s import rollout_metrics
from neumo_k8s.cluster_errors import ClusterError
from neumo_k8s.journal import Journal
from neumo_k8s.journal_store import JournalStore
from neumo_k8s.kubernetes_calls import STABLE, KubernetesCalls


class RolloutNotes:
    """Of one command. A line that was said is not said again until another was."""

    def __init__(
        self,
        calls: KubernetesCalls,
        store: JournalStore,
        tell: Callable[[str], None],
        metrics: Path | None,
    ) -> None:
        self._calls, self._store, self._tell, self._metrics = calls, store, tell, metrics
        self._last = ""

    def write(self, journal: Journal) -> None:
        """The journal, and the metrics' file."""
        self._store.write(journal)
        if self._metrics is not None:
            part = self._metrics.with_name(f".{self._metrics.name}.{os.getpid()}")
            part.write_text(rollout_metrics.text(journal), encoding="utf-8")
            part.replace(self._metrics)

    def audit(self, journal: Journal) -> None:
        """The journal of a rollout that ended."""
        self._store.add_to_audit(journal)

    def say(self, journal: Journal, line: str) -> None:
        """A line for people, with the time and the step."""
        # What is counted down in it is no news.
        kept = re.sub(r"\d+ s\b", "", f"{journal.step} {line}")
        if kept != self._last:
            self._last = kept
            self._tell(f"{time.strftime('%H:%M:%S')} {journal.step}: {line}")

    def announce(self, journal: Journal, reason: str, line: str) -> None:
        """An Event of the stable Deployment; that one cannot be written stops nothing."""
        self.say(journal, line)
        now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        wrong = reason in {"Stopped", "Paused"}
        text = f"release {journal.release}, {journal.step}: {line}"
        event = {
            "apiVersion": "v1",
            "kind": "Event",
            "metadata": {"generateName": "neumo-rollout-"},
            "involvedObject": {
                "apiVersion": "apps/v1",
                "kind": "Deployment",
                "name": STABLE,
                "namespace": self._calls.namespace,
            },
            "type": "Warning" if wrong else "Normal",
            "reason": f"Rollout{reason}",
            "message": text[:1000],
            "source": {"component": "neumo-rollout"},
            "firstTimestamp": now,
            "lastTimestamp": now,
            "count": 1,
        }
        try:
            self._calls.create_event(event)
        except ClusterError as error:
            self._tell(f"no event was written: {error}")
