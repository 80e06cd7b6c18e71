"""The stack of docker-compose.yml: valid in every profile, and alive with the embedded server."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import time

import pytest
import yaml

import neumo
from neumo import release
from neumo.release import phantom
from support.cluster.manifests import MONITORING
from support.images import daemon, shipped_store
from support.patience import patience
from support.places import ROOT

LONGEST_S = patience(300.0)
PROFILES = {
    ("tfserving",): {"tfserving", "gateway"},
    ("embedded",): {"embedded", "gateway"},
    ("embedded", "monitoring"): {"embedded", "gateway", "prometheus", "grafana"},
}


def compose(*words, check=True, **environ):
    """What ``docker compose`` says."""
    done = subprocess.run(
        ["docker", "compose", *words],
        cwd=ROOT,
        env=os.environ | environ,
        capture_output=True,
        text=True,
        check=False,
    )
    assert not check or done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def plugin():
    """Skip where there is no Compose 2."""
    if not shutil.which("docker") or "v2" not in compose("version", check=False):
        pytest.skip("no docker compose 2 here")


def services(*profiles):
    """The services of ``profiles``; of the one in .env without any."""
    flags = [word for one in profiles for word in ("--profile", one)]
    return yaml.safe_load(compose(*flags, "config"))["services"]


def test_tensorflow_serving_is_the_default(plugin):
    """``docker compose up`` without a profile."""
    assert set(services()) == PROFILES[("tfserving",)]


@pytest.mark.parametrize("profiles", PROFILES, ids="+".join)
def test_a_profile_starts_what_it_names(plugin, profiles):
    """The embedded server instead of the other, monitoring beside either."""
    assert set(services(*profiles)) == PROFILES[profiles]


def test_every_service_is_hardened_and_bounded(plugin):
    """Not root, a read-only root, no capabilities, limits; only this machine reaches a port."""
    for one in services("tfserving", "embedded", "monitoring").values():
        assert one["user"] == "10001:10001"
        assert one["read_only"]
        assert one["cap_drop"] == ["ALL"]
        assert {"cpus", "memory"} <= set(one["deploy"]["resources"]["limits"])
        assert all(port["host_ip"] == "127.0.0.1" for port in one.get("ports", []))


def test_the_gateway_waits_for_the_models(plugin):
    """It starts when the server that there is has loaded them."""
    for profile in ("tfserving", "embedded"):
        waits = services(profile)["gateway"]["depends_on"]
        assert waits[profile]["condition"] == "service_healthy"


def test_both_servers_are_told_the_same(plugin):
    """Flags, mounts and limits."""
    found = services("tfserving", "embedded")
    for key in ("command", "volumes", "deploy"):
        assert found["tfserving"][key] == found["embedded"][key]


def test_grafana_shows_the_clusters_dashboard(plugin):
    """One dashboard for both."""
    mounted = [one["source"] for one in services("tfserving", "monitoring")["grafana"]["volumes"]]
    assert str(MONITORING / "dashboard.json") in mounted


@pytest.fixture(scope="module")
def stack(plugin, tmp_path_factory):
    """The embedded profile with release 1 alone, up and healthy; the folder of its models."""
    daemon.need_daemon()
    daemon.embedded()
    daemon.gateway()
    older, _ = shipped_store.two_releases()
    models = tmp_path_factory.mktemp("models")
    models.parent.chmod(0o755)
    models.chmod(0o755)
    copy(older, models)
    override = models.parent / "override.yml"
    override.write_text(
        yaml.safe_dump({"services": {"embedded": {"volumes": [f"{models}:/models:ro"]}}})
    )
    files = {"COMPOSE_FILE": f"docker-compose.yml:{override}", "COMPOSE_PROFILES": "embedded"}
    try:
        compose("up", "--wait", "--wait-timeout", "600", **files)
        yield models, files
    finally:
        compose("down", "--timeout", "30", **files)


def copy(number, models):
    """Put release ``number`` into ``models`` as it should be done: whole versions, by renaming."""
    manifest = release.read(shipped_store.STORE / "releases" / f"{number}.json")
    for model in manifest.models:
        staged = shutil.copytree(
            shipped_store.STORE / model / str(number), models / f".{model}-{number}"
        )
        (models / model).mkdir(exist_ok=True)
        staged.rename(models / model / str(number))
    config = release.models_config(manifest, "/models")
    (models / "models.config").write_text(config)


@pytest.mark.images
@pytest.mark.timeout(3600)
def test_the_stack_answers_and_takes_a_new_version(stack):
    """Healthy, it predicts; a release that is dropped into the folder answers soon after."""
    models, files = stack
    states = [json.loads(line) for line in compose("ps", "--format", "json", **files).splitlines()]
    assert {one["Service"]: one["Health"] for one in states} == dict.fromkeys(
        ("embedded", "gateway"), "healthy"
    )
    older, newer = shipped_store.two_releases()
    film = phantom.draw(1, 1)[0]
    with neumo.Client("grpc://localhost:8500", timeout=patience(60)) as client:
        assert client.predict(film).release == older
        copy(newer, models)
        deadline = time.monotonic() + LONGEST_S
        while client.predict(film).release != newer:
            assert time.monotonic() < deadline
            time.sleep(1)
