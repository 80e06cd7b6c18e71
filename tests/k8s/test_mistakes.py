"""What an operator gets wrong: the state says what it is, and the running release answers on."""

from __future__ import annotations

import pytest

from support.cluster.kubectl import attempt, deployed, fit, get, need_cluster, until
from support.images import toys

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(3600)]


@pytest.fixture(scope="module")
def running(tmp_path_factory):
    """Production with release 1."""
    need_cluster()
    with deployed(tmp_path_factory.mktemp("mistakes") / "wrapped", "production", fit(1, 1)) as one:
        yield one


@pytest.fixture
def good(running, app):
    """The same under load; in the end nothing failed, and the mistake is undone."""
    with app.load(running.url, clients=1, a_second=5) as load:
        yield running
        load.reach(len(load.outcomes) + 10)
    assert load.failures == []
    assert set(load.answers) == {1}
    running.apply()
    running.rolled()


def described(one, name, words):
    """Wait until ``kubectl describe`` of a pod of the Deployment ``name`` has ``words``."""
    label = f"app.kubernetes.io/name={name}"

    def says():
        pods = get(one.namespace, "pod", label)
        return any(words in one.trouble(pod) for pod in pods)

    until(says, f"a pod of {name} says: {words}")


def changed(deployment, path, value):
    """A patch of one field of a Deployment's pods."""
    operation = f'[{{"op": "replace", "path": "/spec/template/spec/{path}", "value": {value}}}]'
    return ({"target": {"kind": "Deployment", "name": deployment}, "patch": operation},)


def test_a_release_that_does_not_exist(good):
    """The image cannot be pulled, and which one it is."""
    good.apply(release=99)
    described(good, "tfserving", "ErrImagePull")
    described(good, "tfserving", "neumo-tfserving:99")


def test_a_wrong_digest(good):
    """As a release that does not exist."""
    digest = "sha256:" + "0" * 64
    good.apply(digest=digest)
    described(good, "tfserving", "ErrImagePull")
    described(good, "tfserving", digest)


def test_a_release_of_which_one_model_does_not_load(good):
    """Its pod never starts in Kubernetes' eyes, the event names the model, and the roll stops."""
    good.apply(release=toys.TRUNCATED)
    described(good, "tfserving", f"{toys.CUT}/{toys.LAST} is not AVAILABLE: END")
    status = ("rollout", "status", "deployment/tfserving", "-n", good.namespace, "--timeout=20s")
    done = attempt(*status)
    assert done.returncode != 0
    assert "successfully rolled out" not in done.stdout


def test_too_little_memory(good):
    """The pod's last state is OOMKilled."""
    resources = '{"requests": {"cpu": "100m", "memory": "64Mi"}, '
    resources += '"limits": {"cpu": "4", "memory": "64Mi"}}'
    good.apply(patches=changed("tfserving", "containers/0/resources", resources))
    described(good, "tfserving", "OOMKilled")


def test_a_missing_secret(good):
    """The new gateway waits, and names the secret; the old one answers on."""
    good.apply(patches=changed("gateway", "volumes/0/secret/secretName", '"absent"'))
    described(good, "gateway", 'secret "absent" not found')
