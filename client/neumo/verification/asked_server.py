"""One server, asked by calls of its own: the SDK's retries would hide what is looked for."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from neumo import contract
from neumo._transports.transport import Transport, one_server
from neumo._wire.answer_types import Answer, SignatureSpec
from neumo._wire.calls import Call, Metadata, Predict, Reply
from neumo.errors import (
    BadResponse,
    ConfigError,
    DeadlineExceeded,
    InvalidRequest,
    ServingError,
    Unavailable,
)

A = TypeVar("A")
Arrays = dict[str, npt.NDArray[np.generic]]

TRIES = 3
PAUSE_S = 0.5
GRACE_S = 1.0
"""What a transport may take beyond the deadline to say itself that it has passed."""


class AskedServer:
    """The server at ``url``; every call may take ``timeout_s`` seconds."""

    def __init__(self, url: str, transport: Transport, timeout_s: float) -> None:
        self.url = url
        self._transport = transport
        self._way = one_server(transport)
        self._timeout_s = timeout_s

    def ask(self, call: Call[A]) -> A:
        """The answer to ``call``; one that is refused for the time being is made three times.

        Raises a ``ServingError``.
        """
        for tries_left in reversed(range(TRIES)):
            try:
                return self.together([call])[0].answer
            except Unavailable:
                if not tries_left:
                    raise
                self._way = one_server(self._transport)
                time.sleep(PAUSE_S)
        raise AssertionError

    def together(self, calls: Sequence[Call[A]]) -> list[Reply[A]]:
        """The replies to ``calls``, made together and once; raises a ``ServingError``."""
        futures: list[Future[Reply[A]]] = []
        try:
            futures += (self._way.start(call, self._timeout_s) for call in calls)
            until = time.monotonic() + self._timeout_s + GRACE_S
            return [future.result(max(0.0, until - time.monotonic())) for future in futures]
        except TimeoutError:
            detail = f"no answer within {self._timeout_s:g} s"
            raise DeadlineExceeded(calls[0].model, self.url, detail) from None
        finally:
            for future in futures:
                future.cancel()


class ServedModel:
    """Version ``number`` of ``model`` on ``server``: a ``neumo.release.check.Servable``."""

    def __init__(self, server: AskedServer, model: contract.Model, number: int) -> None:
        self._server = server
        self._model = model
        self._number = number
        self.answered: dict[str, Arrays] = {}
        """What each signature answered last."""
        self.signatures: Mapping[str, SignatureSpec] = server.ask(
            Metadata(model.name, number)
        ).signatures

    def run(self, signature: str, inputs: Mapping[str, Any]) -> Arrays:
        """Every output of ``signature``; one film in a call, as most users ask.

        Raises ``ConfigError`` where the model cannot answer, and a ``ServingError`` where that is
        not known.
        """
        asked = self._model.signature(signature)
        ((name, films),) = inputs.items()
        answers = [
            self._answer(Predict(self._model.name, asked, {name: films[i : i + 1]}, self._number))
            for i in range(len(films))
        ]
        joined: Arrays = {}
        for tensor in asked.outputs:
            parts = [answer.outputs[tensor.name] for answer in answers]
            if len({part.shape[1:] for part in parts}) > 1 or not all(p.ndim for p in parts):
                raise ConfigError(f"output {tensor.name} has another shape for each film")
            joined[tensor.name] = np.concatenate(parts)
        self.answered[signature] = joined
        return joined

    def _answer(self, call: Predict) -> Answer:
        try:
            answer = self._server.ask(call)
        except ServingError as error:
            if type(error) in {BadResponse, InvalidRequest, ServingError}:
                raise ConfigError(error.detail) from error
            raise
        lacking = [t.name for t in call.signature.outputs if t.name not in answer.outputs]
        if lacking:
            raise ConfigError(f"the answer lacks the output {lacking[0]}")
        if answer.version not in (None, self._number):
            raise ConfigError(f"version {answer.version} answers where {self._number} was asked")
        return answer
