"""Why a model did not answer, by its status, and whether to ask it again. Pure."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from neumo._engine.plan import Plan, Terms, ask
from neumo._wire.calls import Status
from neumo.errors import InvalidRequest, ModelNotFound, VersionUnavailable
from neumo.model_status import ModelStatus, VersionState, VersionStatus

T = TypeVar("T")

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
