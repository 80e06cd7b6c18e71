"""Each overlay on a real Kubernetes, under Pod Security ``restricted``: ``make test-cluster``."""

from __future__ import annotations

import pytest
import yaml
from cluster import TAKEN, attempt, deployed, fit, kubectl, namespace, need_cluster, until
from manifests import MONITORING, OVERLAYS, overlay, path_from, wrapped

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(1800)]

PREDICT = """
import neumo
from neumo import phantom

with neumo.Client("{url}", timeout=60) as client:
    print(client.predict(phantom.draw(1, 1)[0]).release)
"""


@pytest.fixture(autouse=True)
def _cluster():
    need_cluster()


def dry_run(folder, where):
    """What the API server says of the kustomization in ``folder``, without applying it."""
    with namespace(where):
        return attempt("apply", "--dry-run=server", "-k", str(folder))


@pytest.mark.parametrize("name", OVERLAYS)
def test_the_api_server_accepts_an_overlay_as_it_is(name, tmp_path):
    """Every object, without a warning."""
    where = f"{TAKEN}-dry"
    done = dry_run(wrapped(tmp_path / "wrapped", name, namespace=where), where)
    assert done.returncode == 0, done.stderr
    assert "Warning" not in done.stderr


def test_the_api_server_accepts_the_monitoring(tmp_path):
    """Where Prometheus' operator has its kinds."""
    if attempt("get", "crd", "servicemonitors.monitoring.coreos.com").returncode:
        pytest.skip("the cluster has no ServiceMonitor: install Prometheus' operator's CRDs")
    where, folder = f"{TAKEN}-dry", tmp_path / "wrapped"
    folder.mkdir()
    monitored = wrapped(
        folder, "production", namespace=where, components=[path_from(folder, MONITORING)]
    )
    done = dry_run(monitored, where)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("name", OVERLAYS)
def test_an_overlay_comes_up_and_an_application_predicts(name, app, tmp_path, tell):
    """Ready under ``restricted``; the SDK in another namespace finds the pods by DNS."""
    fitted = fit(1, 1)
    tell(f"{name}, to fit 2 cores:")
    for one in fitted:
        tell(f"  {' '.join(one['target'].values())}: {yaml.safe_load(one['patch'])}")
    with deployed(tmp_path / "wrapped", name, fitted) as one:
        assert app.python(PREDICT.format(url=one.url)).split() == ["1"]


def test_the_canary_is_asked_by_itself(app, tmp_path):
    """Scaled to one pod of the next release, the preview Service has it alone."""
    with deployed(tmp_path / "wrapped", "production", fit(1, 1)) as one:
        canary = "deployment/tfserving-canary"
        kubectl("set", "image", canary, "tfserving=neumo-tfserving:2", "-n", one.namespace)
        kubectl("scale", canary, "--replicas=1", "-n", one.namespace)
        one.rolled()
        preview = one.url.replace("//tfserving.", "//tfserving-preview.")
        assert app.python(PREDICT.format(url=preview)).split() == ["2"]
        until(lambda: len(one.model_servers()) == 1, "the stable track keeps its pod")


def test_an_overlay_is_refused_in_another_ones_namespace():
    """Each object is refused by kubectl, which says why."""
    with namespace(f"{TAKEN}-other") as where:
        done = attempt("apply", "--dry-run=server", "-k", str(overlay("local")), "-n", where)
        assert done.returncode != 0
        assert "does not match the namespace" in done.stderr
