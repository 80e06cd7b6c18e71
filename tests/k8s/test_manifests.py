"""The overlays as kubectl renders them: no cluster is needed."""

from __future__ import annotations

import copy
import re
import shutil

import pytest
import yaml

from neumo import contract
from neumo_serving.engine import batching_parameters
from neumo_serving.gateway.gateway_settings import CALLS_OF_A_FILM
from support.cluster.manifests import (
    MONITORING,
    OVERLAYS,
    containers,
    of_kind,
    overlay,
    path_from,
    pods,
    rendered,
    selects,
    wrapped,
)
from support.cluster.quantities import cores, mebibytes
from support.images.daemon import SERVER
from support.places import ROOT

MAX_BATCH_SIZE = 1024
"""The most films that ``predict_many`` puts into one request."""
BOTH_TRACKS = ["tfserving", "tfserving-canary"]
MODEL_SERVERS = {"local": ["tfserving"], "production": BOTH_TRACKS, "embedded": BOTH_TRACKS}


@pytest.fixture(scope="module", params=OVERLAYS)
def name(request):
    """An overlay's name."""
    return request.param


@pytest.fixture(scope="module")
def resources(name):
    """What it makes."""
    return rendered(overlay(name))


def test_everything_is_in_the_overlays_own_namespace(name, resources):
    """Which enforces Pod Security ``restricted``, so that two overlays never meet in one."""
    (namespace,) = of_kind(resources, "Namespace").values()
    labels = namespace["metadata"]["labels"]
    assert labels["pod-security.kubernetes.io/enforce"] == "restricted"
    found = {one["metadata"].get("namespace") for one in resources if one is not namespace}
    assert found == {namespace["metadata"]["name"]}


def test_no_two_overlays_share_a_namespace():
    """Applied with the other's ``-n``, one is refused by kubectl."""
    assert len({next(iter(of_kind(rendered(overlay(o)), "Namespace"))) for o in OVERLAYS}) == 3


def test_pods_obey_pod_security_restricted(resources):
    """Not root, the default seccomp profile, no capability, no privileges to gain."""
    for _, pod in pods(resources):
        security = pod["spec"]["securityContext"]
        assert security["runAsNonRoot"]
        assert security["runAsUser"] > 0
        assert security["seccompProfile"] == {"type": "RuntimeDefault"}
    for _, one in containers(resources):
        security = one["securityContext"]
        assert security["allowPrivilegeEscalation"] is False
        assert security["capabilities"] == {"drop": ["ALL"]}
        assert not security.get("privileged")


def test_containers_write_to_tmp_alone(resources):
    """The root is read-only, and every other volume is mounted so."""
    for _, one in containers(resources):
        assert one["securityContext"]["readOnlyRootFilesystem"]
        writable = [m["mountPath"] for m in one["volumeMounts"] if not m.get("readOnly")]
        assert writable == ["/tmp"]  # noqa: S108 - the volume's path


def test_pods_get_no_service_account_token(resources):
    """They ask nothing of the API server."""
    assert all(not pod["spec"]["automountServiceAccountToken"] for _, pod in pods(resources))


def test_every_container_has_requests_and_limits(resources):
    """For CPU and memory, the limit at least the request."""
    for _, one in containers(resources):
        requests, limits = one["resources"]["requests"], one["resources"]["limits"]
        assert cores(requests["cpu"]) <= cores(limits["cpu"])
        assert mebibytes(requests["memory"]) <= mebibytes(limits["memory"])


def test_images_are_pinned(resources):
    """By a tag that is not ``latest``; a node that has one does not pull it again."""
    for _, one in containers(resources):
        _, _, tag = one["image"].rpartition("/")[2].partition(":")
        assert tag not in {"", "latest"}
        assert one["imagePullPolicy"] == "IfNotPresent"


def test_the_autoscaler_alone_owns_the_replicas(resources):
    """Only the canary states them: none, until it is scaled."""
    deployments = of_kind(resources, "Deployment")
    stated = {name: one["spec"].get("replicas") for name, one in deployments.items()}
    assert stated.pop("tfserving-canary", 0) == 0
    assert set(stated.values()) == {None}
    targets = {
        one["spec"]["scaleTargetRef"]["name"]
        for one in of_kind(resources, "HorizontalPodAutoscaler").values()
    }
    assert targets == set(stated)


def test_a_canary_answers_no_user_until_it_is_admitted(name, resources):
    """Deployments and budgets select their track; Services take pods with traffic."""
    templates = dict(pods(resources))
    assert [one for one in templates if one.startswith("tfserving")] == MODEL_SERVERS[name]
    for owner, one in of_kind(resources, "Deployment").items():
        selector = one["spec"]["selector"]["matchLabels"]
        assert [pod for pod in templates if selects(selector, templates[pod])] == [owner]
    budget = of_kind(resources, "PodDisruptionBudget")["tfserving"]["spec"]["selector"]
    assert selects(budget["matchLabels"], templates["tfserving"])
    assert budget["matchLabels"]["track"] == "stable"
    for service, one in of_kind(resources, "Service").items():
        found = [pod for pod in templates if selects(one["spec"]["selector"], templates[pod])]
        expected = {"gateway": ["gateway"], "tfserving-preview": ["tfserving-canary"]}
        assert found == expected.get(service, ["tfserving"])
        if service.startswith("tfserving") and "tfserving-canary" in templates:
            admitted = copy.deepcopy(templates["tfserving-canary"])
            admitted["metadata"]["labels"]["neumo/traffic"] = "on"
            assert selects(one["spec"]["selector"], admitted)


def test_the_canary_can_be_asked_before_it_is_ready():
    """By whoever verifies it, by its Service's name."""
    service = of_kind(rendered(overlay("production")), "Service")["tfserving-preview"]["spec"]
    assert service["publishNotReadyAddresses"]
    assert service["clusterIP"] == "None"


@pytest.mark.parametrize("name", ["production", "embedded"])
def test_a_canary_is_one_image_in_an_overlay(name, tmp_path):
    """Named apart from the stable one's, so that a commit changes the one or the other."""
    stable = "neumo-embedded" if name == "embedded" else "neumo-tfserving"
    images = [
        {"name": f"{stable}-canary", "newName": f"registry.example.org/{stable}", "newTag": "3"}
    ]
    found = dict(containers(rendered(wrapped(tmp_path, name, images=images))))
    assert found["tfserving-canary"]["image"] == f"registry.example.org/{stable}:3"
    assert found["tfserving"]["image"] == f"{stable}:2"


def test_pods_say_their_release(resources):
    """The label that ``kubectl get pods -L app.kubernetes.io/version`` shows is the image's tag."""
    for name, one in of_kind(resources, "Deployment").items():
        if name.startswith("tfserving"):
            (container,) = one["spec"]["template"]["spec"]["containers"]
            tag = container["image"].rpartition(":")[2]
            for labels in (
                one["metadata"]["labels"],
                one["spec"]["template"]["metadata"]["labels"],
            ):
                assert labels["app.kubernetes.io/version"] == tag
            assert "app.kubernetes.io/version" not in one["spec"]["selector"]["matchLabels"]


def test_a_pod_starts_when_every_model_at_every_release_of_its_image_is_available(resources):
    """The probe is in the image; with health alone, a release that did not load would pass."""
    for name, one in containers(resources):
        if name.startswith("tfserving"):
            _, program, folder, port = one["startupProbe"]["exec"]["command"]
            assert f"--model_config_file={folder}/models.config" in one["args"]
            assert f"--rest_api_port={port}" in one["args"]
            assert (ROOT / "serving" / program.rpartition("/")[2]).is_file()


def test_what_the_api_server_fills_in_is_written_out(resources):
    """So that applying again says "unchanged", by the client and by the server."""
    for one in of_kind(resources, "Deployment").values():
        assert one["spec"]["strategy"]["type"] == "RollingUpdate"
    ports = [port for _, one in containers(resources) for port in one["ports"]]
    for one in of_kind(resources, "Service").values():
        ports += one["spec"]["ports"]
    for one in of_kind(resources, "NetworkPolicy").values():
        for rule in one["spec"].get("ingress", []) + one["spec"].get("egress", []):
            ports += rule.get("ports", [])
    assert all(port["protocol"] in {"TCP", "UDP"} for port in ports)


def test_ports_go_by_their_names(resources):
    """Containers' and Services' alike; the operators' port is the gateway's alone."""
    named = {port["name"] for _, one in containers(resources) for port in one["ports"]}
    assert named == {"grpc", "http", "operators"}
    for one in of_kind(resources, "Service").values():
        for port in one["spec"]["ports"]:
            assert port["name"] == port["targetPort"]
            assert port["name"] in named


def test_grpc_goes_by_addresses_and_rest_by_one(resources):
    """The headless Service lets clients go round all pods; an HTTP connection cannot."""
    services = of_kind(resources, "Service")
    assert services["tfserving"]["spec"]["clusterIP"] == "None"
    assert "clusterIP" not in services["tfserving-rest"]["spec"]


def test_threads_are_as_many_as_the_cores_requested(resources):
    """The flag follows the request, in whole cores: 0 would be as many as the node has."""
    for name, one in containers(resources):
        if not name.startswith("tfserving"):
            continue
        (variable,) = one["env"]
        assert variable["valueFrom"]["resourceFieldRef"] == {
            "resource": "requests.cpu",
            "divisor": "1",
        }
        flags = [arg for arg in one["args"] if "parallelism" in arg]
        assert len(flags) == 2
        assert all(flag.endswith(f"=$({variable['name']})") for flag in flags)


def test_as_many_batches_run_at_once_as_cores_are_requested():
    """In production."""
    parameters = batching_parameters.read(ROOT / "serving" / "tfserving" / "batching.config")
    found = dict(containers(rendered(overlay("production"))))["tfserving"]
    assert parameters.num_batch_threads == cores(found["resources"]["requests"]["cpu"])


def flag(one, name):
    """The number that a container's flag ``name`` gives."""
    (argument,) = [arg for arg in one["args"] if arg.startswith(f"--{name}=")]
    return int(argument.partition("=")[2])


def test_the_gateways_at_their_most_fit_the_model_servers_at_their_fewest(resources):
    """A film is a call to each model; of the quota one thread waits for the next call."""
    found = dict(containers(resources))
    scalers = of_kind(resources, "HorizontalPodAutoscaler")
    films = flag(found["gateway"], "films-at-once") * scalers["gateway"]["spec"]["maxReplicas"]
    places = (flag(found["tfserving"], "grpc_max_threads") - 1) * scalers["tfserving"]["spec"][
        "minReplicas"
    ]
    assert films * len(contract.MODELS) <= places
    assert len(contract.MODELS) == CALLS_OF_A_FILM


def test_a_request_of_the_most_films_fits_a_batch_of_several():
    """``predict_many(batch_size=1024)`` is split; batches stay of a size that is quick."""
    parameters = batching_parameters.read(ROOT / "serving" / "tfserving" / "batching.config")
    assert parameters.max_batch_size >= MAX_BATCH_SIZE
    assert parameters.enable_large_batch_splitting
    assert parameters.largest_batch == 32


def test_requests_that_wait_for_their_batch_are_bounded_by_threads_alone(resources):
    """As the file says: the queue is longer than what the quota lets in."""
    parameters = batching_parameters.read(ROOT / "serving" / "tfserving" / "batching.config")
    threads = flag(dict(containers(resources))["tfserving"], "grpc_max_threads")
    assert parameters.max_enqueued_batches > threads * MAX_BATCH_SIZE / parameters.max_batch_size


def test_profiling_is_off(resources):
    """On by default upstream, for anybody who reaches the port."""
    for name, one in containers(resources):
        if name.startswith("tfserving"):
            assert "--enable_profiler=false" in one["args"]


def test_compose_starts_the_model_servers_as_the_manifests_do(resources):
    """But for its own threads, and for health, which it looks at otherwise."""
    document = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))
    composed = document["x-models"]["command"]
    args = dict(containers(resources))["tfserving"]["args"]
    others = ("parallelism", "healthcheck", "channel_arguments")
    assert {one for one in args if not any(word in one for word in others)} == {
        one for one in composed if not any(word in one for word in others)
    }


def test_the_number_of_tensorflow_servings_image_is_written_in_one_place():
    """In serving/Dockerfile; whatever else names the image names that one."""
    (line,) = re.findall(
        r"^ARG SERVER=(\S+)$", (ROOT / "serving/Dockerfile").read_text(encoding="utf-8"), re.M
    )
    assert line == SERVER
    files = [ROOT / "docker-compose.yml", *(ROOT / "serving").glob("*Dockerfile")]
    files += [*(ROOT / "k8s").rglob("*.yaml"), *(ROOT / "tests").rglob("Dockerfile")]
    named = {
        image
        for path in files
        for image in re.findall(r"tensorflow/serving:[\w.-]+", path.read_text(encoding="utf-8"))
    }
    assert named == {line}


def test_a_pod_that_leaves_drains_first(resources):
    """It waits longer than names in DNS, connections made by them and calls on those."""
    dns_s, deadline_s = 30, 30
    for name, pod in pods(resources):
        (one,) = pod["spec"]["containers"]
        sleep_s = one["lifecycle"]["preStop"]["sleep"]["seconds"]
        assert sleep_s < pod["spec"]["terminationGracePeriodSeconds"]
        if name.startswith("tfserving"):
            (flag,) = [arg for arg in one["args"] if "max_connection_age_ms" in arg]
            age_s = int(flag.rpartition("=")[2]) / 1000 * 1.1
            assert sleep_s >= dns_s + age_s + deadline_s


def test_rolling_takes_no_pod_away_first(resources):
    """New pods are ready before old ones leave, and a roll that hangs is called so."""
    for one in of_kind(resources, "Deployment").values():
        assert one["spec"]["strategy"]["rollingUpdate"]["maxUnavailable"] == 0
        assert one["spec"]["minReadySeconds"] > 0
        assert one["spec"]["progressDeadlineSeconds"] > 0


def test_what_is_not_allowed_is_denied(resources):
    """Every pod is under the policy that denies, in and out, and under one that allows."""
    policies = of_kind(resources, "NetworkPolicy")
    denying = policies.pop("neumo-default-deny")["spec"]
    assert denying["policyTypes"] == ["Ingress", "Egress"]
    assert "ingress" not in denying
    assert "egress" not in denying
    for _, pod in pods(resources):
        assert selects(denying["podSelector"]["matchLabels"], pod)
        allowing = [one["spec"]["podSelector"]["matchLabels"] for one in policies.values()]
        assert sum(selects(labels, pod) for labels in allowing) == 1


def test_a_changed_configuration_rolls_the_pods(resources):
    """The ConfigMap's name holds its hash, in the Deployments too."""
    (config,) = of_kind(resources, "ConfigMap")
    assert config.startswith("tfserving-config-")
    for name, pod in pods(resources):
        if name.startswith("tfserving"):
            assert pod["spec"]["volumes"][0]["configMap"]["name"] == config


def test_pods_of_one_roll_are_spread(resources):
    """Over nodes and zones, the old ones not counted."""
    for _, pod in pods(resources):
        spread = pod["spec"]["topologySpreadConstraints"]
        assert all(one["matchLabelKeys"] == ["pod-template-hash"] for one in spread)
        assert len({one["topologyKey"] for one in spread}) == 2


def test_the_embedded_overlay_differs_in_the_server_alone(tmp_path):
    """Image, command and the time that it has to stop; for the rest it is production."""
    production = rendered(wrapped(tmp_path, "production", namespace="neumo-embedded"))
    for name, pod in pods(production):
        if name.startswith("tfserving"):
            (one,) = pod["spec"]["containers"]
            track = name.removeprefix("tfserving")
            assert one["image"] == f"neumo-tfserving{track}:2"
            assert one["command"] == ["/usr/bin/tensorflow_model_server"]
            one |= {"image": f"neumo-embedded{track}:2", "command": ["neumo", "serve"]}
            pod["spec"]["terminationGracePeriodSeconds"] = 125
    assert production == rendered(overlay("embedded"))


def test_the_embedded_overlay_has_its_own_image_whatever_productions_is_called(tmp_path):
    """Such as one in a registry."""
    for folder in ("k8s", "serving/tfserving"):
        shutil.copytree(ROOT / folder, tmp_path / folder)
    file = tmp_path / "k8s" / "overlays" / "production" / "kustomization.yaml"
    document = yaml.safe_load(file.read_text())
    for one in document["images"]:
        one["newName"] = f"registry.example.org/{one['name']}"
    file.write_text(yaml.safe_dump(document))
    found = dict(containers(rendered(tmp_path / "k8s" / "overlays" / "embedded")))
    assert found["tfserving"]["image"] == "neumo-embedded:2"
    assert found["gateway"]["image"] == "registry.example.org/neumo-gateway:0.1.0"


def test_production_asks_for_a_token_and_for_tls():
    """Its gateway checks bearer tokens, and the Ingress has a certificate."""
    resources = rendered(overlay("production"))
    assert "--token-file=/tokens/tokens" in dict(containers(resources))["gateway"]["args"]
    (ingress,) = of_kind(resources, "Ingress").values()
    hosts = {rule["host"] for rule in ingress["spec"]["rules"]}
    assert {host for tls in ingress["spec"]["tls"] for host in tls["hosts"]} == hosts


def test_monitoring_finds_the_services_by_their_labels(tmp_path):
    """Each ServiceMonitor has one Service with a port of that name, so no pod counts twice."""
    component = path_from(tmp_path, MONITORING)
    resources = rendered(wrapped(tmp_path, "production", components=[component]))
    services = of_kind(resources, "Service").values()
    for monitor in of_kind(resources, "ServiceMonitor").values():
        labels = monitor["spec"]["selector"]["matchLabels"]
        (endpoint,) = monitor["spec"]["endpoints"]
        (_,) = [
            one
            for one in services
            if labels.items() <= one["metadata"]["labels"].items()
            and endpoint["port"] in {port["name"] for port in one["spec"]["ports"]}
        ]
    boards = of_kind(resources, "ConfigMap").values()
    assert sum(one["metadata"]["labels"].get("grafana_dashboard") == "1" for one in boards) == 1
