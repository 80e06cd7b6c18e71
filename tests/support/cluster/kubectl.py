"""The Kubernetes that ``KUBECONFIG`` names, asked by ``kubectl`` alone."""

from __future__ import annotations

import json
import os
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml

from support.cluster.manifests import need, wrapped
from support.patience import patience

HOW = (
    "no cluster: make one with kind, k3d or minikube, export its KUBECONFIG, and run "
    "make test-cluster LOAD='kind load image-archive'"
)
WITHIN_S = patience(600.0)
SECRETS = {"gateway-tokens": {"tokens": "a-token-for-the-tests"}}
TAKEN = "neumo-test"
Fields = dict[str, Any]


def kubectl(*words: str, stdin: str | None = None) -> str:
    """What kubectl says; fails the test where it fails."""
    done = attempt(*words, stdin=stdin)
    assert done.returncode == 0, f"kubectl {' '.join(words)}: {done.stderr[-3000:]}"
    return done.stdout


def attempt(*words: str, stdin: str | None = None) -> subprocess.CompletedProcess[str]:
    """What comes of a command that may fail."""
    return subprocess.run(
        ["kubectl", *words], input=stdin, capture_output=True, text=True, check=False
    )


def get(namespace: str, kind: str, selector: str = "") -> list[Any]:
    """Every object of ``kind`` in ``namespace`` that ``selector`` has."""
    words = ["get", kind, "-n", namespace, "-o", "json", "-l", selector]
    return list(json.loads(kubectl(*words))["items"])


def need_cluster() -> None:
    """Skip the test where ``KUBECONFIG`` names no cluster that answers.

    kubectl's own default is not taken: it might be one that matters.
    """
    need("kubectl", "install kubectl 1.30 or later")
    if not os.environ.get("KUBECONFIG") or attempt("get", "--raw=/readyz").returncode:
        pytest.skip(HOW)


def until(condition: Callable[[], Any], what: str, within_s: float = WITHIN_S) -> Any:
    """What ``condition`` returns once it is true; fails the test where it never is."""
    deadline = time.monotonic() + within_s
    while not (found := condition()):
        if time.monotonic() > deadline:
            pytest.fail(f"not within {within_s:g} s: {what}")
        time.sleep(0.5)
    return found


@contextmanager
def namespace(name: str, level: str = "restricted") -> Iterator[str]:
    """A namespace with that level of Pod Security, which goes with everything in it."""
    labels = {f"pod-security.kubernetes.io/{mode}": level for mode in ("enforce", "warn")}
    document = {
        "apiVersion": "v1",
        "kind": "Namespace",
        "metadata": {"name": name, "labels": labels},
    }
    kubectl("apply", "-f", "-", stdin=yaml.safe_dump(document))
    try:
        yield name
    finally:
        attempt("delete", "deployment,hpa", "--all", "-n", name)
        attempt("delete", "pod", "--all", "-n", name, "--grace-period=0", "--force")
        attempt("delete", "namespace", name, f"--timeout={patience(120):g}s")


class Deployed:
    """An overlay as it is applied to a namespace of its own, fitted to a small machine."""

    def __init__(self, folder: Path, overlay: str, fit: list[Fields]) -> None:
        self.namespace = f"{TAKEN}-{overlay}"
        self._folder = folder
        self._overlay = overlay
        self._fit = fit

    @property
    def url(self) -> str:
        """What an application in another namespace gives the SDK, which asks DNS for it."""
        return f"grpc://tfserving.{self.namespace}.svc.cluster.local:8500"

    def kustomization(
        self, release: int | str = 1, patches: tuple[Fields, ...] = (), **image: str
    ) -> Path:
        """The overlay with ``release``, and ``patches`` beside those that make it fit."""
        return wrapped(
            self._folder,
            self._overlay,
            namespace=self.namespace,
            images=[{"name": self.image, **(image or {"newTag": str(release)})}],
            patches=[*self._fit, *patches],
        )

    @property
    def image(self) -> str:
        """The name of the model server's image."""
        return "neumo-embedded" if self._overlay == "embedded" else "neumo-tfserving"

    def apply(self, **changes: Any) -> None:
        """``kubectl apply -k`` of ``kustomization(**changes)``."""
        kubectl("apply", "-k", str(self.kustomization(**changes)))

    def rolled(self) -> None:
        """Wait until every Deployment is as it was applied."""
        for one in get(self.namespace, "deployment"):
            name = f"deployment/{one['metadata']['name']}"
            limit = f"--timeout={WITHIN_S:g}s"
            kubectl("rollout", "status", name, "-n", self.namespace, limit)

    def model_servers(self) -> list[Any]:
        """The stable pods that run or leave."""
        return get(self.namespace, "pod", "app.kubernetes.io/name=tfserving,track=stable")

    def settled(self) -> None:
        """Wait until no pod is leaving any more."""
        until(
            lambda: not any("deletionTimestamp" in p["metadata"] for p in self.model_servers()),
            "the old pods are gone",
        )

    def gateway_python(self, code: str) -> str:
        """What ``code`` prints in a gateway's pod, the one place from where it may be asked."""
        words = ("exec", "-i", "-n", self.namespace, "deployment/gateway", "--", "python3", "-")
        return kubectl(*words, stdin=code)

    def trouble(self, pod: Any) -> str:
        """Why ``pod`` does not run: what ``kubectl describe`` has of it, events included."""
        return kubectl("describe", "pod", pod["metadata"]["name"], "-n", self.namespace)


@contextmanager
def deployed(folder: Path, overlay: str, fit: list[Fields], release: int = 1) -> Iterator[Deployed]:
    """``overlay`` with ``release``, applied and ready."""
    one = Deployed(folder, overlay, fit)
    with namespace(one.namespace):
        for name, content in SECRETS.items():
            literals = [f"--from-literal={key}={value}" for key, value in content.items()]
            kubectl("create", "secret", "generic", name, "-n", one.namespace, *literals)
        one.apply(release=release)
        one.rolled()
        yield one


def fit(least: int, most: int, *, window_s: int = 300, cpu_limit: str = "") -> list[Fields]:
    """What makes an overlay fit 2 cores: lower requests and replicas, and nothing else.

    ``window_s`` is the autoscaler's before it takes pods away, ``cpu_limit`` a model server's.
    """
    requests = {"tfserving": ("200m", "256Mi"), "gateway": ("50m", "128Mi")}
    lower = [
        {
            "target": {"kind": "Deployment", "labelSelector": f"app.kubernetes.io/name={name}"},
            "patch": yaml.safe_dump(
                [
                    {
                        "op": "replace",
                        "path": "/spec/template/spec/containers/0/resources/requests",
                        "value": {"cpu": cpu, "memory": memory},
                    }
                ]
            ),
        }
        for name, (cpu, memory) in requests.items()
    ]
    if cpu_limit:
        path = "/spec/template/spec/containers/0/resources/limits/cpu"
        bound = [{"op": "replace", "path": path, "value": cpu_limit}]
        lower.append({**lower[0], "patch": yaml.safe_dump(bound)})
    replicas = [
        {"op": "replace", "path": "/spec/minReplicas", "value": least},
        {"op": "replace", "path": "/spec/maxReplicas", "value": most},
    ]
    window = [
        {
            "op": "add",
            "path": "/spec/behavior/scaleDown",
            "value": {
                "stabilizationWindowSeconds": window_s,
                "policies": [{"type": "Pods", "value": 1, "periodSeconds": 15}],
            },
        }
    ]
    scaled = [
        {
            "target": {"kind": "HorizontalPodAutoscaler", "name": "gateway"},
            "patch": yaml.safe_dump([{**replicas[0], "value": 1}, {**replicas[1], "value": 1}]),
        },
        {
            "target": {"kind": "HorizontalPodAutoscaler", "name": "tfserving"},
            "patch": yaml.safe_dump(replicas + (window if window_s < 300 else [])),
        },
    ]
    return [*lower, *scaled]
