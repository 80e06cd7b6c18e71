"""``neumo rollout`` where pods are played: what they answer is in the file ANSWERS names.

    python rollout_program.py start IMAGE ...

The file is JSON: an image to its ``releases``, newest first, and the ``outcome`` of a verification.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

from neumo.commands import program
from neumo_k8s import rollout_commands
from neumo_k8s.commands import rollout
from neumo_k8s.observed_cluster import ObservedPod
from neumo_k8s.pod_answers import PodAnswers
from neumo_k8s.rollout_actions import Finding, Outcome

VARIABLE = "ANSWERS"


def _said(pod: ObservedPod) -> dict[str, Any]:
    known: dict[str, dict[str, Any]] = json.loads(Path(os.environ[VARIABLE]).read_text())
    return known.get(pod.image, {})


class PlayedAnswers(PodAnswers):
    """Pods that say what the file says."""

    def releases(self, pod: ObservedPod) -> tuple[int, ...] | None:
        """Those of the file."""
        return tuple(_said(pod).get("releases", ())) or None

    def verify(
        self, pod: ObservedPod, release: int, against: int | None, wait_s: float = 0.0
    ) -> Finding:
        """What the file says."""
        said = _said(pod)
        outcome = Outcome(said.get("outcome", "good"))
        return Finding(outcome, said.get("text", f"answers as release {release} does"))


def main() -> int:
    """As ``neumo rollout``: a mistake is one line."""
    commands: Any = rollout_commands
    commands.PodAnswers = PlayedAnswers
    runner: Any = program
    # Errors end as they do in `neumo`, without the entry point.
    runner._dispatch = rollout.main
    return program.main(sys.argv[1:])


if __name__ == "__main__":
    sys.exit(main())
