"""The recipes of docs/verification.md: what they run is understood, and their Jobs are accepted."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Any

import pytest
import yaml

from neumo.commands import verify
from support.cluster.kubectl import TAKEN, attempt, namespace, need_cluster

PAGE = Path(__file__).resolve().parents[2] / "docs" / "verification.md"
RECIPES = [
    yaml.safe_load(block.partition("\n```")[0])
    for block in PAGE.read_text(encoding="utf-8").split("```yaml\n")[1:]
]
ARGO_CD, ARGO_ROLLOUTS, FLAGGER, GITHUB = RECIPES


def jobs() -> dict[str, Any]:
    """The Jobs in the recipes, by whose they are."""
    (metric,) = ARGO_ROLLOUTS["spec"]["metrics"]
    # The controller gives it its name, and writes the arguments into it.
    (argument,) = ARGO_ROLLOUTS["spec"]["args"]
    spec = yaml.safe_load(
        yaml.safe_dump(metric["provider"]["job"]["spec"]).replace(
            f"{{{{args.{argument['name']}}}}}", argument["value"]
        )
    )
    made = {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "m"}, "spec": spec}
    return {"Argo CD": ARGO_CD, "Argo Rollouts": made}


def commands() -> list[list[str]]:
    """Every command line of `neumo verify` in the recipes, in words."""
    in_jobs = [
        container["command"]
        for job in jobs().values()
        for container in job["spec"]["template"]["spec"]["containers"]
    ]
    (hook,) = FLAGGER["analysis"]["webhooks"]
    (step,) = GITHUB
    lines = [hook["metadata"]["cmd"], step["run"].strip().splitlines()[-1].partition(" > ")[0]]
    return [*in_jobs, *map(shlex.split, lines)]


@pytest.mark.parametrize("words", commands(), ids=["Argo CD", "Argo Rollouts", "Flagger", "GitHub"])
def test_a_recipe_runs_a_command_that_neumo_understands(words):
    """With a release to hold it against."""
    assert words[:2] == ["neumo", "verify"]
    chosen = verify.parser().parse_args(words[2:])
    assert (chosen.release, chosen.against) == (2, 1)
    assert len(chosen.urls) == 1


@pytest.mark.parametrize("name", jobs())
def test_a_job_tries_again_only_where_nothing_can_be_told(name):
    """Bad, and a mistake on the command line, end it; 75 is tried again."""
    spec = jobs()[name]["spec"]
    (rule,) = spec["podFailurePolicy"]["rules"]
    assert rule["action"] == "FailJob"
    assert verify.BAD in rule["onExitCodes"]["values"]
    assert verify.CANNOT_TELL not in rule["onExitCodes"]["values"]
    assert spec["backoffLimit"] >= 1


@pytest.mark.cluster
@pytest.mark.parametrize("name", jobs())
def test_the_api_server_accepts_a_job(name):
    """In a namespace that enforces `restricted`, without a warning."""
    need_cluster()
    with namespace(f"{TAKEN}-recipes") as where:
        words = ["create", "--dry-run=server", "--validate=strict", "-n", where, "-f", "-"]
        done = attempt(*words, stdin=yaml.safe_dump(jobs()[name]))
        assert done.returncode == 0, done.stderr
        assert "Warning" not in done.stderr
        broken = yaml.safe_dump(jobs()[name]).replace("podFailurePolicy", "podFailurePolicies")
        assert attempt(*words, stdin=broken).returncode != 0
