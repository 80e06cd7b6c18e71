"""What one model answered about some films, checked before anything is made of it. Pure."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from neumo import contract
from neumo._wire.answer_types import Answer
from neumo._wire.calls import Reply
from neumo.errors import BadResponse, ContractError


@dataclass(frozen=True, slots=True, eq=False)
class Scores:
    """One model's numbers, of one release.

    ``values`` is float [N], a film each: a member's probability of PNEUMONIA, or how sure
    ``lungs`` is of a chest. ``threshold`` is what they are compared with.
    """

    model: str
    release: int
    values: npt.NDArray[np.generic]
    threshold: float
    reply: Reply[Answer]


def read(
    model: contract.Model, reply: Reply[Answer], pinned: int | None, count: int, target: str
) -> Scores:
    """The scores in ``reply``, which ``model`` gave for ``count`` films.

    Over gRPC the version that answered must be the release that the weights carry; where
    ``pinned`` is given, so must that. Raises ``ContractError`` otherwise, and ``BadResponse``
    where an output is missing or has another shape.
    """
    answer = reply.answer
    release = int(_same(model.name, answer, contract.RELEASE, count, target))
    versions = {"the version that answered": answer.version, "the version asked for": pinned}
    for what, version in versions.items():
        if version not in (None, release):
            raise ContractError(
                f"{model.name} at {target}: {what} is {version}, but its weights are of release "
                f"{release}; export or deploy the release again"
            )
    score = contract.CHEST if model == contract.LUNGS else contract.PROBABILITY
    values = _vector(model.name, answer, score, count, target)
    threshold = _same(model.name, answer, contract.THRESHOLD, count, target)
    return Scores(model.name, release, values, float(threshold), reply)


def threshold(members: tuple[Scores, ...], target: str) -> float:
    """The threshold that every member carries; ``ContractError`` where they differ."""
    values = {scores.threshold for scores in members}
    if len(values) != 1:
        told = ", ".join(f"{scores.model} {scores.threshold:.6g}" for scores in members)
        raise ContractError(
            f"{target}: the members of release {members[0].release} carry different "
            f"thresholds ({told}); export or deploy the release again"
        )
    return values.pop()


def heatmaps(scores: Scores, target: str) -> npt.NDArray[np.float32]:
    """A member's heat maps, float32 [N, h, w] in [0, 1]; ``BadResponse`` where it has none."""
    heat = _maps(scores, contract.HEATMAP, target).astype(np.float32)
    if not (np.all(heat >= 0.0) and np.all(heat <= 1.0)):
        raise BadResponse(scores.model, target, "the heat map has values outside [0, 1]")
    return heat


def masks(scores: Scores, target: str) -> npt.NDArray[np.uint8]:
    """The lungs, uint8 [N, 256, 256] of 0 and 1; ``BadResponse`` where there are none."""
    found = _maps(scores, contract.MASK, target)
    if found.shape[1:] != contract.MASK.shape[1:] or not np.isin(found, (0, 1)).all():
        raise _bad(scores.model, contract.MASK, found, len(scores.values), target)
    return found.astype(np.uint8)


def _maps(scores: Scores, tensor: contract.Tensor, target: str) -> npt.NDArray[np.generic]:
    count = len(scores.values)
    array = _output(scores.model, scores.reply.answer, tensor, target)
    if array.ndim != 3 or len(array) != count or min(array.shape) == 0:
        raise _bad(scores.model, tensor, array, count, target)
    return array


def _same(model: str, answer: Answer, tensor: contract.Tensor, count: int, target: str) -> float:
    """The number that ``tensor`` repeats for every film."""
    values = _vector(model, answer, tensor, count, target)
    first: float = values[0].item()
    if not (values == first).all():
        raise BadResponse(model, target, f"the output {tensor.name} differs within one answer")
    return first


def _vector(
    model: str, answer: Answer, tensor: contract.Tensor, count: int, target: str
) -> npt.NDArray[np.generic]:
    array = _output(model, answer, tensor, target)
    if array.shape != (count,) or array.dtype.kind not in "fi":
        raise _bad(model, tensor, array, count, target)
    return array


def _output(
    model: str, answer: Answer, tensor: contract.Tensor, target: str
) -> npt.NDArray[np.generic]:
    if tensor.name not in answer.outputs:
        raise BadResponse(model, target, f"the answer lacks the output {tensor.name}")
    return answer.outputs[tensor.name]


def _bad(
    model: str, tensor: contract.Tensor, array: npt.NDArray[np.generic], count: int, target: str
) -> BadResponse:
    found = f"{array.dtype} {list(array.shape)}"
    asked = "one film" if count == 1 else f"{count} films"
    return BadResponse(model, target, f"the output {tensor.name} is {found} for {asked}")
