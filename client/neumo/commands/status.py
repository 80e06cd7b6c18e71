"""``neumo status``."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from neumo import contract
from neumo.client import Client
from neumo.commands import arguments
from neumo.commands.program import OK, SERVING
from neumo.model_status import ModelStatus, VersionStatus, ready_releases


def main(argv: list[str]) -> int:
    """Show which models and releases a server has, and which are ready."""
    parser = arguments.Parser("neumo status", description=main.__doc__)
    arguments.add_server(parser)
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    chosen = parser.parse_args(argv)
    with Client(chosen.server, timeout=chosen.timeout) as client:
        models = client.status()
    releases = ready_releases(models, (member.name for member in contract.MEMBERS))
    print(_json(models, releases) if chosen.json else _table(models, releases))
    return OK if releases else SERVING


def _json(models: Sequence[ModelStatus], releases: list[int]) -> str:
    return json.dumps({"ready_releases": releases, "models": [_model(m) for m in models]}, indent=1)


def _model(status: ModelStatus) -> dict[str, Any]:
    versions = [
        {"version": v.version, "state": v.state.value, "ready": v.ready, "error": v.error or None}
        for v in status.versions
    ]
    return {"model": status.model, "versions": versions}


def _table(models: Sequence[ModelStatus], releases: list[int]) -> str:
    served = {status.model: status for status in models}
    names = [member.name for member in contract.MEMBERS]
    names += [name for name in served if name not in names]
    rows = [_row(name, version) for name in names for version in _versions(served.get(name))]
    return "\n".join([f"{'model':20}  {'version':>7}  state", *rows, _verdict(releases)])


def _versions(status: ModelStatus | None) -> Sequence[VersionStatus | None]:
    return status.versions if status and status.versions else [None]


def _row(name: str, version: VersionStatus | None) -> str:
    if version is None:
        return f"{name:20}  {'-':>7}  not served"
    error = f": {' '.join(version.error.split())}" if version.error else ""
    return f"{name:20}  {version.version:7}  {version.state.value}{error}"


def _verdict(releases: list[int]) -> str:
    if not releases:
        return "not ready: the members have no ready release in common"
    told = ", ".join(map(str, releases))
    return f"ready: release {told}"
