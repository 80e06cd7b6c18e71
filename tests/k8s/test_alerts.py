"""The alert rules of the monitoring component, judged by Prometheus' own tool."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from support.cluster.manifests import MONITORING, need
from support.places import ROOT

TESTS = sorted(Path(__file__).parent.glob("alerts*.yaml"))
RUNBOOKS = ROOT / "docs" / "runbooks.md"
PROMTOOL = "apt-get install prometheus, which has it"


@pytest.fixture
def rules():
    """What the PrometheusRule holds."""
    return yaml.safe_load((MONITORING / "prometheusrule.yaml").read_text())["spec"]


@pytest.mark.parametrize("tests", TESTS, ids=lambda path: path.stem)
def test_the_rules_fire_when_they_should_and_not_before(rules, tests, tmp_path):
    """Each case in ``alerts*.yaml``, by ``promtool test rules``."""
    need("promtool", PROMTOOL)
    (tmp_path / "rules.yaml").write_text(yaml.safe_dump(rules))
    shutil.copy(tests, tmp_path)
    command = ["promtool", "test", "rules", tests.name]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_rule_has_a_case_in_which_it_fires(rules):
    """A rule that no test makes fire might never."""
    names = {rule["alert"] for group in rules["groups"] for rule in group["rules"]}
    tests = [test for path in TESTS for test in yaml.safe_load(path.read_text())["tests"]]
    cases = [case for test in tests for case in test["alert_rule_test"]]
    assert {case["alertname"] for case in cases if case["exp_alerts"]} == names


def test_every_rule_leads_to_its_runbook(rules):
    """By the anchor that its heading has in the documentation."""
    headings = re.findall(r"^## (\w+)$", RUNBOOKS.read_text(encoding="utf-8"), re.MULTILINE)
    anchors = {f"#{heading.lower()}" for heading in headings}
    for rule in (rule for group in rules["groups"] for rule in group["rules"]):
        url = rule["annotations"]["runbook_url"]
        assert url.startswith("https://")
        assert f"#{url.partition('#')[2]}" in anchors
        assert url.endswith(f"runbooks.html#{rule['alert'].lower()}")
