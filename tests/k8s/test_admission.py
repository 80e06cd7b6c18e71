"""What a real API server says of the manifests, none of which is run: it takes no image."""

from __future__ import annotations

import json

import pytest

from support.cluster.kubectl import TAKEN, attempt, kubectl, namespace, need_cluster
from support.cluster.manifests import MONITORING, OVERLAYS, overlay, path_from, wrapped

pytestmark = pytest.mark.cluster

WHERE = f"{TAKEN}-dry"


@pytest.fixture(scope="module", autouse=True)
def _namespace():
    need_cluster()
    with namespace(WHERE):
        yield


def dry_run(folder, *words):
    """What the API server says of the kustomization in ``folder``, without applying it."""
    return attempt("apply", "--dry-run=server", "-k", str(folder), *words)


def changed(folder, path, value):
    """Production, with one field of its containers set to ``value``."""
    operation = {"op": "add", "path": f"/spec/template/spec/{path}", "value": value}
    patch = {"target": {"kind": "Deployment"}, "patch": json.dumps([operation])}
    return wrapped(folder / "wrapped", "production", namespace=WHERE, patches=[patch])


@pytest.mark.parametrize("name", OVERLAYS)
def test_the_api_server_accepts_an_overlay_as_it_is(name, tmp_path):
    """Every object, without a warning."""
    done = dry_run(wrapped(tmp_path / "wrapped", name, namespace=WHERE))
    assert done.returncode == 0, done.stderr
    assert "Warning" not in done.stderr


def test_the_api_server_accepts_the_monitoring(tmp_path):
    """Where Prometheus' operator has its kinds."""
    if attempt("get", "crd", "servicemonitors.monitoring.coreos.com").returncode:
        pytest.skip("the cluster has no ServiceMonitor: install Prometheus' operator's CRDs")
    folder = tmp_path / "wrapped"
    folder.mkdir()
    done = dry_run(
        wrapped(folder, "production", namespace=WHERE, components=[path_from(folder, MONITORING)])
    )
    assert done.returncode == 0, done.stderr


def test_a_misspelled_field_is_refused(tmp_path):
    """By its name, so that what is accepted above is spelled as Kubernetes spells it."""
    done = dry_run(changed(tmp_path, "containers/0/imagePullPolice", "Never"))
    assert done.returncode != 0
    assert 'unknown field "spec.template.spec.containers[0].imagePullPolice"' in done.stderr


def test_pods_that_break_restricted_are_warned_of(tmp_path):
    """Pod Security says which rule, and that there is none of it above means something."""
    done = dry_run(changed(tmp_path, "hostNetwork", value=True))
    assert 'would violate PodSecurity "restricted' in done.stderr


def test_an_overlay_is_refused_in_another_ones_namespace():
    """Each object is refused by kubectl, which says why."""
    done = dry_run(overlay("local"), "-n", WHERE)
    assert done.returncode != 0
    assert "does not match the namespace" in done.stderr


@pytest.mark.parametrize("name", OVERLAYS)
def test_applying_an_overlay_again_changes_nothing(name, tmp_path):
    """It says so, and nobody's fields are in conflict where the server applies it.

    Of a disruption budget alone kubectl says "configured" whatever it did (its patch always
    replaces the selector); that nothing changed is told by ``kubectl diff``.
    """
    nowhere = [{"op": "add", "path": "/spec/template/spec/nodeSelector", "value": {"no": "node"}}]
    patch = {"target": {"kind": "Deployment"}, "patch": json.dumps(nowhere)}
    with namespace(f"{WHERE}-again") as where:
        folder = str(wrapped(tmp_path / "wrapped", name, namespace=where, patches=[patch]))
        # Twice: the overlay's namespace was there before, made otherwise.
        for _ in range(2):
            kubectl("apply", "-k", folder)
        told = kubectl("apply", "-k", folder).splitlines()
        changed = [line for line in told if not line.endswith(" unchanged")]
        assert all(line.startswith("poddisruptionbudget") for line in changed), changed
        assert attempt("diff", "-k", folder).stdout == ""
        done = attempt("apply", "--server-side", "-k", folder)
        assert done.returncode == 0, done.stderr
