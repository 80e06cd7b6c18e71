"""A rollout as Prometheus' text format, for node-exporter's textfile collector or a pushgateway."""

from __future__ import annotations

from neumo_k8s.journal import Journal, Step


def text(journal: Journal) -> str:
    """Which step ``journal`` is at, since when, and what was judged."""
    release = f'release="{journal.release}"'
    outcomes = sorted({gate.outcome for gate in journal.gates})
    lines = [
        "# HELP neumo_rollout_step 1 for the step that the newest rollout is at.",
        "# TYPE neumo_rollout_step gauge",
        *(
            f'neumo_rollout_step{{{release},step="{step}"}} {int(step is journal.step)}'
            for step in Step
        ),
        "# HELP neumo_rollout_paused 1 where it waits for a person.",
        "# TYPE neumo_rollout_paused gauge",
        f"neumo_rollout_paused{{{release}}} {int(bool(journal.paused))}",
        "# HELP neumo_rollout_started_timestamp_seconds When the rollout began.",
        "# TYPE neumo_rollout_started_timestamp_seconds gauge",
        f"neumo_rollout_started_timestamp_seconds{{{release}}} {journal.started:.3f}",
        "# HELP neumo_rollout_step_timestamp_seconds When its step began.",
        "# TYPE neumo_rollout_step_timestamp_seconds gauge",
        f"neumo_rollout_step_timestamp_seconds{{{release}}} {journal.since:.3f}",
        "# HELP neumo_rollout_gates How often a gate came to an outcome.",
        "# TYPE neumo_rollout_gates gauge",
        *(
            f'neumo_rollout_gates{{{release},outcome="{outcome}"}} '
            f"{sum(gate.outcome == outcome for gate in journal.gates)}"
            for outcome in outcomes
        ),
    ]
    return "\n".join(lines) + "\n"
