"""The alert rules of the monitoring component, judged by Prometheus' own tool."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from support.cluster.manifests import MONITORING, need

TESTS = Path(__file__).parent / "alerts.yaml"
PROMTOOL = "apt-get install prometheus, which has it"


@pytest.fixture
def rules():
    """What the PrometheusRule holds."""
    return yaml.safe_load((MONITORING / "prometheusrule.yaml").read_text())["spec"]


def test_the_rules_fire_when_they_should_and_not_before(rules, tmp_path):
    """Each case in ``alerts.yaml``, by ``promtool test rules``."""
    need("promtool", PROMTOOL)
    (tmp_path / "rules.yaml").write_text(yaml.safe_dump(rules))
    shutil.copy(TESTS, tmp_path)
    command = ["promtool", "test", "rules", TESTS.name]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_rule_has_a_case_in_which_it_fires(rules):
    """A rule that no test makes fire might never."""
    names = {rule["alert"] for group in rules["groups"] for rule in group["rules"]}
    tests = yaml.safe_load(TESTS.read_text())["tests"]
    cases = [case for test in tests for case in test["alert_rule_test"]]
    assert {case["alertname"] for case in cases if case["exp_alerts"]} == names
