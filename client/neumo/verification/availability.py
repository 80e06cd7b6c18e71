"""Which models of two releases a server has, waited for as long as there is time."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

from neumo import contract
from neumo._wire.calls import Status
from neumo.errors import ModelNotFound, ServingError
from neumo.model_status import VersionState, VersionStatus
from neumo.verification.asked_server import AskedServer
from neumo.verification.manifest_file import ManifestFile
from neumo.verification.report import Check, Remark

POLL_S = 0.5
Found = tuple[list[Remark], list[Remark]]
"""What is wrong, and what cannot be told."""

_COMING = {VersionState.UNKNOWN, VersionState.START, VersionState.LOADING}


def wait(
    server: AskedServer, held: ManifestFile, wait_s: float, progress: Callable[[str], None]
) -> Found:
    """What of the releases is not AVAILABLE after ``wait_s`` seconds at most.

    It ends as soon as all is there, or something is that no waiting mends.
    """
    until = time.monotonic() + wait_s
    told = ""
    while True:
        faults, unknown, is_final = _look(server, held)
        if is_final or not (faults or unknown) or time.monotonic() >= until:
            return faults, unknown
        if (waiting := (unknown or faults)[0].line) != told:
            told = waiting
            progress(f"waiting: {told}")
        time.sleep(POLL_S)


def _look(server: AskedServer, held: ManifestFile) -> tuple[list[Remark], list[Remark], bool]:
    """What is wrong now, what may yet come, and whether waiting mends nothing."""
    faults: list[Remark] = []
    unknown: list[Remark] = []
    is_final = False
    try:
        for check, model, number in _wanted(held):
            version = _version(server, model, number)
            if version is not None and version.ready:
                continue
            if version is not None and version.state in _COMING:
                text = (
                    f"version {number} is {version.state.value}: wait longer, --wait SECONDS, "
                    "or look at the server's log"
                )
                unknown.append(Remark(server.url, check, model, text))
                continue
            faults.append(Remark(server.url, check, model, _absence(number, version)))
            is_final |= version is not None and bool(version.error)
        stray = list(_strays(server, held))
    except ServingError as error:
        away = Remark(server.url, Check.SERVER, error.model, _why(error))
        return faults, [*unknown, away], is_final
    # No waiting takes away a model that is there and should not be.
    return [*faults, *stray], unknown, is_final or bool(stray)


def _wanted(held: ManifestFile) -> Iterator[tuple[Check, str, int]]:
    for model in sorted(held.manifest.models):
        yield Check.AVAILABLE, model, held.manifest.release
    if held.against is not None:
        for model in sorted(held.against_models):
            yield Check.IN_COMMON, model, held.against


def _version(server: AskedServer, model: str, number: int) -> VersionStatus | None:
    try:
        status = server.ask(Status(model))
    except ModelNotFound:
        return None
    return next((one for one in status.versions if one.version == number), None)


def _absence(number: int, version: VersionStatus | None) -> str:
    if version is None:
        return (
            f"version {number} is not there: deploy the whole release, and both of the "
            "newest two, so that no caller's release goes away"
        )
    if version.error:
        return (
            f"version {number} does not load: {version.error}; its files are damaged or do not fit "
            "this server: neumo release check, and copy the release again"
        )
    return f"version {number} is {version.state.value}: it was taken away; serve it again"


def _strays(server: AskedServer, held: ManifestFile) -> Iterator[Remark]:
    """Models of the contract that serve the release, and that its manifest lacks."""
    number = held.manifest.release
    for known in contract.MODELS:
        if known.name in held.manifest.models:
            continue
        version = _version(server, known.name, number)
        if version is not None and version.state is not VersionState.END:
            text = (
                f"version {number} is {version.state.value}, but the manifest of release {number} "
                "has no such model: films are refused or let pass by what nobody released; take "
                "it away, or give the manifest that it came with"
            )
            yield Remark(server.url, Check.MODELS, known.name, text)


def _why(error: ServingError) -> str:
    return f"{error.detail} ({error.advice})"
