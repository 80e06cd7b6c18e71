"""A transport without a server: calls are answered by a function of the test's own."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import Future
from typing import Any, TypeAlias, TypeVar

import numpy as np
import numpy.typing as npt

from neumo import contract
from neumo._wire.answer_types import Answer, ModelMetadata, SignatureSpec, TensorSpec
from neumo._wire.calls import Call, Metadata, Predict, Reply
from neumo.errors import ModelNotFound
from neumo.model_status import ModelStatus, VersionState, VersionStatus

A = TypeVar("A")
Answerer: TypeAlias = Callable[[Call[Any]], Any]


class FakeTransport:
    """Pass it to ``Client(transport=…)``.

    ``answer`` gets each call and returns its answer, or raises a ``ServingError``; ``asked`` are
    the calls so far, in order.
    """

    target = "fake://"

    def __init__(self, answer: Answerer) -> None:
        self.asked: list[Call[Any]] = []
        self._answer = answer

    def start(self, call: Call[A], timeout_s: float) -> Future[Reply[A]]:  # noqa: ARG002 - answers at once
        """Answer ``call``."""
        self.asked.append(call)
        future: Future[Reply[A]] = Future()
        try:
            future.set_result(Reply(self._answer(call), 0.0))
        except Exception as error:  # noqa: BLE001 - a future carries every error to its waiter
            future.set_exception(error)
        return future

    def close(self) -> None:
        """Nothing to release."""


def answering(
    probabilities: Mapping[str, float], *, threshold: float = 0.5, release: int = 1
) -> Answerer:
    """Answers as a server with one ``release``, whatever the films.

    ``probabilities`` are the members', by name, and may hold how sure ``lungs`` is of a chest; a
    model without one is not served.
    """

    def answer(call: Call[Any]) -> Any:  # noqa: ANN401 - each call has its own kind of answer
        if call.model not in probabilities:
            raise ModelNotFound(call.model, FakeTransport.target, "not served by this fake")
        if isinstance(call, Predict):
            count = len(next(iter(call.inputs.values())))
            scores = _scores(probabilities[call.model], threshold, release, count)
            return Answer(call.model, release, _outputs(call.signature, scores))
        if isinstance(call, Metadata):
            return _metadata(contract.model(call.model), release)
        return ModelStatus(call.model, (VersionStatus(release, VersionState.AVAILABLE, ""),))

    return answer


def _scores(
    score: float, threshold: float, release: int, count: int
) -> dict[str, npt.NDArray[np.generic]]:
    side = contract.IMAGE_SIZE_PX
    mask = np.zeros((count, side, side), np.uint8)
    mask[:, side // 4 : -side // 4, side // 8 : -side // 8] = 1
    return {
        contract.PROBABILITY.name: np.full(count, score, np.float32),
        contract.CHEST.name: np.full(count, score, np.float32),
        contract.THRESHOLD.name: np.full(count, threshold, np.float32),
        contract.RELEASE.name: np.full(count, release, np.int64),
        contract.HEATMAP.name: np.full((count, 32, 32), score, np.float32),
        contract.MASK.name: mask,
    }


def _outputs(
    signature: contract.Signature, values: Mapping[str, npt.NDArray[np.generic]]
) -> dict[str, npt.NDArray[np.generic]]:
    return {tensor.name: values[tensor.name] for tensor in signature.outputs}


def _metadata(model: contract.Model, release: int) -> ModelMetadata:
    signatures = {
        signature.name: SignatureSpec(_specs(signature.inputs), _specs(signature.outputs))
        for signature in model.signatures
    }
    return ModelMetadata(model.name, release, signatures)


def _specs(tensors: tuple[contract.Tensor, ...]) -> dict[str, TensorSpec]:
    return {tensor.name: TensorSpec(tensor.dtype, tensor.shape) for tensor in tensors}
