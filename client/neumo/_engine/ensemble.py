"""From the members' answers to one prediction: the mean, the threshold, the label. Pure."""

from __future__ import annotations

from neumo import contract
from neumo.cautions import MEMBERS_DISAGREE, Caution
from neumo.errors import ContractError
from neumo.results import Member, Prediction, Timings


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
