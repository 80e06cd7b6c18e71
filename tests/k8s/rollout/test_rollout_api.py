"""``neumo rollout`` as a process before a real API server; pods are played, and what they answer.

KUBEBUILDER_ASSETS names a folder with etcd and kube-apiserver.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time

import kubernetes.client
import kubernetes.config
import pytest
import yaml

from neumo_k8s.journal import WAY
from support.cluster import rollout_program
from support.cluster.api_server import NOBODY, api_server
from support.cluster.played_controllers import PlayedControllers
from support.patience import patience
from support.places import ROOT

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]

OLD = "registry/neumo-tfserving@sha256:" + "1" * 64
NEW = "registry/neumo-tfserving@sha256:" + "2" * 64
QUICK = ("--without-shadow", "--admit-for=1", "--bake-for=1", "--manifests=serving/models")
START = ("start", NEW, "--release=2", *QUICK)
KUBECTL = ["--field-manager=kubectl-client-side-apply"]


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """The API server."""
    with api_server(tmp_path_factory.mktemp("api")) as one:
        yield one


@pytest.fixture
def site(server, tmp_path, request):
    """A namespace of its own in which release 1 runs."""
    one = Site(server, tmp_path, f"t{abs(hash(request.node.name)) % 10**8}")
    with one.controllers:
        one.until(lambda: one.deployment("tfserving").status.available_replicas == 2)
        yield one


class Site:
    """What a test asks of a namespace, and the program in it."""

    def __init__(self, server, folder, namespace):
        self.server, self.folder, self.namespace = server, folder, namespace
        client = kubernetes.config.new_client_from_config(str(server.kubeconfig()))
        self.core = kubernetes.client.CoreV1Api(client)
        self.apps = kubernetes.client.AppsV1Api(client)
        self.leases = kubernetes.client.CoordinationV1Api(client)
        self.controllers = PlayedControllers(client, namespace)
        self.answers = folder / "answers.json"
        self.say({OLD: {"releases": [1]}, NEW: {"releases": [2, 1]}})
        self.core.create_namespace({"metadata": {"name": namespace}})
        for name, track, replicas in (
            ("tfserving", "stable", 2),
            ("tfserving-canary", "canary", 0),
        ):
            self.apps.create_namespaced_deployment(
                namespace,
                deployment(name, track, replicas),
                field_manager="kubectl-client-side-apply",
            )

    def say(self, answers):
        """What pods of each image answer."""
        self.answers.write_text(json.dumps(answers))

    def deployment(self, name):
        """As it is."""
        return self.apps.read_namespaced_deployment(name, self.namespace)

    def image(self, name="tfserving"):
        """What it runs."""
        return self.deployment(name).spec.template.spec.containers[0].image

    def journal(self):
        """As it is kept; None before the first."""
        try:
            kept = self.core.read_namespaced_config_map("neumo-rollout", self.namespace)
        except kubernetes.client.exceptions.NotFoundException:
            return None
        return json.loads(kept.data["journal.json"])

    def begin(self, *words, token=None):
        """The program, running."""
        config = self.server.kubeconfig(*([token] if token else []))
        environment = {
            **os.environ,
            "KUBECONFIG": str(config),
            rollout_program.VARIABLE: str(self.answers),
            "PYTHONPATH": "tests",
        }
        command = [sys.executable, rollout_program.__file__, *words, "-n", self.namespace]
        return subprocess.Popen(
            command,
            env=environment,
            cwd=ROOT,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )

    def run(self, *words, **options):
        """Its exit status and what it said."""
        process = self.begin(*words, **options)
        said, _ = process.communicate(timeout=patience(180))
        return process.returncode, said

    def until(self, condition):
        """Wait for it."""
        end = time.monotonic() + patience(90)
        while not condition():
            assert time.monotonic() < end, "it never came"
            time.sleep(0.05)


def deployment(name, track, replicas):
    """One as the overlays make it, without what nobody plays."""
    labels = {"app.kubernetes.io/name": "tfserving", "track": track}
    version = {"app.kubernetes.io/version": "1"}
    users = {"neumo/traffic": "on"} if track == "stable" else {}
    resources = {"requests": {"cpu": "1", "memory": "1Gi"}, "limits": {"cpu": "1", "memory": "1Gi"}}
    container = {"name": "tfserving", "image": OLD, "resources": resources}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name, "labels": {**labels, **version}},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": labels},
            "template": {
                "metadata": {"labels": {**labels, **version, **users}},
                "spec": {"containers": [container]},
            },
        },
    }


def test_a_release_is_rolled_out_and_undone(site):
    """Stable has the digest and the release's label, the canary no pod; the audit says who."""
    status, said = site.run(*START)
    assert status == 0, said
    assert site.image() == NEW
    template = site.deployment("tfserving").spec.template
    assert template.metadata.labels["app.kubernetes.io/version"] == "2"
    assert site.deployment("tfserving-canary").spec.replicas == 0
    status, said = site.run("undo")
    assert status == 0, said
    assert site.image() == OLD
    status, said = site.run("audit", "--json")
    (rollout,) = json.loads(said)
    assert (rollout["step"], rollout["from_image"], rollout["to_image"]) == ("undone", OLD, NEW)
    reasons = {one.reason for one in site.core.list_namespaced_event(site.namespace).items}
    assert {"RolloutPromoted", "RolloutRolledOut", "RolloutUndone"} <= reasons


def test_applying_what_was_rolled_out_changes_nothing(site):
    """``kubectl apply`` of stable with the new image and release says "unchanged" afterwards."""
    binary = shutil.which("kubectl", path=os.environ["KUBEBUILDER_ASSETS"])
    if binary is None:
        pytest.skip("no kubectl beside the API server")

    def applied(image, release):
        document = deployment("tfserving", "stable", 2)
        template = document["spec"]["template"]
        template["spec"]["containers"][0]["image"] = image
        for meta in (document["metadata"], template["metadata"]):
            meta["labels"]["app.kubernetes.io/version"] = release
        config = f"--kubeconfig={site.server.kubeconfig()}"
        words = [binary, config, "-n", site.namespace, "apply", "-f", "-"]
        return subprocess.run(
            words, input=json.dumps(document), capture_output=True, text=True, check=True
        ).stdout

    applied(OLD, "1")
    status, said = site.run(*START)
    assert status == 0, said
    assert "unchanged" in applied(NEW, "2")


def test_plan_changes_nothing(site):
    """And says of each thing whether it is as it must be."""
    status, said = site.run("plan", NEW, "--release=2", *QUICK)
    assert status == 0, said
    assert "ok   rights" in said
    assert site.journal() is None
    assert site.image("tfserving-canary") == OLD


@pytest.mark.parametrize(
    ("image", "words"),
    [
        ("ill-pull", "ImagePullBackOff"),
        ("ill-oom", "OOMKilled"),
        ("wrong", "golden answers differ"),
    ],
)
def test_a_bad_release_is_stopped_and_undone(site, image, words):
    """Exit 1, stable untouched, and why in one line."""
    name = f"registry/{image}@sha256:{'3' * 64}"
    bad = {"releases": [2, 1], "outcome": "bad", "text": "golden answers differ"}
    site.say({OLD: {"releases": [1]}, name: bad})
    generation = site.deployment("tfserving").metadata.generation
    status, said = site.run("start", name, "--release=2", *QUICK)
    assert status == 1, said
    assert words in said
    assert site.deployment("tfserving").metadata.generation == generation
    assert site.deployment("tfserving-canary").spec.replicas == 0
    assert site.journal()["step"] == "undone"


@pytest.mark.parametrize(
    "step", ["canary", "verify", "admit", "promote", "every pod", "bake", "close"]
)
def test_killed_at_a_step_start_goes_on(site, step):
    """By ``kill -9``; whoever goes on waits until the dead one's lease has run out."""
    terms = [word for word in START if not word.startswith(("--admit", "--bake"))]
    process = site.begin(*terms, "--admit-for=2", "--bake-for=2")
    steps = [step.value for step in WAY]

    def there():
        journal = site.journal()
        return journal and steps.index(journal["step"]) >= steps.index(step)

    site.until(there)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    status, said = site.run("start")
    assert status == 0 or "no rollout to go on with" in said, said
    assert site.image() == NEW
    assert site.deployment("tfserving-canary").spec.replicas == 0
    assert site.journal()["step"] == "finished"


def test_one_operator_at_a_time(site):
    """The second is told who is at work, and changes nothing."""
    words = [word for word in START if not word.startswith("--admit")]
    first = site.begin(*words, "--admit-for=20")
    site.until(lambda: (site.journal() or {}).get("step") == "admit")
    status, said = site.run("start")
    assert status == 75, said
    assert "is at work here" in said
    said, _ = first.communicate(timeout=patience(180))
    assert first.returncode == 0, said


def test_a_stale_holder_is_taken_over_aloud(site):
    """A lease that nobody renews."""
    body = {
        "metadata": {"name": "neumo-rollout"},
        "spec": {"holderIdentity": "gone@elsewhere:1", "leaseDurationSeconds": 2},
    }
    site.leases.create_namespaced_lease(site.namespace, body)
    status, said = site.run(*START)
    assert status == 0, said
    assert "gone@elsewhere:1 gives no sign of life: its lease is taken over" in said


def test_a_full_quota_is_said_before_anything_is_changed(site):
    """With what is needed and what is left."""
    quota = {"metadata": {"name": "small"}, "spec": {"hard": {"requests.cpu": "3"}}}
    site.core.create_namespaced_resource_quota(site.namespace, quota)
    status = {"status": {"hard": {"requests.cpu": "3"}, "used": {"requests.cpu": "2"}}}
    site.core.patch_namespaced_resource_quota_status("small", site.namespace, status)
    done, said = site.run(*START)
    assert done == 1
    assert "quota small: 4 of requests.cpu needed for 4 pods, 1 left" in said
    assert site.journal() is None


def test_rights_that_are_lacking_are_named(site):
    """By SelfSubjectAccessReview... or the first that is asked for."""
    status, said = site.run("plan", NEW, "--release=2", *QUICK, token=NOBODY)
    assert status == 75
    assert "forbidden" in said


def test_an_expired_token_pauses(site):
    """And stable is left alone."""
    status, said = site.run("start", NEW, "--release=2", *QUICK, token="expired")  # noqa: S106 - it opens nothing
    assert status == 75
    assert "refuses the credentials" in said
    assert site.image() == OLD


def test_an_engines_canary_is_not_taken_from_it(site):
    """A field that another manager owns is a conflict, and its name is said."""
    scaled = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "tfserving-canary"},
        "spec": {"replicas": 0},
    }
    site.apps.patch_namespaced_deployment(
        "tfserving-canary",
        site.namespace,
        scaled,
        field_manager="some-engine",
        force=True,
        _content_type="application/apply-patch+yaml",
    )
    status, said = site.run(*START)
    assert status == 1
    assert 'with "some-engine"' in said
    assert site.journal() is None


def test_an_api_server_that_is_away_pauses_and_start_goes_on(site):
    """The journal is what it was."""
    words = [word for word in START if not word.startswith("--admit")]
    process = site.begin(*words, "--admit-for=8")
    site.until(lambda: (site.journal() or {}).get("step") == "admit")
    site.server.stop()
    try:
        said, _ = process.communicate(timeout=patience(180))
    finally:
        site.server.start()
    assert process.returncode == 75, said
    assert "the API server does not answer" in said
    assert site.image() == OLD
    status, said = site.run("start")
    assert status == 0, said
    assert site.image() == NEW


class Engine(threading.Thread):
    """What Argo CD does with the overlay: the cluster gets what is in Git, by its own manager."""

    def __init__(self, site, file):
        super().__init__(daemon=True)
        self.site, self.file, self.ended = site, file, threading.Event()
        self.apply()

    def run(self):
        """Again and again."""
        while not self.ended.wait(0.5):
            self.apply()

    def apply(self):
        """Images, and the canary's replicas."""
        text = yaml.safe_load(self.file.read_text())
        images = {one["name"]: one for one in text["images"]}
        counts = {one["name"]: one["count"] for one in text.get("replicas", ())}
        for name in ("tfserving", "tfserving-canary"):
            one = images[f"neumo-{name}"]
            spec = {
                "replicas": counts.get(name, 2 if name == "tfserving" else 0),
                "template": {
                    "spec": {
                        "containers": [
                            {"name": "tfserving", "image": f"{one['newName']}@{one['digest']}"}
                        ]
                    }
                },
            }
            body = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name}}
            self.site.apps.patch_namespaced_deployment(
                name,
                self.site.namespace,
                {**body, "spec": spec},
                field_manager="argocd-controller",
                force=True,
                _content_type="application/apply-patch+yaml",
            )


def test_where_git_owns_the_cluster_git_is_edited_and_waited_for(site):
    """The engine applies each edit; ours is no manager of the Deployments; undo is an edit, too."""
    overlay = site.folder / "overlay"
    overlay.mkdir()
    file = overlay / "kustomization.yaml"
    digest = OLD.partition("@")[2]
    entry = "  - name: {}\n    newName: registry/neumo-tfserving\n    digest: {}\n"
    names = ("neumo-tfserving", "neumo-tfserving-canary")
    file.write_text("images:\n" + "".join(entry.format(name, digest) for name in names))
    engine = Engine(site, file)
    engine.start()
    try:
        status, said = site.run(*START)
        assert (status, "Argo CD does, so Git is edited: give --overlay" in said) == (1, True), said
        status, said = site.run(*START, f"--overlay={overlay}")
        assert status == 0, said
        assert f"commit and push {overlay}: Argo CD applies it, this waits" in said
        assert site.image() == NEW
        status, said = site.run("undo")
        assert status == 0, said
        assert site.image() == OLD
    finally:
        engine.ended.set()
        engine.join()
    for name in ("tfserving", "tfserving-canary"):
        managed = site.deployment(name).metadata.managed_fields
        assert "neumo-rollout" not in {one.manager for one in managed}


def test_the_overlay_gets_the_image_so_that_applying_it_changes_nothing(site):
    """What ``kubectl apply`` remembers has it, too."""
    overlay = site.folder / "overlay"
    overlay.mkdir()
    file = overlay / "kustomization.yaml"
    file.write_text(
        "# mine\nimages:\n  - name: neumo-tfserving\n    newName: registry/neumo-tfserving\n"
        '    newTag: "1" # old\n  - name: neumo-tfserving-canary\n    newTag: "1"\n'
    )
    status, said = site.run(*START, f"--overlay={overlay}")
    assert status == 0, said
    assert f"digest: sha256:{'2' * 64}" in file.read_text()
    assert file.read_text().startswith("# mine\n")
    assert file.read_text().count('newTag: "1"') == 1
