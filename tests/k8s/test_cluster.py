"""Each overlay on a real Kubernetes, under Pod Security ``restricted``: ``make test-cluster``."""

from __future__ import annotations

import pytest
import yaml

from support.cluster.kubectl import deployed, fit, kubectl, until
from support.cluster.manifests import OVERLAYS

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(1800)]

PREDICT = """
import neumo
from neumo.release import phantom

with neumo.Client("{url}", timeout=60) as client:
    print(client.predict(phantom.draw(1, 1)[0]).release)
"""


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
