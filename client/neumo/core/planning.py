"""Which calls a prediction takes, and what their answers make. Pure: no network, no clock.

A plan is a generator: it yields the calls to make together, gets their replies in the same order,
or the first error thrown in, and returns its result. In between it may yield a pause. Whoever
drives it, with threads or with asyncio, needs to know nothing else.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias, TypeVar

from neumo import contract, ensemble
from neumo.core import conformity, heatmaps, scores
from neumo.core.calls import Call, Metadata, Predict, Reply, Status
from neumo.core.retries import Pause, Retries
from neumo.core.scores import Score
from neumo.ensemble import Explanation, Prediction
from neumo.errors import (
    ModelNotFound,
    ReleaseMismatch,
    ServingError,
    Unavailable,
    VersionUnavailable,
)
from neumo.image import Film
from neumo.wire import ModelStatus, VersionState, VersionStatus

A = TypeVar("A")
T = TypeVar("T")

Calls: TypeAlias = tuple[Call[Any], ...]
Step: TypeAlias = Calls | Pause
Plan: TypeAlias = Generator[Step, Sequence[Reply[Any]], T]


@dataclass(frozen=True, slots=True)
class Terms:
    """What holds for every call of a client: the server's URL, a pinned release, retries."""

    target: str
    release: int | None
    retries: Retries


def drive(plan: Plan[T], ask: Callable[[Step], Sequence[Reply[Any]]]) -> T:
    """Run ``plan`` to its end, each step by ``ask``."""
    try:
        step = next(plan)
        while True:
            try:
                replies = ask(step)
            except ServingError as error:
                step = plan.throw(error)
            else:
                step = plan.send(replies)
    except StopIteration as stop:
        result: T = stop.value
        return result


def predict(film: Film, terms: Terms, elapsed: Callable[[], float]) -> Plan[Prediction]:
    """Ask every member about ``film`` and combine their answers of one release."""
    found = yield from _scores(contract.SERVING_DEFAULT, film, terms)
    return _prediction(found, film, terms, elapsed)


def explain(film: Film, terms: Terms, elapsed: Callable[[], float]) -> Plan[Explanation]:
    """As ``predict``, with the mean of the members' heat maps."""
    found = yield from _scores(contract.EXPLAIN, film, terms)
    heat = heatmaps.mean(scores.heatmap(score, terms.target) for score in found)
    return Explanation(_prediction(found, film, terms, elapsed), heat, film.pixels[:, :, 0])


def check(terms: Terms) -> Plan[None]:
    """Compare every member's metadata with the contract; raises ``ContractError``."""
    calls = [Metadata(model.name, terms.release) for model in contract.MEMBERS]
    replies = yield from _explained(lambda: _ask(terms, *calls), terms)
    for model, reply in zip(contract.MEMBERS, replies, strict=True):
        conformity.check(model, reply.answer, terms.target)


def status(terms: Terms) -> Plan[tuple[ModelStatus, ...]]:
    """The status of every model of the contract that the server knows."""
    known: list[ModelStatus] = []
    for model in contract.MODELS:
        try:
            (reply,) = yield from _ask(terms, Status(model.name))
        except ModelNotFound:
            continue
        known.append(reply.answer)
    return tuple(known)


def _ask(terms: Terms, *calls: Call[A]) -> Plan[Sequence[Reply[A]]]:
    """The replies to ``calls``; where the server is out of reach, after a few more tries.

    All of these calls may be made twice: they change nothing on the server.
    """
    tries = 0
    while True:
        try:
            replies = yield calls
        except Unavailable as error:
            tries += 1
            pause = terms.retries.after(tries, error)
        else:
            terms.retries.answered()
            return replies
        yield pause


def _prediction(
    found: tuple[Score, ...], film: Film, terms: Terms, elapsed: Callable[[], float]
) -> Prediction:
    members = tuple(score.member for score in found)
    threshold = scores.threshold(found, terms.target)
    return ensemble.combine(members, threshold, members[0].version, film.cautions, elapsed())


def _scores(signature: str, film: Film, terms: Terms) -> Plan[tuple[Score, ...]]:
    """Every member's score, all of one release.

    Where the members answered from different releases, which a rollout may cause, those that did
    not answer from the oldest are asked for it; if it is gone meanwhile, the next one is tried.
    """
    found = yield from _explained(
        lambda: _asked(contract.MEMBERS, signature, film, terms.release, terms), terms
    )
    releases = sorted({score.member.version for score in found})
    if len(releases) == 1:
        return found
    for release in releases:
        try:
            return (yield from _aligned(found, release, signature, film, terms))
        except ModelNotFound:
            continue
    told = ", ".join(
        f"{score.member.model} answered from {score.member.version}" for score in found
    )
    detail = f"{told}, and neither release is ready for both"
    raise ReleaseMismatch("", terms.target, detail)


def _aligned(
    found: tuple[Score, ...], release: int, signature: str, film: Film, terms: Terms
) -> Plan[tuple[Score, ...]]:
    """``found``, with the scores of other releases asked again from ``release``."""
    strays = tuple(
        model
        for model, score in zip(contract.MEMBERS, found, strict=True)
        if score.member.version != release
    )
    again = yield from _asked(strays, signature, film, release, terms)
    by_model = {score.member.model: score for score in (*found, *again)}
    return tuple(by_model[model.name] for model in contract.MEMBERS)


def _asked(
    models: tuple[contract.Model, ...],
    signature: str,
    film: Film,
    version: int | None,
    terms: Terms,
) -> Plan[tuple[Score, ...]]:
    inputs = {contract.IMAGE.name: film.pixels[None]}
    calls = [Predict(model.name, model.signature(signature), inputs, version) for model in models]
    replies = yield from _ask(terms, *calls)
    return tuple(
        scores.read(model.name, reply, version, terms.target)
        for model, reply in zip(models, replies, strict=True)
    )


def _explained(plan: Callable[[], Plan[T]], terms: Terms) -> Plan[T]:
    """The result of ``plan``, with a NOT_FOUND resolved by asking which versions there are.

    A version that is coming, or came while it was asked about, is tried again.
    """
    tries = 0
    while True:
        try:
            return (yield from plan())
        except ModelNotFound as error:
            missing = error
        (reply,) = yield from _ask(terms, Status(missing.model))
        detail = absence(reply.answer, terms.release)
        unavailable = VersionUnavailable(missing.model, terms.target, detail)
        if not _is_coming(reply.answer, terms.release):
            raise unavailable from missing
        tries += 1
        yield terms.retries.after(tries, unavailable)


def _is_coming(status: ModelStatus, wanted: int | None) -> bool:
    """Whether a version that would do is on its way, or there by now."""
    return any(
        version.state in _COMING and wanted in (None, version.version)
        for version in status.versions
    )


_COMING = (VersionState.START, VersionState.LOADING, VersionState.AVAILABLE)


def absence(status: ModelStatus, wanted: int | None) -> str:
    """Why no version, or not the ``wanted`` one, answered."""
    told = "; ".join(_condition(version) for version in status.versions) or "there is none"
    if wanted is None:
        return f"no version was ready: {told}"
    one = [version for version in status.versions if version.version == wanted]
    return _condition(one[0]) if one else f"version {wanted} is not served: {told}"


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
