"""The calls about models of any kind, whose tensors their metadata describe."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from neumo._proto import serving_pb2 as pb
from neumo._wire import grpc_messages, rest_json
from neumo._wire.answer_types import Classifications, Outputs, Regressions, SignatureSpec
from neumo._wire.calls import RestRequest
from neumo._wire.features import Features
from neumo.errors import ConfigError

_GRPC_ONLY = ("COMPLEX", "BFLOAT16", "HALF", "QINT", "QUINT", "UINT16")
"""TensorFlow Serving's JSON has no form for these (``util/json_tensor.cc``)."""


@dataclass(frozen=True, slots=True)
class Asked:
    """Which signature of which model is asked; ``version`` or ``label`` pins what answers."""

    model: str
    signature: str
    version: int | None = None
    label: str | None = None

    def path(self, verb: str) -> str:
        """The REST path that asks it."""
        return f"{rest_json.rest_path(self.model, self.version, self.label)}:{verb}"


@dataclass(frozen=True, slots=True, eq=False)
class PredictAny:
    """Run a signature with the tensors of ``spec`` on ``inputs``, arrays of its dtypes.

    ``outputs`` are the names of those that are wanted, all where it is empty.
    """

    rpc_method: ClassVar[str] = "/tensorflow.serving.PredictionService/Predict"

    asked: Asked
    spec: SignatureSpec
    inputs: Mapping[str, npt.NDArray[np.generic]]
    outputs: Collection[str] = ()

    @property
    def model(self) -> str:
        """The servable that is asked."""
        return self.asked.model

    def rpc_body(self) -> bytes:
        """A ``PredictRequest``."""
        typed = {name: (a, self.spec.inputs[name].dtype) for name, a in self.inputs.items()}
        asked = self.asked
        return grpc_messages.typed_predict_request(
            asked.model, asked.signature, typed, asked.version, asked.label, self.outputs
        )

    def read_rpc(self, data: bytes) -> Outputs:
        """The outputs in a ``PredictResponse``."""
        answer = grpc_messages.predict_response(data)
        return Outputs(answer.model, answer.version, answer.outputs)

    def rest_request(self) -> RestRequest:
        """``POST …:predict`` in the column format, where dimensions may differ between tensors.

        Raises ``ConfigError`` for a tensor that has no form in TensorFlow Serving's JSON.
        """
        for role, specs in (("input", self.spec.inputs), ("output", self.spec.outputs)):
            for name, spec in specs.items():
                if any(word in spec.dtype for word in _GRPC_ONLY):
                    raise ConfigError(
                        f"the {role} {name} is {spec.dtype}, which TensorFlow Serving's REST API "
                        "cannot carry: use a grpc:// URL"
                    )
        for name, array in self.inputs.items():
            if not math.prod(array.shape[:-1]):
                raise ConfigError(
                    f"the input {name} has the shape {list(array.shape)}, which JSON cannot say: "
                    "use a grpc:// URL"
                )
        body = rest_json.rest_body(self.asked.signature, self.inputs)
        return RestRequest("POST", self.asked.path("predict"), body)

    def read_rest(self, data: bytes) -> Outputs:
        """The outputs in a JSON answer."""
        return rest_json.rest_outputs(self.asked.model, self.spec.outputs, self.outputs, data)


@dataclass(frozen=True, slots=True, eq=False)
class _AboutExamples:
    """A question about ``examples``, which share the features of ``context``."""

    asked: Asked
    examples: Sequence[Features]
    context: Features | None = None

    @property
    def model(self) -> str:
        """The servable that is asked."""
        return self.asked.model

    def _body(self, kind: type[pb.ClassificationRequest | pb.RegressionRequest]) -> bytes:
        return grpc_messages.examples_request(
            kind,
            self.asked.model,
            self.asked.signature,
            self.examples,
            self.context,
            self.asked.version,
            self.asked.label,
        )

    def _request(self, verb: str) -> RestRequest:
        body = rest_json.rest_examples(self.asked.signature, self.examples, self.context)
        return RestRequest("POST", self.asked.path(verb), body)


class Classify(_AboutExamples):
    """Which classes the examples belong to."""

    __slots__ = ()
    rpc_method: ClassVar[str] = "/tensorflow.serving.PredictionService/Classify"

    def rpc_body(self) -> bytes:
        """A ``ClassificationRequest``."""
        return self._body(pb.ClassificationRequest)

    def read_rpc(self, data: bytes) -> Classifications:
        """The classes in a ``ClassificationResponse``."""
        return grpc_messages.classification_response(data)

    def rest_request(self) -> RestRequest:
        """``POST …:classify``."""
        return self._request("classify")

    def read_rest(self, data: bytes) -> Classifications:
        """The classes in a JSON answer."""
        return rest_json.rest_classifications(self.asked.model, data)


class Regress(_AboutExamples):
    """Which number belongs to each example."""

    __slots__ = ()
    rpc_method: ClassVar[str] = "/tensorflow.serving.PredictionService/Regress"

    def rpc_body(self) -> bytes:
        """A ``RegressionRequest``."""
        return self._body(pb.RegressionRequest)

    def read_rpc(self, data: bytes) -> Regressions:
        """The numbers in a ``RegressionResponse``."""
        return grpc_messages.regression_response(data)

    def rest_request(self) -> RestRequest:
        """``POST …:regress``."""
        return self._request("regress")

    def read_rest(self, data: bytes) -> Regressions:
        """The numbers in a JSON answer."""
        return rest_json.rest_regressions(self.asked.model, data)
