"""What is looked at before a rollout begins, each as one line."""

from __future__ import annotations

from dataclasses import replace

import pytest

from neumo_k8s import preflight
from neumo_k8s.journal import Journal
from neumo_k8s.observed_cluster import (
    Autoscaler,
    ObservedCluster,
    ObservedDeployment,
    ObservedPod,
    Room,
)

PODS = tuple(ObservedPod(f"p{n}", f"u{n}", ready=True, releases=(1,)) for n in range(2))
STABLE = ObservedDeployment("tfserving", "neumo:1", 2, 2, 2, 2, cpu=2.0, memory=1024**3, pods=PODS)
CANARY = ObservedDeployment("tfserving-canary", "neumo:1", 0)
GOOD = ObservedCluster("neumo", STABLE, CANARY, autoscaler=Autoscaler(2, 2, 10))
JOURNAL = Journal("one", "me", 2, 1, "neumo:1", "neumo@sha256:2", 0.0)


def faults(seen, journal=JOURNAL):
    """What is wrong, in words."""
    return [one.fault for one in preflight.checks(seen, journal) if one.fault]


def test_a_cluster_as_it_must_be_has_no_fault():
    """With room, or where no quota limits it."""
    assert faults(GOOD) == []
    assert faults(replace(GOOD, rooms=(Room("q", "requests.cpu", 8.0),))) == []


def stable(**changes):
    """The cluster with another stable Deployment."""
    return replace(GOOD, stable=replace(STABLE, **changes))


FAULTS = {
    "no Deployment tfserving-canary": replace(GOOD, canary=None),
    "the canary's template has neumo/traffic": replace(GOOD, canary=replace(CANARY, traffic=True)),
    "a Service has the canary's pods": replace(GOOD, gated=False),
    "is not rolled yet": stable(updated=1),
    "is paused": stable(paused=True),
    "that no journal knows": replace(GOOD, canary=replace(CANARY, replicas=1)),
    "it wants 10 of 10": replace(GOOD, autoscaler=Autoscaler(10, 2, 10)),
    "quota q: 8 of requests.cpu needed for 4 pods, 7.5 left": replace(
        GOOD, rooms=(Room("q", "requests.cpu", 7.5),)
    ),
    "quota q: 4 of pods needed": replace(GOOD, rooms=(Room("q", "pods", 3.0),)),
    "you may not patch deployments": replace(GOOD, denied=("patch deployments",)),
    "the API server refuses it: no": replace(GOOD, refused=("no",)),
    "does not say which releases": stable(pods=(replace(PODS[0], releases=None), PODS[1])),
    "answers from release 2, not from all one": stable(
        pods=(replace(PODS[0], releases=(2, 1)), PODS[1])
    ),
}


@pytest.mark.parametrize("words", FAULTS)
def test_what_is_not_so_is_said(words):
    """One line, and nothing else is complained of."""
    (fault,) = faults(FAULTS[words])
    assert words in fault


def test_an_image_or_a_release_that_runs_already_is_refused():
    """There is nothing to roll out."""
    assert "runs neumo:1 already" in faults(GOOD, replace(JOURNAL, to_image="neumo:1"))[0]
    assert "release 1 runs already" in faults(GOOD, replace(JOURNAL, release=1))[0]
