"""What one member answered about one film, checked before anything is made of it. Pure."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from neumo import contract
from neumo.core.calls import Reply
from neumo.ensemble import Member
from neumo.errors import BadResponse, ContractError
from neumo.wire import Answer


@dataclass(frozen=True, slots=True, eq=False)
class Score:
    """One member's numbers; ``member.version`` is the release that they belong to."""

    member: Member
    threshold: float
    answer: Answer


def read(model: str, reply: Reply[Answer], pinned: int | None, target: str) -> Score:
    """The score in ``reply``, which ``model`` gave for one film.

    Over gRPC the version that answered must be the release that the weights carry; where
    ``pinned`` is given, so must that. Raises ``ContractError`` otherwise, and ``BadResponse``
    where an output is missing or has another shape.
    """
    answer = reply.answer
    release = int(_one(answer, contract.RELEASE, model, target))
    versions = {"the version that answered": answer.version, "the version asked for": pinned}
    for what, version in versions.items():
        if version not in (None, release):
            raise ContractError(
                f"{model} at {target}: {what} is {version}, but its weights are of release "
                f"{release}; export or deploy the release again"
            )
    probability = _one(answer, contract.PROBABILITY, model, target)
    threshold = _one(answer, contract.THRESHOLD, model, target)
    return Score(Member(model, release, float(probability), reply.seconds), threshold, answer)


def threshold(scores: tuple[Score, ...], target: str) -> float:
    """The threshold that every member carries; ``ContractError`` where they differ."""
    values = {score.threshold for score in scores}
    if len(values) != 1:
        told = ", ".join(f"{score.member.model} {score.threshold:.6g}" for score in scores)
        raise ContractError(
            f"{target}: the members of release {scores[0].member.version} carry different "
            f"thresholds ({told}); export or deploy the release again"
        )
    return values.pop()


def heatmap(score: Score, target: str) -> npt.NDArray[np.float32]:
    """The member's heat map, float32 [h, w] in [0, 1]; ``BadResponse`` where it is none."""
    model = score.member.model
    array = _output(score.answer, contract.HEATMAP, model, target)
    if array.ndim != 3 or len(array) != 1 or min(array.shape) == 0:
        raise _bad(contract.HEATMAP, array, model, target)
    heat: npt.NDArray[np.float32] = array[0].astype(np.float32)
    if not (np.all(heat >= 0.0) and np.all(heat <= 1.0)):
        raise BadResponse(model, target, "the heat map has values outside [0, 1]")
    return heat


def _one(answer: Answer, tensor: contract.Tensor, model: str, target: str) -> float:
    """The one number in the output ``tensor``."""
    array = _output(answer, tensor, model, target)
    if array.shape != (1,) or array.dtype.kind not in "fi":
        raise _bad(tensor, array, model, target)
    value: float = array[0].item()
    return value


def _output(
    answer: Answer, tensor: contract.Tensor, model: str, target: str
) -> npt.NDArray[np.generic]:
    if tensor.name not in answer.outputs:
        raise BadResponse(model, target, f"the answer lacks the output {tensor.name}")
    return answer.outputs[tensor.name]


def _bad(
    tensor: contract.Tensor, array: npt.NDArray[np.generic], model: str, target: str
) -> BadResponse:
    found = f"{array.dtype} {list(array.shape)}"
    return BadResponse(model, target, f"the output {tensor.name} is {found} for one film")
