"""The plans of what a client can do, each from its question to its result. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TypeAlias, TypeVar

import numpy as np
import numpy.typing as npt

from neumo import contract
from neumo._engine import model_checks, one_release
from neumo._engine.model_checks import Scores
from neumo._engine.one_release import explained
from neumo._engine.plan import Plan, Terms, ask
from neumo._wire.calls import Metadata, Status
from neumo.cautions import MEMBERS_DISAGREE, NO_CHEST, NOT_SCREENED, Caution
from neumo.drawing.mean_heatmap import mean_heatmap
from neumo.errors import ConfigError, ContractError, ModelNotFound, NeumoError, NotAChestRadiograph
from neumo.image import Film
from neumo.model_status import ModelStatus
from neumo.results import Explanation, Member, Prediction, Timings

T = TypeVar("T")

Outcome: TypeAlias = Prediction | Explanation


@dataclass(frozen=True, slots=True)
class ReadFilm:
    """A film, and the seconds that reading it took."""

    film: Film
    seconds: float


def predict(
    read: tuple[ReadFilm, ...], terms: Terms, elapsed: Callable[[], float]
) -> Plan[list[Prediction | NeumoError]]:
    """What the ensemble says about each of the films: they are one batch on the server.

    The place of a film whose answer cannot be used holds the error.
    """
    found = yield from one_release.answers(contract.SERVING_DEFAULT, _pixels(read), terms)
    seconds = elapsed()
    return [
        _in_place(partial(_prediction, found, row, one, terms, seconds), terms)
        for row, one in enumerate(read)
    ]


def explain(
    read: tuple[ReadFilm, ...], terms: Terms, elapsed: Callable[[], float]
) -> Plan[list[Explanation | NeumoError]]:
    """As ``predict``, with the mean of the members' heat maps, and the lungs where served."""
    ensemble = terms.ensemble
    if not ensemble.explain:
        raise ConfigError("these models have no signature explain: see Ensemble(explain=True)")
    found = yield from one_release.answers(contract.EXPLAIN, _pixels(read), terms)
    heat = [model_checks.heatmaps(found[name], terms.target) for name in ensemble.members]
    lungs = _screen(found, terms)
    size = ensemble.image.shape[:2]
    masks = None if lungs is None else model_checks.masks(lungs, size, terms.target)
    seconds = elapsed()

    def explanation(row: int, one: ReadFilm) -> Explanation:
        return Explanation(
            _prediction(found, row, one, terms, seconds),
            mean_heatmap((maps[row] for maps in heat), size),
            _grey(one.film.pixels),
            None if masks is None else masks[row],
            one.film.width_px,
            one.film.height_px,
        )

    return [_in_place(partial(explanation, row, one), terms) for row, one in enumerate(read)]


def check(terms: Terms) -> Plan[None]:
    """Compare every member's metadata with the contract; raises ``ContractError``."""
    calls = [
        Metadata(model.name, terms.release, terms.labels.get(model.name))
        for model in terms.ensemble.member_models
    ]
    replies = yield from explained(lambda: ask(terms, *calls), terms)
    for model, reply in zip(terms.ensemble.member_models, replies, strict=True):
        model_checks.check(model, reply.answer, terms.target)


def status(terms: Terms) -> Plan[tuple[ModelStatus, ...]]:
    """The status of every model of the contract that the server knows."""
    known: list[ModelStatus] = []
    for model in terms.ensemble.models:
        try:
            (reply,) = yield from ask(terms, Status(model.name))
        except ModelNotFound:
            continue
        known.append(reply.answer)
    return tuple(known)


def only(outcomes: list[T | NeumoError]) -> T:
    """The outcome of the only film; raises it where it is an error."""
    (outcome,) = outcomes
    if isinstance(outcome, NeumoError):
        raise outcome
    return outcome


def tell(outcomes: Sequence[Outcome | NeumoError], seen: Callable[[int], None]) -> None:
    """Tell ``seen`` the release of a batch that was answered."""
    for outcome in outcomes:
        if not isinstance(outcome, NeumoError):
            predicted = outcome.prediction if isinstance(outcome, Explanation) else outcome
            seen(predicted.release)
            return


def _pixels(read: tuple[ReadFilm, ...]) -> one_release.Pixels:
    if len(read) == 1:
        return read[0].film.pixels[None]
    return np.stack([one.film.pixels for one in read])


def _grey(pixels: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    """A film of one value or of three for each pixel as grey, uint8 [h, w]: Pillow's luma."""
    if pixels.shape[2] == 1:
        return pixels[:, :, 0]
    weighted: npt.NDArray[np.int64] = pixels @ np.array([299, 587, 114])
    return (weighted // 1000).astype(np.uint8)


def _in_place(make: Callable[[], T], terms: Terms) -> T | NeumoError:
    try:
        return make()
    except (ContractError, NotAChestRadiograph) as error:
        error.request_id = terms.request_id
        return error


def _prediction(
    found: dict[str, Scores], row: int, one: ReadFilm, terms: Terms, seconds: float
) -> Prediction:
    of_members = tuple(found[name] for name in terms.ensemble.members)
    members = tuple(
        Member(of.model, of.release, float(of.values[row]), of.reply.seconds) for of in of_members
    )
    lungs = _screen(found, terms)
    cautions = (*one.film.cautions, *_screened(lungs, row, terms))
    timings = Timings(
        one.seconds,
        sum(of.reply.encode_seconds for of in found.values()),
        {name: of.reply.seconds for name, of in found.items()},
    )
    threshold = model_checks.threshold(of_members, terms.target)
    release = of_members[0].release
    combined = combine(members, threshold, release, cautions, seconds, timings)
    return replace(combined, screened=lungs is not None, request_id=terms.request_id)


def _screen(found: dict[str, Scores], terms: Terms) -> Scores | None:
    """What the ensemble's ``screen`` says; None where it has none, or it did not answer."""
    return None if terms.ensemble.screen is None else found.get(terms.ensemble.screen)


def _screened(lungs: Scores | None, row: int, terms: Terms) -> tuple[Caution, ...]:
    """What ``lungs`` makes of the film: nothing, a caution, or ``NotAChestRadiograph``."""
    if lungs is None:
        return () if terms.ensemble.screen is None else (NOT_SCREENED,)
    if float(lungs.values[row]) >= lungs.threshold:
        return ()
    if terms.screen:
        raise NotAChestRadiograph(
            "no frontal chest radiograph is found in it: check the film, or let it pass with "
            "screen=False or --no-screen"
        )
    return (NO_CHEST,)


def combine(
    members: tuple[Member, ...],
    threshold: float,
    release: int,
    warnings: tuple[Caution, ...],
    seconds: float,
    timings: Timings,
) -> Prediction:
    """Average the members' probabilities and decide.

    Raises ``ContractError`` where a member's version is not ``release``, or a number is no
    probability.
    """
    strays = [m for m in members if m.version != release]
    if strays or not members:
        raise ContractError(f"members of release {release} expected, got {members}")
    probability = sum(m.probability for m in members) / len(members)
    try:
        label = contract.decide(probability, threshold)
        unanimous = all(contract.decide(m.probability, threshold) == label for m in members)
    except ValueError as error:
        raise ContractError(f"release {release} answered {error}") from error
    if not unanimous:
        warnings = (*warnings, MEMBERS_DISAGREE)
    return Prediction(
        label, probability, threshold, release, unanimous, members, warnings, seconds, timings
    )
