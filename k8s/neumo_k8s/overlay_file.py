"""The overlay's ``kustomization.yaml``, edited as a person would: nothing else in it changes."""

from __future__ import annotations

import difflib
import re
from pathlib import Path

import yaml

from neumo.errors import ConfigError
from neumo_k8s.image_reference import ImageReference


def path_in(overlay: Path) -> Path:
    """The kustomization in the folder ``overlay``; ``ConfigError`` where there is none."""
    for name in ("kustomization.yaml", "kustomization.yml", "Kustomization"):
        if (overlay / name).is_file():
            return overlay / name
    raise ConfigError(f"{overlay}: no kustomization.yaml: give the overlay's folder")


def with_image(text: str, name: str, image: str) -> str:
    """``text`` with the entry ``name`` under ``images`` giving ``image``.

    Raises ``ConfigError`` where there is no such entry, or one that cannot be edited.
    """
    wanted = ImageReference.read(image)
    lines = text.splitlines(keepends=True)
    start = _entry(lines, name)
    dash = len(lines[start]) - len(lines[start].lstrip())
    inside = " " * (dash + 2)
    end = start + 1
    while end < len(lines) and (not lines[end].strip() or lines[end].startswith(inside)):
        end += 1
    while not lines[end - 1].strip():
        end -= 1
    kept = [one for one in lines[start:end] if not re.match(r"\s+(newTag|newName|digest):", one)]
    fields = {
        "newName": wanted.name if wanted.name != name else "",
        "newTag": "" if wanted.digest else f'"{wanted.tag}"',
        "digest": wanted.digest,
    }
    added = [f"{inside}{key}: {value}\n" for key, value in fields.items() if value]
    changed = "".join([*lines[:start], *kept, *added, *lines[end:]])
    found = [one for one in yaml.safe_load(changed)["images"] if one["name"] == name]
    if len(found) != 1:
        raise ConfigError(f"images has {name} more than once: edit it by hand")
    return changed


def with_replicas(text: str, name: str, count: int) -> str:
    """``text`` with ``count`` replicas for the Deployment ``name``, under ``replicas``."""
    lines = text.splitlines(keepends=True)
    for number, line in enumerate(lines):
        if re.match(rf"\s*- name: {re.escape(name)}\s*$", line) and number + 1 < len(lines):
            found = re.match(r"(\s+count:\s*)\d+\s*$", lines[number + 1])
            if found:
                lines[number + 1] = f"{found[1]}{count}\n"
                return "".join(lines)
    entry = f"  - name: {name}\n    count: {count}\n"
    for number, line in enumerate(lines):
        if line.rstrip() == "replicas:":
            return "".join([*lines[: number + 1], entry, *lines[number + 1 :]])
    return f"{text.rstrip()}\nreplicas:\n{entry}"


def with_version(text: str, name: str, release: int) -> str:
    """``text`` with ``release`` in the patch of the Deployment ``name`` that labels its version.

    The patch is added where there is none, as in an overlay of an overlay.
    """
    lines = text.splitlines(keepends=True)
    inside = found = False
    for number, line in enumerate(lines):
        if re.match(r"\s*- (target|path|patch):", line):
            inside = re.search(rf"\bname: {re.escape(name)}\b(?!-)", line) is not None
        if inside and "app.kubernetes.io~1version" in line:
            lines[number] = re.sub(r'(value: )"?\d+"?', rf'\g<1>"{release}"', line)
            found = True
    return "".join(lines) if found else _with_version_patch(lines, name, release)


def _with_version_patch(lines: list[str], name: str, release: int) -> str:
    begin = next((n for n, line in enumerate(lines) if line.rstrip() == "patches:"), None)
    if begin is None:
        lines = [*lines, "patches:\n"]
        begin = len(lines) - 1
    following = lines[begin + 1] if begin + 1 < len(lines) else "  -"
    space = " " * (len(following) - len(following.lstrip()))
    patch = [f"{space}- target: {{kind: Deployment, name: {name}}}\n", f"{space}  patch: |\n"]
    for labels in ("/metadata/labels", "/spec/template/metadata/labels"):
        path = f"{labels}/app.kubernetes.io~1version"
        patch.append(f'{space}    - {{op: add, path: {path}, value: "{release}"}}\n')
    return "".join([*lines[: begin + 1], *patch, *lines[begin + 1 :]])


def image_name(text: str, image: str) -> str:
    """The entry under ``images`` that gives ``image``'s name; ``ConfigError`` where none does."""
    wanted = ImageReference.read(image).name
    for one in (yaml.safe_load(text) or {}).get("images") or ():
        if wanted in {one.get("newName"), one["name"]} and not one["name"].endswith("-canary"):
            return str(one["name"])
    raise ConfigError(f"the overlay's images name no {wanted}: give the overlay that runs here")


def diff(path: Path, before: str, after: str) -> str:
    """What changes in ``path``, as ``git diff`` shows it."""
    pair = before.splitlines(keepends=True), after.splitlines(keepends=True)
    name = f"{path.parent.name}/{path.name}"
    return "".join(difflib.unified_diff(*pair, f"a/{name}", f"b/{name}"))


def _entry(lines: list[str], name: str) -> int:
    inside = False
    for number, line in enumerate(lines):
        if line.strip() and not line[0].isspace() and line[0] not in "#-":
            inside = line.startswith("images:")
        if inside and re.match(rf"\s*- name: [\"']?{re.escape(name)}[\"']?\s*$", line):
            return number
    raise ConfigError(f"no `- name: {name}` under images: edit it by hand")
