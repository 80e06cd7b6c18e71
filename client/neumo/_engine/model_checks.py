"""What a server says of a model, and what the model answers, held against the contract. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from neumo import contract
from neumo._wire.answer_types import Answer, ModelMetadata, SignatureSpec, TensorSpec
from neumo._wire.calls import Reply
from neumo.errors import BadResponse, ContractError

Dims = tuple[int | None, ...] | None


def check(model: contract.Model, served: ModelMetadata, target: str) -> None:
    """Raise ``ContractError`` at the first difference that would make an answer wrong.

    A release of a later minor may have more signatures and outputs than this client knows, and
    one of an earlier minor may lack what came after it; further inputs are never accepted.
    """
    for difference in differences(model, served):
        raise ContractError(
            f"{model.name} version {served.version} at {target}: {difference}; "
            "update neumo, or serve a release of its contract"
        )


def differences(model: contract.Model, served: ModelMetadata) -> Iterator[str]:
    """Every difference that would make an answer wrong, in words; see ``check``."""
    for signature in model.signatures:
        found = served.signatures.get(signature.name)
        if found is None:
            if not signature.since_minor:
                yield f"signature {signature.name} is missing"
        else:
            for difference in _in_signature(signature, found):
                yield f"signature {signature.name}, {difference}"


def _in_signature(signature: contract.Signature, found: SignatureSpec) -> Iterator[str]:
    for name in sorted(found.inputs.keys() - {tensor.name for tensor in signature.inputs}):
        yield f"input {name} is not known to this client"
    yield from _in_tensors("input", signature.inputs, found.inputs)
    yield from _in_tensors("output", signature.outputs, found.outputs)


def _in_tensors(
    role: str, expected: tuple[contract.Tensor, ...], found: Mapping[str, TensorSpec]
) -> Iterator[str]:
    for tensor in expected:
        spec = found.get(tensor.name)
        if spec is None:
            if not tensor.since_minor:
                yield f"{role} {tensor.name} is missing"
        elif spec.dtype != tensor.dtype or not _fits(role, tensor.shape, spec.shape):
            yield (
                f"{role} {tensor.name} is {_text(spec.dtype, spec.shape)}, "
                f"not {_text(tensor.dtype, tensor.shape)}"
            )


def _fits(role: str, expected: tuple[int | None, ...], found: Dims) -> bool:
    """Whether arrays of ``expected`` can go in, or what comes out can be one.

    A size that the server leaves open fits; an input of any size must be left open.
    """
    if found is None:
        return True
    return len(found) == len(expected) and all(
        size is None or size == wanted or (wanted is None and role == "output")
        for wanted, size in zip(expected, found, strict=True)
    )


def _text(dtype: str, shape: Dims) -> str:
    if shape is None:
        return f"{dtype} of any shape"
    return f"{dtype} [{', '.join('?' if size is None else str(size) for size in shape)}]"


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
    screens = contract.CHEST in model.signature(contract.SERVING_DEFAULT).outputs
    score = contract.CHEST if screens else contract.PROBABILITY
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


def masks(scores: Scores, size: tuple[int, int], target: str) -> npt.NDArray[np.uint8]:
    """The lungs, uint8 [N, height, width] of 0 and 1; ``BadResponse`` where there are none.

    ``size`` is the height and width of the input.
    """
    found = _maps(scores, contract.MASK, target)
    if found.shape[1:] != size or not np.isin(found, (0, 1)).all():
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
