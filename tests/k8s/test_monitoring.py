"""A real Prometheus scrapes a server and a gateway, and knows every metric of the dashboard."""

from __future__ import annotations

import json
import re
import subprocess

import pytest
import requests
import yaml

import neumo
from neumo import contract
from neumo.release import phantom
from neumo.testing import EmbeddedServer
from support.cluster.kubectl import until
from support.cluster.manifests import MONITORING, need
from support.gateway_process import gateway
from support.patience import patience
from support.places import ROOT
from support.serving_process import free_port

CONFIG = ROOT / "serving" / "prometheus" / "prometheus.yml"
SERVING_CONFIG = ROOT / "serving" / "tfserving"
WITHIN_S = patience(120.0)
PARTS_OF_HISTOGRAMS = re.compile("_(bucket|count|sum)$")
METRIC = re.compile(r"(?<![\w\"])(:tensorflow:[\w:]+|neumo_[a-z_]+)")


@pytest.fixture(scope="module")
def prometheus(tmp_path_factory):
    """Prometheus' URL; it scrapes a server and a gateway by the file that Compose gives it."""
    need("prometheus", "apt-get install prometheus")
    flags = [
        f"--monitoring_config_file={SERVING_CONFIG / 'monitoring.config'}",
        "--enable_batching",
        f"--batching_parameters_file={SERVING_CONFIG / 'batching.config'}",
    ]
    folder = tmp_path_factory.mktemp("prometheus")
    with EmbeddedServer(flags) as server, gateway(server.grpc_url) as web:
        with neumo.Client(server.grpc_url, timeout=patience(60)) as client:
            client.predict(phantom.draw(1, 1)[0])
        operators = f"http://127.0.0.1:{web.operators_port}"
        targets = {"tfserving": server.http_url, "gateway": operators}
        port = free_port()
        command = [
            "prometheus",
            f"--config.file={configured(folder, targets)}",
            f"--storage.tsdb.path={folder / 'data'}",
            f"--web.listen-address=127.0.0.1:{port}",
            "--log.level=error",
        ]
        process = subprocess.Popen(command)
        try:
            url = f"http://127.0.0.1:{port}/api/v1"
            until(lambda: are_up(url, len(targets)), "both are scraped", WITHIN_S)
            yield url
        finally:
            process.kill()
            process.wait()


def configured(folder, targets):
    """The file, with the addresses of this test and no time to lose."""
    config = yaml.safe_load(CONFIG.read_text())
    config["global"]["scrape_interval"] = "1s"
    for job in config["scrape_configs"]:
        address = targets[job["job_name"]].removeprefix("http://")
        job["static_configs"] = [{"targets": [address]}]
    path = folder / "prometheus.yml"
    path.write_text(yaml.safe_dump(config))
    return path


def are_up(url, count):
    """Whether so many targets were scraped."""
    try:
        answer = requests.get(f"{url}/query", params={"query": "up == 1"}, timeout=patience(10))
    except requests.ConnectionError:
        return False
    return answer.ok and len(answer.json()["data"]["result"]) == count


def asked(url, **words):
    """What Prometheus answers."""
    answer = requests.get(url, params=words, timeout=patience(10))
    assert answer.status_code == 200, answer.text
    return answer.json()["data"]


def expressions():
    """Those of the dashboard and of the alert rules."""
    board = json.loads((MONITORING / "dashboard.json").read_text())
    panels = [target["expr"] for panel in board["panels"] for target in panel["targets"]]
    spec = yaml.safe_load((MONITORING / "prometheusrule.yaml").read_text())["spec"]
    rules = [rule["expr"] for group in spec["groups"] for rule in group["rules"]]
    return [one.replace("$__rate_interval", "1m") for one in panels + rules]


def annotations():
    """The dashboard's: of a rollout's metrics, which are no gateway's or server's."""
    board = json.loads((MONITORING / "dashboard.json").read_text())
    return [one["expr"] for one in board["annotations"]["list"]]


def test_every_query_is_understood(prometheus):
    """Those of the dashboard, its annotations and the alert rules."""
    for one in expressions() + annotations():
        asked(f"{prometheus}/query", query=one)


def test_every_metric_that_is_asked_for_is_scraped(prometheus):
    """By its name; a counter that is still at nothing is declared all the same."""
    declared = set(asked(f"{prometheus}/metadata"))
    wanted = {name for one in expressions() for name in METRIC.findall(one)}
    assert wanted
    missing = {name for name in wanted if not declared & {name, PARTS_OF_HISTOGRAMS.sub("", name)}}
    assert missing == set()


def test_a_prediction_is_seen(prometheus):
    """Each model was asked once."""
    query = 'sum by (model_name) (:tensorflow:serving:request_count{status="OK"})'
    until(
        lambda: len(asked(f"{prometheus}/query", query=query)["result"]) == len(contract.MODELS),
        "every model's requests",
        WITHIN_S,
    )
