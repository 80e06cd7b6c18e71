"""The calls to the API server, by the official client: thin, and every error named."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

import kubernetes.client
import kubernetes.config
import urllib3
from kubernetes.client.exceptions import ApiException

from neumo.errors import ConfigError
from neumo_k8s import cluster_objects
from neumo_k8s.cluster_errors import (
    ClusterAway,
    ClusterError,
    Conflict,
    CredentialsRefused,
    Denied,
    NotThere,
)
from neumo_k8s.gateway_pods import Gateway
from neumo_k8s.observed_cluster import TRAFFIC_LABEL, TRAFFIC_ON, ObservedCluster

Fields: TypeAlias = dict[str, Any]

MANAGER = "neumo-rollout"
STABLE, CANARY = "tfserving", "tfserving-canary"
OPERATORS_PORT = 8081
"""Of a gateway, where its pod gives none a name."""
_TIMEOUT_S = (5.0, 15.0)
_APPLY, _JSON_PATCH = "application/apply-patch+yaml", "application/json-patch+json"
_LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"
VERSION_LABEL = "app.kubernetes.io/version"
_VERSION_PATH = "/app.kubernetes.io~1version"
_LABELLED = ("/metadata/labels", "/spec/template/metadata/labels")
_GIVES_WAY = ("kubectl-client-side-apply", "kubectl", "kubectl-scale", "kubectl-set")
"""Managers from which the canary is taken: a person's, who applies the overlay. No engine's."""

_RIGHTS = (
    ("get list", "apps", "deployments"),
    ("patch", "apps", "deployments"),
    ("list", "apps", "replicasets"),
    ("list patch", "", "pods"),
    ("list create", "", "events"),
    ("list", "", "services"),
    ("list", "", "resourcequotas"),
    ("get create update", "", "configmaps"),
    ("get create update", "coordination.k8s.io", "leases"),
    ("list", "autoscaling", "horizontalpodautoscalers"),
)


def connect(context: str | None = None) -> kubernetes.client.ApiClient:
    """A client of the cluster that the kubeconfig, or the pod that this runs in, names."""
    configuration = kubernetes.client.Configuration()
    # Whoever calls asks again by its own rule.
    configuration.retries = 0
    try:
        kubernetes.config.load_config(  # type: ignore[no-untyped-call]
            context=context, client_configuration=configuration
        )
    except (kubernetes.config.ConfigException, OSError, TypeError) as error:
        reason = " ".join(str(error).split())
        raise ConfigError(f"no cluster: {reason} (set KUBECONFIG, or --context)") from error
    return kubernetes.client.ApiClient(configuration)


class KubernetesCalls:
    """One namespace of one cluster. Every method raises a ``ClusterError`` where it fails."""

    def __init__(self, client: kubernetes.client.ApiClient, namespace: str) -> None:
        self.namespace = namespace
        self.client = client
        self._core = kubernetes.client.CoreV1Api(client)
        self._apps = kubernetes.client.AppsV1Api(client)
        self._scaling = kubernetes.client.AutoscalingV2Api(client)
        self._leases = kubernetes.client.CoordinationV1Api(client)
        self._rights = kubernetes.client.AuthorizationV1Api(client)

    def observe(self) -> ObservedCluster:
        """The Deployments and their pods as they are now."""
        found = {
            one["metadata"]["name"]: one
            for one in self._list(self._apps.list_namespaced_deployment)
            if one["metadata"]["name"] in {STABLE, CANARY}
        }
        if STABLE not in found:
            raise ConfigError(
                f"namespace {self.namespace} has no Deployment {STABLE}: apply an overlay, or -n"
            )
        sets = self._list(self._apps.list_namespaced_replica_set)
        selector = f"app.kubernetes.io/name={STABLE}"
        pods = self._list(self._core.list_namespaced_pod, label_selector=selector)
        events = self._list(self._core.list_namespaced_event, field_selector="type=Warning")
        seen = {
            name: cluster_objects.deployment(one, pods, sets, events) for name, one in found.items()
        }
        return ObservedCluster(self.namespace, seen[STABLE], seen.get(CANARY))

    def limits(self) -> Fields:
        """What else the preflight looks at: fields of ``ObservedCluster``."""
        list_quotas = self._core.list_namespaced_resource_quota
        list_scalers = self._scaling.list_namespaced_horizontal_pod_autoscaler
        return {
            "gated": cluster_objects.is_gated(self._list(self._core.list_namespaced_service)),
            "autoscaler": cluster_objects.autoscaler(self._list(list_scalers), STABLE),
            "rooms": cluster_objects.rooms(self._list(list_quotas)),
        }

    def gateways(self) -> list[Gateway]:
        """The gateways' pods that run, with the port that operators ask."""
        selector = "app.kubernetes.io/name=gateway"
        found = []
        for one in self._list(self._core.list_namespaced_pod, label_selector=selector):
            if one.get("status", {}).get("podIP") and "deletionTimestamp" not in one["metadata"]:
                ports = [p for c in one["spec"]["containers"] for p in c.get("ports", ())]
                named = {p.get("name"): p["containerPort"] for p in ports}
                port = named.get("operators", OPERATORS_PORT)
                found.append(Gateway(one["metadata"]["name"], one["status"]["podIP"], port))
        return found

    def denied(self) -> tuple[str, ...]:
        """The rights that the operator lacks here."""
        lacking = []
        for verbs, group, resource in _RIGHTS:
            for verb in verbs.split():
                attributes = {
                    "namespace": self.namespace,
                    "verb": verb,
                    "group": group,
                    "resource": resource,
                }
                body = {
                    "apiVersion": "authorization.k8s.io/v1",
                    "kind": "SelfSubjectAccessReview",
                    "spec": {"resourceAttributes": attributes},
                }
                answer = _json(self._rights.create_self_subject_access_review, body)
                if not answer["status"].get("allowed"):
                    lacking.append(f"{verb} {resource}")
        return tuple(lacking)

    def refused(self, image: str, release: int, instead_of: str) -> tuple[str, ...]:
        """What a dry run of the canary's and stable's change comes to."""
        words = []
        try:
            self.set_canary(image, 1, release, dry_run="All")
            self.set_stable(image, release, instead_of, dry_run="All")
        except (ClusterAway, CredentialsRefused):
            raise
        except ClusterError as error:
            words.append(str(error))
        return tuple(words)

    def set_canary(
        self, image: str | None, replicas: int, release: int | None = None, **options: str
    ) -> None:
        """Own the canary's image, release and replicas, by server-side apply; None: as it is."""
        spec: Fields = {"replicas": replicas}
        now = _json(self._apps.read_namespaced_deployment, CANARY, self.namespace)
        container = cluster_objects.main_container(now["spec"]["template"]["spec"])
        named = {"name": container["name"], "image": image or container["image"]}
        labels = _version_labels(now, release)
        spec["template"] = {"metadata": {"labels": labels}, "spec": {"containers": [named]}}
        body = {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": {"name": CANARY, "labels": labels},
            "spec": spec,
        }
        self._apply(self._apps.patch_namespaced_deployment, CANARY, body, **options)

    def set_traffic(self, pod: str, *, on: bool) -> None:
        """Put the traffic label on ``pod``, or take it off."""
        labels = {TRAFFIC_LABEL: TRAFFIC_ON} if on else {}
        meta = {"name": pod, "labels": labels}
        body = {"apiVersion": "v1", "kind": "Pod", "metadata": meta}
        try:
            self._apply(self._core.patch_namespaced_pod, pod, body)
            if not on:
                # Also where somebody else put it on.
                gone = {"metadata": {"labels": {TRAFFIC_LABEL: None}}}
                _json(
                    self._core.patch_namespaced_pod,
                    pod,
                    self.namespace,
                    gone,
                    field_manager=MANAGER,
                    _content_type="application/merge-patch+json",
                )
        except NotThere:
            # It has gone meanwhile, and its users with it.
            return

    def set_stable(self, image: str, release: int, instead_of: str, **options: str) -> None:
        """Write stable's image where it still is ``instead_of``.

        What ``kubectl apply`` remembers is written with it, so that the same image in the overlay
        is no change. Raises ``Conflict`` where it is another one by now.
        """
        one = _json(self._apps.read_namespaced_deployment, STABLE, self.namespace)
        pod = one["spec"]["template"]["spec"]
        containers, name = pod["containers"], cluster_objects.main_container(pod)["name"]
        number = [c["name"] for c in containers].index(name)
        path = f"/spec/template/spec/containers/{number}/image"
        patch: list[Fields] = [
            {"op": "test", "path": path, "value": instead_of},
            {"op": "replace", "path": path, "value": image},
        ]
        if _version_labels(one, release):
            patch += [
                {"op": "add", "path": at + _VERSION_PATH, "value": str(release)} for at in _LABELLED
            ]
        remembered = one["metadata"].get("annotations", {}).get(_LAST_APPLIED)
        if remembered:
            applied = json.loads(remembered)
            for container in applied["spec"]["template"]["spec"]["containers"]:
                if container["name"] == name:
                    container["image"] = image
            for meta in (applied["metadata"], applied["spec"]["template"]["metadata"]):
                if VERSION_LABEL in meta.get("labels", {}):
                    meta["labels"][VERSION_LABEL] = str(release)
            text = json.dumps(applied, separators=(",", ":"), ensure_ascii=False) + "\n"
            where = "/metadata/annotations/" + _LAST_APPLIED.replace("/", "~1")
            patch.append({"op": "replace", "path": where, "value": text})
        _json(
            self._apps.patch_namespaced_deployment,
            STABLE,
            self.namespace,
            patch,
            field_manager=MANAGER,
            _content_type=_JSON_PATCH,
            **options,
        )

    def has_version(self) -> bool:
        """Whether stable's pods are labelled with their release."""
        one = _json(self._apps.read_namespaced_deployment, STABLE, self.namespace)
        return bool(_version_labels(one, None))

    def read_map(self, name: str) -> Fields | None:
        """The ConfigMap ``name``; None where there is none."""
        return _or_none(self._core.read_namespaced_config_map, name, self.namespace)

    def write_map(self, one: Fields) -> Fields:
        """Make the ConfigMap, or replace it where it is as it was read; ``Conflict`` else."""
        meta = one["metadata"]
        if "resourceVersion" not in meta:
            return self._create(self._core.create_namespaced_config_map, one)
        replace = self._core.replace_namespaced_config_map
        return _json(replace, meta["name"], self.namespace, one, field_manager=MANAGER)

    def read_lease(self, name: str) -> Fields | None:
        """The Lease ``name``; None where there is none."""
        return _or_none(self._leases.read_namespaced_lease, name, self.namespace)

    def write_lease(self, one: Fields) -> Fields:
        """As ``write_map``."""
        meta = one["metadata"]
        if "resourceVersion" not in meta:
            return self._create(self._leases.create_namespaced_lease, one)
        replace = self._leases.replace_namespaced_lease
        return _json(replace, meta["name"], self.namespace, one, field_manager=MANAGER)

    def create_event(self, event: Fields) -> None:
        """Say something about an object to whoever lists the namespace's events."""
        self._create(self._core.create_namespaced_event, event)

    def _create(self, method: Callable[..., Any], one: Fields) -> Fields:
        return _json(method, self.namespace, one, field_manager=MANAGER)

    def _apply(self, method: Callable[..., Any], name: str, body: Fields, **options: str) -> None:
        given = {"field_manager": MANAGER, "_content_type": _APPLY, **options}
        try:
            _json(method, name, self.namespace, body, **given)
        except Conflict as error:
            owners = re.findall(r'conflicts? with "([^"]+)"', str(error))
            if not owners or any(one not in _GIVES_WAY for one in owners):
                raise
            _json(method, name, self.namespace, body, force=True, **given)

    def _list(self, method: Callable[..., Any], **options: str) -> list[Fields]:
        return list(_json(method, self.namespace, **options)["items"])


def _version_labels(one: Fields, release: int | None) -> dict[str, str]:
    """The label that says the release, where the Deployment ``one`` has it; None: as it says."""
    now = one["spec"]["template"]["metadata"].get("labels", {}).get(VERSION_LABEL)
    return {} if now is None else {VERSION_LABEL: now if release is None else str(release)}


def _or_none(method: Callable[..., Any], *given: Any) -> Fields | None:  # noqa: ANN401
    try:
        return _json(method, *given)
    except NotThere:
        return None


def _json(method: Callable[..., Any], *given: Any, **options: Any) -> Fields:  # noqa: ANN401
    """What the server answers, as it is: the client's own classes refuse what they do not know."""
    try:
        answer = method(*given, _preload_content=False, _request_timeout=_TIMEOUT_S, **options)
        found: Fields = json.loads(answer.data)
    except ApiException as error:
        raise _named(error) from error
    except (urllib3.exceptions.HTTPError, OSError) as error:
        reason = " ".join(str(error).split())[:200]
        raise ClusterAway(f"the API server does not answer: {reason}") from error
    return found


def _named(error: ApiException) -> ClusterError:
    words = _message(error)
    kinds: Mapping[int, type[ClusterError]] = {
        401: CredentialsRefused,
        403: Denied,
        404: NotThere,
        409: Conflict,
    }
    status = int(error.status or 0)
    if status == 401:
        return CredentialsRefused("the API server refuses the credentials: log in again")
    if status in {0, 429} or status >= 500:
        return ClusterAway(f"the API server answers {status}: {words}")
    if status == 422 and "the server rejected our request" in words:
        return Conflict("stable's image has changed meanwhile")
    return kinds.get(status, ClusterError)(words)


def _message(error: ApiException) -> str:
    try:
        return " ".join(str(json.loads(error.body or "")["message"]).split())
    except (ValueError, KeyError, TypeError):
        return f"{error.status} {error.reason}"
