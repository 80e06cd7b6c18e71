"""A transport without a server: calls are answered by a function of the test's own."""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from typing import Any, TypeAlias, TypeVar

import numpy as np
import numpy.typing as npt

from neumo import contract
from neumo._wire.answer_types import Answer, ModelMetadata, SignatureSpec, TensorSpec
from neumo._wire.calls import Call, Metadata, Predict, Reply, Status
from neumo.ensemble import SHIPPED, Ensemble
from neumo.errors import ModelNotFound, NeumoError, Unavailable
from neumo.model_status import ModelStatus, VersionState, VersionStatus

A = TypeVar("A")
Answerer: TypeAlias = Callable[[Call[Any]], Any]


class FakeTransport:
    """Pass it to ``Client(transport=…)``.

    ``answer`` gets each call and returns its answer, or raises a ``ServingError``; ``asked`` are
    the calls so far, in order. One that takes long is answered later, as a server would, while
    the client waits no longer than its timeout; of one that is quick, nothing runs beside it.
    """

    target = "fake://"

    def __init__(self, answer: Answerer) -> None:
        self.asked: list[Call[Any]] = []
        self._answer = answer

    def start(self, call: Call[A], timeout_s: float) -> Future[Reply[A]]:  # noqa: ARG002 - the client sees to it
        """Answer ``call``."""
        self.asked.append(call)
        future: Future[Reply[A]] = Future()
        answering = threading.Thread(target=self._finish, args=(future, call), daemon=True)
        answering.start()
        # So calls are answered in the order in which they are made, and tests can count on it.
        answering.join(_QUICK_S)
        return future

    def close(self) -> None:
        """Nothing to release."""

    def _finish(self, future: Future[Reply[A]], call: Call[A]) -> None:
        try:
            reply = Reply(_checked(call, self._answer(call)), 0.0)
        except Exception as error:  # noqa: BLE001 - a future carries every error to its waiter
            if future.set_running_or_notify_cancel():
                future.set_exception(error)
            del future  # a circle with the error, whose traceback holds this frame
            return
        if future.set_running_or_notify_cancel():
            future.set_result(reply)


_QUICK_S = 0.02
_ANSWERS: dict[type, type] = {Predict: Answer, Metadata: ModelMetadata, Status: ModelStatus}


def _checked(call: Call[Any], answer: Any) -> Any:  # noqa: ANN401 - each call has its own kind of answer
    expected = _ANSWERS.get(type(call))
    if expected is None or isinstance(answer, expected):
        return answer
    found, asked = type(answer).__name__, type(call).__name__
    raise TypeError(f"the fake's answer to {asked} is of type {found}: give a {expected.__name__}")


Score: TypeAlias = float | Callable[[npt.NDArray[np.uint8]], float]
"""A model's answer: one for all films, or what it is of each, uint8 [256, 256, 1]."""


def answering(
    probabilities: Mapping[str, Score],
    *,
    threshold: float = 0.5,
    release: int = 1,
    ensemble: Ensemble = SHIPPED,
) -> Answerer:
    """Answers as a server with one ``release``.

    ``probabilities`` are the members', by name, and may hold how sure ``lungs`` is of a chest: a
    number, or a function of the film. A model without one is not served. ``ensemble`` are the
    client's models, where they are others than neumo's.
    """

    def answer(call: Call[Any]) -> Any:  # noqa: ANN401 - each call has its own kind of answer
        if call.model not in probabilities:
            raise ModelNotFound(call.model, FakeTransport.target, "not served by this fake")
        if isinstance(call, Predict):
            score = probabilities[call.model]
            films = next(iter(call.inputs.values()))
            values = [score(film) if callable(score) else score for film in films]
            scores = _scores(np.array(values, np.float32), threshold, release, ensemble)
            return Answer(call.model, release, _outputs(call.signature, scores))
        if isinstance(call, Metadata):
            return _metadata(ensemble.model(call.model), release)
        return ModelStatus(call.model, (VersionStatus(release, VersionState.AVAILABLE, ""),))

    return answer


def slow(answer: Answerer, seconds: float) -> Answerer:
    """``answer``, so many seconds late."""

    def late(call: Call[Any]) -> Any:  # noqa: ANN401 - each call has its own kind of answer
        time.sleep(seconds)
        return answer(call)

    return late


def failing(answer: Answerer, times: int, error: NeumoError | None = None) -> Answerer:
    """``answer``, after the first ``times`` calls about films have ended in ``error``.

    Without one it is ``Unavailable``.
    """
    left = itertools.count(times, -1)

    def failing_first(call: Call[Any]) -> Any:  # noqa: ANN401 - each call has its own kind of answer
        if isinstance(call, Predict) and next(left) > 0:
            raise error or Unavailable(call.model, FakeTransport.target, "failed by this fake")
        return answer(call)

    return failing_first


def _scores(
    values: npt.NDArray[np.float32], threshold: float, release: int, ensemble: Ensemble
) -> dict[str, npt.NDArray[np.generic]]:
    (height, width, _), count = ensemble.image.shape, len(values)
    mask = np.zeros((count, height, width), np.uint8)
    mask[:, height // 4 : -height // 4, width // 8 : -width // 8] = 1
    return {
        contract.PROBABILITY.name: values,
        contract.CHEST.name: values,
        contract.THRESHOLD.name: np.full(count, threshold, np.float32),
        contract.RELEASE.name: np.full(count, release, np.int64),
        contract.HEATMAP.name: np.broadcast_to(values[:, None, None], (count, 32, 32)).copy(),
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
