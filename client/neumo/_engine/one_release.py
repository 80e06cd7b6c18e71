"""Answers of every model about the same films, all of one release, or why there are none. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from neumo import contract
from neumo._engine import model_checks
from neumo._engine.model_checks import Scores
from neumo._engine.plan import Plan, Terms, ask
from neumo._wire.calls import Metadata, Predict, Status
from neumo.errors import InvalidRequest, ModelNotFound, ReleaseMismatch, VersionUnavailable
from neumo.model_status import ModelStatus, VersionState, VersionStatus

T = TypeVar("T")

Pixels = npt.NDArray[np.uint8]
"""The films that are asked about: uint8 [N, 256, 256, 1]."""


def answers(signature: str, pixels: Pixels, terms: Terms) -> Plan[dict[str, Scores]]:
    """What each model says by its name: every member, and ``lungs`` where it is served.

    ``signature`` is the members'; ``lungs`` has only its default. ``lungs`` is asked beside the
    members once it is known that the release has it.
    """
    found = yield from explained(partial(_first, signature, pixels, terms), terms)
    found = yield from _of_one_release(found, signature, pixels, terms)
    release = next(iter(found.values())).release
    if contract.LUNGS.name not in found and (yield from _has_lungs(release, terms)):
        lungs = partial(_asked, [contract.LUNGS], signature, pixels, release, terms)
        found |= yield from explained(lungs, terms)
    return found


def _first(signature: str, pixels: Pixels, terms: Terms) -> Plan[dict[str, Scores]]:
    """The members' answers, and those of ``lungs`` where a release with it was met last."""
    if any(terms.lungs_served.values()):
        try:
            return (yield from _asked(contract.MODELS, signature, pixels, terms.release, terms))
        except ModelNotFound as error:
            if error.model != contract.LUNGS.name:
                raise
            terms.lungs_served.clear()
    return (yield from _asked(contract.MEMBERS, signature, pixels, terms.release, terms))


def _of_one_release(
    found: dict[str, Scores], signature: str, pixels: Pixels, terms: Terms
) -> Plan[dict[str, Scores]]:
    """``found``, with the answers of other releases asked again.

    Where the models answered from different releases, which a rollout may cause, those that did
    not answer from the oldest are asked for it; if it is gone meanwhile, the next one is tried.
    """
    members = [found[model.name] for model in contract.MEMBERS]
    releases = sorted({one.release for one in members})
    if len({one.release for one in found.values()}) == 1:
        return found
    for release in releases:
        strays = [contract.model(name) for name, one in found.items() if one.release != release]
        try:
            again = yield from _asked(strays, signature, pixels, release, terms)
        except ModelNotFound as error:
            if error.model == contract.LUNGS.name:  # that release has none
                without = {name: found[name] for name in found if name != error.model}
                return (yield from _of_one_release(without, signature, pixels, terms))
            continue
        return found | again
    told = ", ".join(f"{one.model} answered from {one.release}" for one in members)
    detail = f"{told}, and neither release is ready for both"
    raise ReleaseMismatch("", terms.target, detail)


def _has_lungs(release: int, terms: Terms) -> Plan[bool]:
    """Whether ``release`` has ``lungs``: the server is asked once, and its contract compared."""
    if release in terms.lungs_served:
        return terms.lungs_served[release]
    name = contract.LUNGS.name
    try:
        (reply,) = yield from ask(terms, Status(name))
    except ModelNotFound:
        terms.lungs_served[release] = False
        return False
    versions = [one for one in reply.answer.versions if one.version == release]
    if versions and not versions[0].ready:
        return False  # loading, or failed: it may come, and is asked for again with the next film
    if versions:
        (metadata,) = yield from ask(terms, Metadata(name, release))
        model_checks.check(contract.LUNGS, metadata.answer, terms.target)
    terms.lungs_served[release] = bool(versions)
    return bool(versions)


def _asked(
    models: Sequence[contract.Model],
    signature: str,
    pixels: Pixels,
    version: int | None,
    terms: Terms,
) -> Plan[dict[str, Scores]]:
    """The answers of ``models``: of ``version``, or of what the terms' labels or the server say."""
    calls = [_call(model, signature, pixels, version, terms) for model in models]
    replies = yield from ask(terms, *calls)
    return {
        model.name: model_checks.read(model, reply, version, len(pixels), terms.target)
        for model, reply in zip(models, replies, strict=True)
    }


def _call(
    model: contract.Model, signature: str, pixels: Pixels, version: int | None, terms: Terms
) -> Predict:
    is_lungs = model == contract.LUNGS
    chosen = contract.SERVING_DEFAULT if is_lungs else signature
    label = terms.labels.get(model.name) if version is None else None
    if is_lungs and terms.labels and version is None:  # labels are the members'
        version = max(release for release, served in terms.lungs_served.items() if served)
    inputs = {contract.IMAGE.name: pixels}
    return Predict(model.name, model.signature(chosen), inputs, version, label)


_UNKNOWN_LABEL = "Unrecognized servable version label"
"""TensorFlow Serving's text, which has no code of its own (``model_servers/server_core.cc``)."""


def explained(plan: Callable[[], Plan[T]], terms: Terms) -> Plan[T]:
    """The result of ``plan``, with a NOT_FOUND resolved by asking which versions there are.

    A version that is coming, or came while it was asked about, is tried again.
    """
    tries = 0
    while True:
        try:
            return (yield from plan())
        except InvalidRequest as error:
            if _UNKNOWN_LABEL not in error.detail:
                raise
            detail = f"no version has the label {terms.labels.get(error.model)!r}"
            raise VersionUnavailable(error.model, terms.target, detail) from error
        except ModelNotFound as error:
            missing = error
        (reply,) = yield from ask(terms, Status(missing.model))
        unavailable = VersionUnavailable(
            missing.model, terms.target, reason(reply.answer, terms.release)
        )
        if not _is_coming(reply.answer, terms.release):
            raise unavailable from missing
        tries += 1
        yield terms.retries.after(tries, unavailable)


def reason(status: ModelStatus, wanted: int | None) -> str:
    """Why no version, or not the ``wanted`` one, answered."""
    told = "; ".join(_condition(version) for version in status.versions) or "there is none"
    if wanted is None:
        return f"no version was ready: {told}"
    one = [version for version in status.versions if version.version == wanted]
    return _condition(one[0]) if one else f"version {wanted} is not served: {told}"


def _is_coming(status: ModelStatus, wanted: int | None) -> bool:
    """Whether a version that would do is on its way, or there by now."""
    return any(
        version.state in _COMING and wanted in (None, version.version)
        for version in status.versions
    )


_COMING = (VersionState.START, VersionState.LOADING, VersionState.AVAILABLE)


def _condition(version: VersionStatus) -> str:
    if version.error:
        return f"version {version.version} failed ({version.error})"
    return f"version {version.version} is {_CONDITIONS[version.state]}"


_CONDITIONS = {
    VersionState.UNKNOWN: "in an unknown state",
    VersionState.START: "about to load",
    VersionState.LOADING: "loading",
    VersionState.AVAILABLE: "ready",
    VersionState.UNLOADING: "being unloaded",
    VersionState.END: "retired",
}
