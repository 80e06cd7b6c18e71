"""Models of any kind on TensorFlow Serving, asked without TensorFlow: the client that blocks."""

from __future__ import annotations

import copy
import time
from collections.abc import Collection, Iterable, Mapping
from types import TracebackType
from typing import TypeVar

from neumo import settings
from neumo._drive import client_state
from neumo._drive.driver import drive
from neumo._engine import any_model
from neumo._engine.any_model import Example, KnownModels
from neumo._engine.plan import Plan
from neumo._transports.transport import Transport
from neumo._wire.answer_types import Classifications, ModelMetadata, Outputs, Regressions
from neumo.contract import SERVING_DEFAULT
from neumo.model_status import ModelStatus
from neumo.settings import DEFAULT_RETRIES, Tls, Token

A = TypeVar("A")


class Models:
    """Asks any model of a TensorFlow Serving server, over gRPC or REST alike.

    Needs no TensorFlow. Thread-safe and reusable; close it, or use it in ``with``::

        with neumo.Models("grpc://localhost:8500") as models:
            outputs = models.predict("half_plus_two", {"x": [1.0, 2.0, 5.0]})
            outputs["y"], outputs.version

    Every tensor that TensorFlow Serving takes can be sent: numbers of any width, bools, and text
    or bytes; bfloat16, which numpy has not, as float32 (or as ``ml_dtypes.bfloat16``), and
    quantised numbers as the integers that they are. What comes back has the dtypes of the
    signature, over REST too, where the JSON has none; there half,
    bfloat16, uint16, complex and quantised tensors cannot be carried, and a signature with one
    raises ``ConfigError``. Strings that are
    no UTF-8 come whole over REST from outputs called ``…_bytes``.
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
        """Connects with the first call, not here.

        The arguments are those of ``Client``; ``timeout`` is the seconds that one call may take,
        every retry included. Raises ``ConfigError`` for any that cannot be used.
        """
        chosen = settings.resolve(
            url,
            timeout=timeout,
            retries=retries,
            hedge=hedge,
            token=token,
            tls=tls,
            connections=connections,
        )
        self._state = client_state.begin(chosen, metadata, transport)
        self._known = KnownModels(time.monotonic)

    def predict(
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
        """What ``signature`` of ``model`` answers to ``inputs``.

        ``inputs`` are the values by tensor name: arrays, numbers, text, bytes, or nested lists.
        They become arrays of the signature's dtypes, which are asked of the server once a minute
        at most: whole numbers must fit, and fractions are rounded to the width that is served.
        ``version``, or ``label``, pins what answers, the server's newest version does otherwise;
        ``timeout`` takes the place of the client's. With ``outputs`` only those are returned, and
        over gRPC only those are computed. Raises ``ConfigError`` for a name that the signature has
        not, or a value that it does not take, and a ``ServingError`` as ``Client`` does.
        """
        asked = any_model.asked(model, signature, version, label)
        plan = any_model.predict(asked, inputs, outputs, self._known, self._state.terms)
        return self._run(plan, timeout)

    def classify(
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
        """The classes of each of ``examples``, with their scores.

        An example is a mapping from features to a number, text, bytes, or a list of them: whole
        numbers and bools are sent as int64, fractions as float32. Its features come after those
        of ``context``, which all examples share. The signature takes serialized ``tf.Example``.
        """
        asked = any_model.asked(model, signature, version, label)
        plan = any_model.classify(asked, examples, context, self._state.terms)
        return self._run(plan, timeout)

    def regress(
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
        return self._run(plan, timeout)

    def metadata(
        self,
        model: str,
        *,
        version: int | None = None,
        label: str | None = None,
        timeout: float | None = None,
    ) -> ModelMetadata:
        """The signatures of a version of ``model``, with the dtype and shape of each tensor."""
        asked = any_model.asked(model, SERVING_DEFAULT, version, label)
        return self._run(any_model.metadata(asked, self._state.terms), timeout)

    def status(self, model: str, *, timeout: float | None = None) -> ModelStatus:
        """Every version of ``model`` that the server knows, newest first, with its state.

        Raises ``ModelNotFound`` where the server does not know the model.
        """
        return self._run(any_model.status(model, self._state.terms), timeout)

    def with_options(
        self, *, timeout: float | None = None, metadata: Mapping[str, str] | None = None
    ) -> Models:
        """As this one, over the same connections, with other options; what is not given stays.

        ``metadata`` are further headers; they go before this one's of the same name. The
        connections stay this one's: closing the other one closes nothing.
        """
        other = copy.copy(self)
        other._state = self._state.changed(timeout, metadata=metadata)
        return other

    def close(self) -> None:
        """Close the connections; a call under way ends with an error."""
        if not self._state.is_owner:
            return
        self._state.transport.close()
        self._state.workers.close()

    def __enter__(self) -> Models:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def _run(self, plan: Plan[A], timeout: float | None) -> A:
        state = self._state if timeout is None else self._state.changed(timeout)
        with state.request():
            return drive(plan, state.transport, state.deadline())
