"""What ``kubectl kustomize`` makes of the folders in ``k8s/``, as plain data."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from support.places import ROOT

MONITORING = ROOT / "k8s" / "components" / "monitoring"
OVERLAYS = ("local", "production", "embedded")
Resource = dict[str, Any]


def overlay(name: str) -> Path:
    """Where the overlay ``name`` is."""
    return ROOT / "k8s" / "overlays" / name


def need(program: str, package: str) -> None:
    """Skip the test where ``program`` is not installed."""
    if shutil.which(program) is None:
        pytest.skip(f"no {program} here: {package}")


def wrapped(folder: Path, name: str, **fields: Any) -> Path:
    """An overlay of the overlay ``name`` in ``folder``, with more ``fields`` of a kustomization."""
    folder.mkdir(exist_ok=True)
    document = {
        "apiVersion": "kustomize.config.k8s.io/v1beta1",
        "kind": "Kustomization",
        "resources": [path_from(folder, overlay(name))],
        **fields,
    }
    (folder / "kustomization.yaml").write_text(yaml.safe_dump(document, sort_keys=False))
    return folder


def path_from(folder: Path, target: Path) -> str:
    """``target`` as a kustomization in ``folder`` names it: kustomize takes no absolute path."""
    return os.path.relpath(target.resolve(), folder.resolve())


def rendered(folder: Path) -> list[Resource]:
    """Every resource that the kustomization in ``folder`` makes."""
    need("kubectl", "install kubectl 1.30 or later")
    done = subprocess.run(
        ["kubectl", "kustomize", str(folder)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[:2000]
    return list(yaml.safe_load_all(done.stdout))


def of_kind(resources: list[Resource], kind: str) -> dict[str, Resource]:
    """Those of one kind, by name."""
    return {one["metadata"]["name"]: one for one in resources if one["kind"] == kind}


def pods(resources: list[Resource]) -> Iterator[tuple[str, Resource]]:
    """The name and the pod template of every Deployment."""
    for name, one in of_kind(resources, "Deployment").items():
        yield name, one["spec"]["template"]


def containers(resources: list[Resource]) -> Iterator[tuple[str, Resource]]:
    """Every container, under its Deployment's name."""
    for name, pod in pods(resources):
        for one in [*pod["spec"].get("initContainers", []), *pod["spec"]["containers"]]:
            yield name, one


def selects(selector: dict[str, str], pod: Resource) -> bool:
    """Whether ``selector`` has the pods made by the template ``pod``."""
    return selector.items() <= pod["metadata"]["labels"].items()
