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
from neumo.errors import (
    InvalidRequest,
    ModelNotFound,
    ReleaseMismatch,
    ServingError,
    VersionUnavailable,
)
from neumo.model_status import ModelStatus, VersionState, VersionStatus
from neumo.settings import REQUIRED

T = TypeVar("T")

Pixels = npt.NDArray[np.uint8]
"""The films that are asked about: uint8 [N, 256, 256, 1], or as the ensemble has it."""


def answers(signature: str, pixels: Pixels, terms: Terms) -> Plan[dict[str, Scores]]:
    """What each model says by its name: every member, and ``lungs`` where it answers.

    ``signature`` is the members'; of ``lungs``, only ``explain`` fetches the mask. ``lungs`` is
    asked beside the members once it has answered. Where it does not answer, it is left out, or
    its error raised where the terms require it.
    """
    found = yield from explained(partial(_first, signature, pixels, terms), terms)
    if len({one.release for one in found.values()}) > 1:
        terms.lungs.doubt()
    found = yield from _of_one_release(found, signature, pixels, terms)
    release = next(iter(found.values())).release
    if terms.ensemble.screen is None:
        return found
    if terms.ensemble.screen in found:
        yield from _learn_if_met(release, terms)
        terms.lungs.has_answered(release)
        return found
    if terms.screen != REQUIRED and terms.lungs.lacks(release):
        return found
    lungs = yield from _lungs(release, signature, pixels, terms)
    if isinstance(lungs, Scores):
        terms.lungs.has_answered(release)
        return {**found, lungs.model: lungs}
    terms.lungs.latest = None
    if terms.screen == REQUIRED:
        raise lungs
    return found


def _first(signature: str, pixels: Pixels, terms: Terms) -> Plan[dict[str, Scores]]:
    """The members' answers, and that of ``lungs`` where it answered about the film before."""
    ensemble = terms.ensemble
    if terms.lungs.latest is not None:
        try:
            return (yield from _asked(ensemble.models, signature, pixels, terms.release, terms))
        except (ModelNotFound, InvalidRequest) as error:
            # Rolled back to a release without it, or to one whose ``lungs`` has no ``screen``.
            is_lacking = isinstance(error, ModelNotFound) or _NO_SIGNATURE in error.detail
            if error.model != ensemble.screen or not is_lacking:
                raise
    members = ensemble.member_models
    return (yield from _asked(members, signature, pixels, terms.release, terms))


def _of_one_release(
    found: dict[str, Scores], signature: str, pixels: Pixels, terms: Terms
) -> Plan[dict[str, Scores]]:
    """``found``, with the answers of other releases asked again.

    Where the models answered from different releases, which a rollout may cause, those that did
    not answer from the oldest are asked for it; if it is gone meanwhile, the next one is tried.
    """
    members = [found[model.name] for model in terms.ensemble.member_models]
    releases = sorted({one.release for one in members})
    if len({one.release for one in found.values()}) == 1:
        return found
    for release in releases:
        elsewhere = [name for name, one in found.items() if one.release != release]
        strays = [terms.ensemble.model(name) for name in elsewhere]
        try:
            again = yield from _asked(strays, signature, pixels, release, terms)
        except ModelNotFound as error:
            if error.model == terms.ensemble.screen:  # that release has none
                without = {name: found[name] for name in found if name != error.model}
                return (yield from _of_one_release(without, signature, pixels, terms))
            continue
        return found | again
    told = ", ".join(f"{one.model} answered from {one.release}" for one in members)
    detail = f"{told}, and neither release is ready for both"
    raise ReleaseMismatch("", terms.target, detail)


def _lungs(
    release: int, signature: str, pixels: Pixels, terms: Terms
) -> Plan[Scores | ServingError]:
    """What ``lungs`` of ``release`` says, also where it is still loading; or why it says nothing.

    That the release has none is believed only from a server that holds the release: in a roll one
    address stands for servers of several releases.
    """
    waits = strays = 0
    while True:
        status = yield from _status_of(terms.ensemble.screen_model, release, terms)
        is_ready = status is not None and status.ready
        if is_ready and (yield from _learn_if_met(release, terms)):
            lungs = yield from _asked_if_met(release, signature, pixels, terms)
            if lungs is not None:  # else another server answered, or it was unloaded meanwhile
                return lungs
        missing = _missing_lungs(release, status, terms)
        is_coming = status is not None and status.state in _LOADING
        may_be_met = is_coming or (yield from _may_be_elsewhere(release, status, terms))
        if status is None and not may_be_met:
            terms.lungs.was_absent(release)
        if terms.screen is False or not may_be_met:
            return missing
        try:
            if is_coming:
                waits += 1
                yield terms.retries.while_coming(waits, missing)
            else:
                strays += 1
                yield terms.retries.after(strays, missing)
        except (ModelNotFound, VersionUnavailable):  # ``missing``: no try, or no time, is left
            return missing


def _asked_if_met(
    release: int, signature: str, pixels: Pixels, terms: Terms
) -> Plan[Scores | None]:
    """What ``lungs`` says; None where a server that does not hold it is asked."""
    lungs = terms.ensemble.screen_model
    try:
        found = yield from _asked([lungs], signature, pixels, release, terms)
        return found[lungs.name]
    except ModelNotFound:
        return None


def _may_be_elsewhere(release: int, status: VersionStatus | None, terms: Terms) -> Plan[bool]:
    """Whether another server than the one that told ``status`` may have ``lungs`` ready."""
    if status is not None:
        return status.ready
    if release in terms.lungs.signatures:
        return True
    member = yield from _status_of(terms.ensemble.member_models[0], release, terms)
    return member is None or not member.ready


def _status_of(model: contract.Model, version: int, terms: Terms) -> Plan[VersionStatus | None]:
    """What a server says of one version; None where it does not know it."""
    try:
        (reply,) = yield from ask(terms, Status(model.name))
    except ModelNotFound:
        return None
    return next((one for one in reply.answer.versions if one.version == version), None)


def _missing_lungs(release: int, status: VersionStatus | None, terms: Terms) -> ServingError:
    """Why a film of ``release`` is not screened."""
    name = terms.ensemble.screen_model.name
    if status is None:
        told = f"release {release} is served without it, so films are not screened"
        return ModelNotFound(name, terms.target, told)
    if status.ready:
        told = (
            f"version {release} is served by some of the servers there, so films are not screened"
        )
    else:
        told = f"{_condition(status)}, so films are not screened"
    return VersionUnavailable(name, terms.target, told)


def _learn_if_met(release: int, terms: Terms) -> Plan[bool]:
    """Compare ``lungs`` of ``release`` with the contract, once, and keep how it is screened by.

    False where a server that does not hold it is asked.
    """
    if release in terms.lungs.signatures:
        return True
    try:
        (reply,) = yield from ask(terms, Metadata(terms.ensemble.screen_model.name, release))
    except ModelNotFound:
        return False
    model_checks.check(terms.ensemble.screen_model, reply.answer, terms.target)
    if contract.ENCODED in reply.answer.signatures:
        terms.lungs.encoded.add(release)
    terms.lungs.signatures[release] = (
        terms.ensemble.screen_model.signature(contract.SCREEN)
        if contract.SCREEN in reply.answer.signatures
        else terms.ensemble.screen_only
    )
    return True


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
    inputs = {contract.IMAGE.name: pixels}
    label = terms.labels.get(model.name) if version is None else None
    encoded = None
    # ``explain`` has no encoded form.
    if signature == contract.SERVING_DEFAULT and model.has(contract.ENCODED):
        encoded = model.signature(contract.ENCODED)
    if model.name != terms.ensemble.screen:
        chosen = model.signature(signature)
        return Predict(model.name, chosen, inputs, version, label, encoded)
    if terms.labels and version is None:  # labels are the members'
        version = terms.lungs.latest
    release = version or terms.lungs.latest
    if signature == contract.EXPLAIN or release is None:
        chosen = model.signature(contract.SERVING_DEFAULT)
    else:
        chosen = terms.lungs.signatures.get(release, terms.ensemble.screen_only)
    if release not in terms.lungs.encoded:
        encoded = None
    return Predict(model.name, chosen, inputs, version, encoded=encoded)


_NO_SIGNATURE = "Serving signature"
"""TensorFlow Serving's text for a signature that a model lacks begins so, on gRPC and REST."""
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


_LOADING = (VersionState.START, VersionState.LOADING)
_COMING = (*_LOADING, VersionState.AVAILABLE)


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
