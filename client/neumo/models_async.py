"""Models of any kind on TensorFlow Serving, asked without TensorFlow: the client that awaits."""

from __future__ import annotations

import copy
import time
from collections.abc import Collection, Iterable, Mapping
from types import TracebackType
from typing import TypeVar

from neumo import settings
from neumo._drive import client_state_async
from neumo._drive.driver_async import drive
from neumo._engine import any_model
from neumo._engine.any_model import Example, KnownModels
from neumo._engine.plan import Plan
from neumo._transports.transport import Transport
from neumo._wire.answer_types import Classifications, ModelMetadata, Outputs, Regressions
from neumo.contract import SERVING_DEFAULT
from neumo.model_status import ModelStatus
from neumo.settings import DEFAULT_RETRIES, Tls, Token

A = TypeVar("A")


class AsyncModels:
    """``Models`` for asyncio: the same arguments, answers and errors.

    A task that is cancelled gives its calls up. Close it, or use it in ``async with``.
    """

    def __init__(  # noqa: PLR0913 - all but the first by keyword
        self,
        url: str | None = None,
        *,
        timeout: float | None = None,
        retries: int = DEFAULT_RETRIES,
        hedge: float | None = None,
        token: Token | None = None,
        metadata: Mapping[str, str] | None = None,
        tls: Tls | None = None,
        connections: int | None = None,
        transport: Transport | None = None,
    ) -> None:
        """As ``Models``; connects with the first call."""
        chosen = settings.resolve(
            url,
            timeout=timeout,
            retries=retries,
            hedge=hedge,
            token=token,
            tls=tls,
            connections=connections,
        )
        self._state = client_state_async.begin(chosen, metadata, transport)
        self._known = KnownModels(time.monotonic)

    async def predict(
        self,
        model: str,
        inputs: Mapping[str, object],
        *,
        signature: str = SERVING_DEFAULT,
        version: int | None = None,
        label: str | None = None,
        timeout: float | None = None,
        outputs: Collection[str] = (),
    ) -> Outputs:
        """What ``signature`` of ``model`` answers to ``inputs``, as ``Models.predict``."""
        asked = any_model.asked(model, signature, version, label)
        plan = any_model.predict(asked, inputs, outputs, self._known, self._state.terms)
        return await self._run(plan, timeout)

    async def classify(
        self,
        model: str,
        examples: Iterable[Example],
        *,
        context: Example | None = None,
        signature: str = SERVING_DEFAULT,
        version: int | None = None,
        label: str | None = None,
        timeout: float | None = None,
    ) -> Classifications:
        """The classes of each of ``examples``, with their scores, as ``Models.classify``."""
        asked = any_model.asked(model, signature, version, label)
        plan = any_model.classify(asked, examples, context, self._state.terms)
        return await self._run(plan, timeout)

    async def regress(
        self,
        model: str,
        examples: Iterable[Example],
        *,
        context: Example | None = None,
        signature: str = SERVING_DEFAULT,
        version: int | None = None,
        label: str | None = None,
        timeout: float | None = None,
    ) -> Regressions:
        """A number for each of ``examples``, given as to ``classify``."""
        asked = any_model.asked(model, signature, version, label)
        plan = any_model.regress(asked, examples, context, self._state.terms)
        return await self._run(plan, timeout)

    async def metadata(
        self,
        model: str,
        *,
        version: int | None = None,
        label: str | None = None,
        timeout: float | None = None,
    ) -> ModelMetadata:
        """The signatures of a version of ``model``, with the dtype and shape of each tensor."""
        asked = any_model.asked(model, SERVING_DEFAULT, version, label)
        return await self._run(any_model.metadata(asked, self._state.terms), timeout)

    async def status(self, model: str, *, timeout: float | None = None) -> ModelStatus:
        """Every version of ``model`` that the server knows, newest first, with its state.

        Raises ``ModelNotFound`` where the server does not know the model.
        """
        return await self._run(any_model.status(model, self._state.terms), timeout)

    def with_options(
        self, *, timeout: float | None = None, metadata: Mapping[str, str] | None = None
    ) -> AsyncModels:
        """A client over the same connections with other options, as ``Models.with_options``."""
        other = copy.copy(self)
        other._state = self._state.changed(timeout, metadata=metadata)
        return other

    async def close(self) -> None:
        """Close the connections; a call under way ends with an error."""
        if not self._state.is_owner:
            return
        await self._state.transport.close()
        self._state.workers.close()

    async def __aenter__(self) -> AsyncModels:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.close()

    async def _run(self, plan: Plan[A], timeout: float | None) -> A:
        state = self._state if timeout is None else self._state.changed(timeout)
        with state.request():
            return await drive(plan, state.transport, state.deadline())
