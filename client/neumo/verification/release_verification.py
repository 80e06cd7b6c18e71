"""Servers asked whether they answer as a release does."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field

from neumo import contract, settings
from neumo._transports.transport import connect
from neumo.errors import ServingError
from neumo.settings import Tls, Token
from neumo.verification import availability, golden_answers, latency
from neumo.verification.asked_server import AskedServer
from neumo.verification.manifest_file import ManifestFile
from neumo.verification.report import Check, Pace, Remark, Report

DEFAULT_MAX_RATIO = 2.5
"""Release 2, which screens every film, takes 2.1 times what release 1 takes: that is no fault."""
DEFAULT_PACE_S = 60.0


def verify(  # noqa: PLR0913 - all but the first two by keyword
    urls: Sequence[str],
    held: ManifestFile,
    *,
    timeout_s: float | None = None,
    wait_s: float = 0.0,
    max_ratio: float = DEFAULT_MAX_RATIO,
    pace_s: float = DEFAULT_PACE_S,
    token: Token | None = None,
    tls: Tls | None = None,
    progress: Callable[[str], None] = lambda _: None,
) -> Report:
    """What is wrong with the release of ``held`` at each of ``urls``, each one server.

    ``held`` is ``ManifestFile.find(N, M)``. One after the other they are asked whether every model
    is AVAILABLE, for ``wait_s`` seconds at most; then for the golden answers, one film in a call;
    then, where ``held`` names another release, both are timed in turns, for ``pace_s`` seconds at
    most, and more than ``max_ratio`` times the other's time is a fault. A call may take
    ``timeout_s``. It, ``token`` and ``tls`` are ``Client``'s, with the same defaults.
    ``progress`` is told what is done.

    Whatever servers do is in the report. Raises ``ConfigError`` for a URL, token or certificate
    that cannot be used.
    """
    found = _Found(notes=_notes(held))
    with ExitStack() as stack:
        servers = []
        # All of them first: what cannot be used is told before minutes are spent.
        for url in urls:
            chosen = settings.resolve(url, timeout=timeout_s, token=token, tls=tls)
            transport = connect(url, token=chosen.token, tls=chosen.tls)
            stack.callback(transport.close)
            servers.append(AskedServer(url, transport, chosen.timeout_s))
        for server in servers:

            def tell(what: str, url: str = server.url) -> None:
                progress(f"{url}: {what}")

            wrong, untold = _state(server, held, wait_s, tell)
            # What answers wrongly need not be quick, and what is not there cannot be timed.
            if held.against is not None and not (wrong or untold):
                paces, wrong, untold = latency.measure(
                    server,
                    held,
                    held.against,
                    max_ratio=max_ratio,
                    seconds=pace_s,
                    progress=tell,
                )
                found.paces += paces
                if not any(Check.LOAD is r.check for r in untold) and all(
                    pace.films == 1 for pace in paces
                ):
                    found.notes.append(f"{server.url} refuses two films at a time: not timed")
            found.faults += wrong
            found.unknown += untold
    return Report(
        held.manifest.release,
        held.against,
        str(held.path),
        held.sha256,
        held.weights_sha256,
        tuple(urls),
        tuple(found.faults),
        tuple(found.unknown),
        tuple(found.notes),
        tuple(found.paces),
    )


@dataclass(slots=True)
class _Found:
    notes: list[str]
    faults: list[Remark] = field(default_factory=list)
    unknown: list[Remark] = field(default_factory=list)
    paces: list[Pace] = field(default_factory=list)


def _state(
    server: AskedServer, held: ManifestFile, wait_s: float, tell: Callable[[str], None]
) -> tuple[list[Remark], list[Remark]]:
    """What is wrong with models and answers, and what cannot be told of them."""
    wrong, untold = availability.wait(server, held, wait_s, tell)
    if any(remark.check is Check.SERVER for remark in untold):
        return wrong, untold
    absent = {r.model for r in (*wrong, *untold) if r.check is Check.AVAILABLE}
    more_wrong, more_untold = _answers(server, held, absent, tell)
    return [*wrong, *more_wrong], [*untold, *more_untold]


def _answers(
    server: AskedServer, held: ManifestFile, absent: set[str], tell: Callable[[str], None]
) -> tuple[list[Remark], list[Remark]]:
    """What is wrong with the answers of the models that are there, and what cannot be told."""
    wrong: list[Remark] = []
    untold: list[Remark] = []
    for name in sorted(held.manifest.models.keys() - absent):
        tell(f"golden answers of {name} {held.manifest.release}")
        try:
            model = contract.model(name)
        except KeyError:
            text = f"contract {contract.version()} knows no such model: update neumo to verify it"
            untold.append(Remark(server.url, Check.MODELS, name, text))
            continue
        try:
            wrong += golden_answers.faults(server, model, held)
            if model is contract.LUNGS:
                wrong += golden_answers.unrefused(server, held)
        except ServingError as error:
            text = f"{error.detail} ({error.advice})"
            untold.append(Remark(server.url, Check.SERVER, name, text))
    return wrong, untold


def _notes(held: ManifestFile) -> list[str]:
    """What the report says nothing of."""
    number, notes = held.manifest.release, []
    if contract.LUNGS.name not in held.manifest.models:
        notes.append(f"release {number} has no lungs: what is no chest is not refused")
    if not held.manifest.golden_heat:
        notes.append(
            f"heat maps were judged by their form alone: the manifest of release {number} does not "
            "record where theirs lie"
        )
    if held.against is None:
        notes.append("latency was not measured: name a release to hold it against, --against")
    elif untimed := sorted(held.manifest.models.keys() - {*held.against_models}):
        names = ", ".join(untimed)
        notes.append(f"{names} was not timed: release {held.against} has none to hold it against")
    return notes
