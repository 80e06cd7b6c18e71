"""``neumo status``."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from neumo import contract, release, settings
from neumo.client import Client
from neumo.commands import arguments, server_addresses
from neumo.commands.program import OK, SERVING
from neumo.errors import NeumoError, ServingError
from neumo.model_status import ModelStatus, VersionStatus, ready_releases

_MEMBERS = tuple(member.name for member in contract.MEMBERS)


@dataclass(frozen=True, slots=True)
class _Server:
    """What the server at ``url`` says of its models; ``error`` where it says nothing."""

    url: str
    models: tuple[ModelStatus, ...] = ()
    error: str = ""

    @property
    def releases(self) -> list[int]:
        """Those that it can answer from now."""
        return ready_releases(self.models, _MEMBERS)

    def states(self, model: str, number: int) -> list[VersionStatus]:
        """What it says of version ``number`` of ``model``: at most one."""
        return [
            version
            for status in self.models
            if status.model == model
            for version in status.versions
            if version.version == number
        ]


def main(argv: list[str]) -> int:
    """Show which models and releases a server has, and which are ready."""
    parser = arguments.Parser(
        "neumo status",
        description=f"{main.__doc__} Where the name has several addresses, each is asked.",
    )
    arguments.add_server(parser)
    parser.add_argument(
        "--release",
        metavar="N",
        type=arguments.whole_from(1),
        help="exit status 3 unless every server serves all models of this release",
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    chosen = parser.parse_args(argv)
    url = settings.resolve(chosen.server).url
    servers = _asked(server_addresses.urls(url), chosen.timeout)
    releases = sorted(set.intersection(*(set(server.releases) for server in servers)), reverse=True)
    lacking = None if chosen.release is None else _lacking(chosen.release, servers)
    if chosen.json:
        print(_json(servers, releases, lacking))
    else:
        print("\n".join([*_tables(servers), *_verdict(releases, chosen.release, lacking)]))
    return OK if releases and not lacking else SERVING


def _asked(urls: Sequence[str], timeout_s: float | None) -> list[_Server]:
    if len(urls) == 1:
        # An error of the only one is the command's.
        return [_server(urls[0], timeout_s)]
    servers = []
    for url in urls:
        try:
            servers.append(_server(url, timeout_s))
        except ServingError as error:
            servers.append(_Server(url, error=" ".join(str(error).split())))
    return servers


def _server(url: str, timeout_s: float | None) -> _Server:
    with Client(url, timeout=timeout_s) as client:
        return _Server(url, client.status())


def _lacking(number: int, servers: Sequence[_Server]) -> list[str]:
    """What is missing of release ``number``, a line each."""
    return [
        _without(server, model, number)
        for server in servers
        for model in _models_of(number, servers)
        if not any(version.ready for version in server.states(model, number))
    ]


def _without(server: _Server, model: str, number: int) -> str:
    states = server.states(model, number)
    state = states[0].state.value if states else server.error or "not there"
    return f"{model} {number} at {server.url}: {state}"


def _models_of(number: int, servers: Iterable[_Server]) -> list[str]:
    """The models that the release has: by its manifest, where it came with neumo.

    Of another one by what is known of it anywhere: the members always, and what some server has.
    """
    known = _shipped(number)
    return [
        model.name
        for model in contract.MODELS
        if model.name in (known or _MEMBERS)
        or any(server.states(model.name, number) for server in servers)
    ]


def _shipped(number: int) -> Mapping[str, Any] | None:
    try:
        return release.read(release.manifest_path(release.shipped(), number)).models
    except NeumoError:
        return None


def _json(servers: Sequence[_Server], releases: list[int], lacking: list[str] | None) -> str:
    document: dict[str, Any] = {"ready_releases": releases}
    if lacking is not None:
        document["lacking"] = lacking
    if len(servers) == 1:
        document["models"] = [_model(one) for one in servers[0].models]
    else:
        document["servers"] = [
            {
                "url": server.url,
                "ready_releases": server.releases,
                "error": server.error or None,
                "models": [_model(one) for one in server.models],
            }
            for server in servers
        ]
    return json.dumps(document, indent=1)


def _model(status: ModelStatus) -> dict[str, Any]:
    versions = [
        {"version": v.version, "state": v.state.value, "ready": v.ready, "error": v.error or None}
        for v in status.versions
    ]
    return {"model": status.model, "versions": versions}


def _tables(servers: Sequence[_Server]) -> list[str]:
    if len(servers) == 1:
        return _table(servers[0].models)
    lines = []
    for server in servers:
        lines += [server.url, *([server.error] if server.error else _table(server.models)), ""]
    return lines


def _table(models: Sequence[ModelStatus]) -> list[str]:
    served = {status.model: status for status in models}
    names = [*_MEMBERS, *(name for name in served if name not in _MEMBERS)]
    rows = [_row(name, version) for name in names for version in _versions(served.get(name))]
    return [f"{'model':20}  {'version':>7}  state", *rows]


def _versions(status: ModelStatus | None) -> Sequence[VersionStatus | None]:
    return status.versions if status and status.versions else [None]


def _row(name: str, version: VersionStatus | None) -> str:
    if version is None:
        return f"{name:20}  {'-':>7}  not served"
    error = f": {' '.join(version.error.split())}" if version.error else ""
    return f"{name:20}  {version.version:7}  {version.state.value}{error}"


def _verdict(releases: list[int], wanted: int | None, lacking: list[str] | None) -> list[str]:
    if lacking:
        return [f"release {wanted} is not served everywhere:", *(f"  {one}" for one in lacking)]
    if not releases:
        return ["not ready: the members have no ready release in common"]
    told = ", ".join(map(str, releases))
    return [f"ready: release {told}"]
