"""The API server's JSON, as decisions read it."""

from __future__ import annotations

import pytest

from neumo_k8s import cluster_objects, rollout_metrics, shadow_answers
from neumo_k8s.image_reference import ImageReference, digest_of
from neumo_k8s.journal import Journal, Step
from neumo_k8s.pod_troubles import trouble
from neumo_k8s.rollout_actions import Outcome


@pytest.mark.parametrize(
    ("text", "number"),
    [("200m", 0.2), ("2", 2.0), ("1Gi", 1024.0**3), ("1.5k", 1500.0), ("128Mi", 2.0**27)],
)
def test_quantities(text, number):
    """As Kubernetes writes them."""
    assert cluster_objects.quantity(text) == pytest.approx(number)


def pod(state, last=None, conditions=(), restarts=0):
    """A pod's JSON with one container in ``state``."""
    status = {
        "name": "tfserving",
        "state": state,
        "lastState": last or {},
        "restartCount": restarts,
    }
    return {
        "metadata": {"name": "p", "uid": "u"},
        "spec": {"containers": [{"name": "tfserving", "image": "i"}]},
        "status": {"containerStatuses": [status], "conditions": list(conditions)},
    }


UNSCHEDULABLE = {
    "type": "PodScheduled",
    "status": "False",
    "reason": "Unschedulable",
    "message": "0/1 nodes are available: 1 Insufficient cpu.",
}


@pytest.mark.parametrize(
    ("one", "words"),
    [
        (pod({"waiting": {"reason": "ImagePullBackOff", "message": "no such tag"}}), "no such tag"),
        (pod({"terminated": {"reason": "OOMKilled"}}), "OOMKilled"),
        (pod({"running": {}}, {"terminated": {"reason": "OOMKilled"}}, restarts=1), "OOMKilled"),
        (pod({"running": {}}, {"terminated": {"reason": "Error"}}, restarts=1), "restarted 1"),
        (pod({}, conditions=[UNSCHEDULABLE]), "Insufficient cpu"),
    ],
)
def test_what_waiting_does_not_mend_is_told_in_the_clusters_words(one, words):
    """And is no trouble of a pod that is merely starting."""
    assert words in trouble(cluster_objects.pod(one))
    assert trouble(cluster_objects.pod(pod({"waiting": {"reason": "ContainerCreating"}}))) == ""


def test_the_newest_warning_about_a_pod_speaks_for_it():
    """Where its container says nothing."""
    events = [
        {"type": "Warning", "involvedObject": {"uid": uid}, "message": text, "lastTimestamp": at}
        for uid, text, at in (("u", "old", "1"), ("u", "new", "2"), ("other", "else", "3"))
    ]
    assert cluster_objects.pod(pod({"running": {}}), events).words == "new"


def test_images_and_digests_are_told_apart():
    """A registry's port is no tag; a kubelet's imageID has the digest behind an @, or is one."""
    read = ImageReference.read("host:5000/a/b:2@sha256:x")
    assert (read.name, read.tag, read.digest) == ("host:5000/a/b", "2", "sha256:x")
    assert ImageReference.read("host:5000/a/b").tag == ""
    assert digest_of("docker.io/a@sha256:y") == digest_of("sha256:y") == "sha256:y"
    assert digest_of("a:2") == ""


def shadow(n, total, state="undecided"):
    """What a gateway says of release 2 beside 1 after ``n`` films."""
    test = {"name": "flips", "n": n, "total": total, "limit": 0.02}
    return {
        "alpha": 0.05,
        "comparisons": [
            {
                "stable_release": 1,
                "canary_release": 2,
                "state": state,
                "reason": "flips",
                "films": n,
                "failures": {"count": 0},
                "refusals": {"only_canary": 0},
                "flips": {"count": total},
                "change": {"largest": 0.1},
                "tests": [test],
            }
        ],
    }


def test_gateways_shadows_are_added_up():
    """None alone has seen enough; together they have. One that saw a difference is believed."""
    few = shadow(250, 0)
    assert shadow_answers.judge([few], 2, 1).outcome is Outcome.CANNOT_TELL
    together = shadow_answers.judge([few, few, few], 2, 1)
    assert together.outcome is Outcome.GOOD
    assert "750 films" in together.text
    assert shadow_answers.judge([few, shadow(9, 5, "different")], 2, 1).outcome is Outcome.BAD
    assert shadow_answers.judge([{"comparisons": []}], 2, 1).outcome is Outcome.CANNOT_TELL
    assert shadow_answers.read([], lambda *_: None, 2, 1).outcome is Outcome.CANNOT_TELL


def test_the_metrics_name_the_one_step_that_it_is_at():
    """In Prometheus' text format."""
    journal = Journal("one", "me", 2, 1, "a", "b", 5.0, step=Step.BAKE).judged("x", "good", "", 6.0)
    lines = rollout_metrics.text(journal).splitlines()
    assert [
        line for line in lines if line.startswith("neumo_rollout_step{") and line[-1] == "1"
    ] == ['neumo_rollout_step{release="2",step="bake"} 1']
    assert 'neumo_rollout_gates{release="2",outcome="good"} 1' in lines
