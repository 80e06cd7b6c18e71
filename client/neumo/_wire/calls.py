"""The three calls that neumo makes, as data that either transport can carry."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Generic, Protocol, TypeVar

import numpy as np
import numpy.typing as npt

from neumo import contract
from neumo._wire import grpc_messages, png_images, rest_json
from neumo._wire.answer_types import Answer, ModelMetadata
from neumo.model_status import ModelStatus

A_co = TypeVar("A_co", covariant=True)


@dataclass(frozen=True, slots=True)
class RestRequest:
    """What REST sends: the verb, the path below the server's root, and the JSON body."""

    verb: str
    path: str
    body: bytes | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Reply(Generic[A_co]):
    """An answer, the seconds from sending the call to reading it, and those of encoding it."""

    answer: A_co
    seconds: float
    encode_seconds: float = 0.0


class Call(Protocol[A_co]):
    """One question to one model, whose answer is an ``A_co``.

    ``read_rpc`` and ``read_rest`` raise ``ValueError`` where the data is no such answer.
    """

    @property
    def model(self) -> str:
        """The servable that is asked."""

    @property
    def rpc_method(self) -> str:
        """The gRPC method's path."""

    def rpc_body(self) -> bytes:
        """The serialized request message."""

    def read_rpc(self, data: bytes) -> A_co:
        """The answer in a serialized response message."""

    def rest_request(self) -> RestRequest:
        """The same question for the REST API."""

    def read_rest(self, data: bytes) -> A_co:
        """The answer in the body of a REST response."""


@dataclass(frozen=True, slots=True, eq=False)
class Predict:
    """Run ``signature`` of ``model`` on ``inputs``; ``version`` or ``label`` pins what answers.

    ``encoded`` is the signature that says the same of image files, if there is one: over REST the
    only input, images of 8 bits, goes there as PNG, which costs a tenth of JSON's numbers.
    """

    rpc_method: ClassVar[str] = "/tensorflow.serving.PredictionService/Predict"

    model: str
    signature: contract.Signature
    inputs: Mapping[str, npt.NDArray[np.generic]]
    version: int | None = None
    label: str | None = None
    encoded: contract.Signature | None = None

    def rpc_body(self) -> bytes:
        """A ``PredictRequest`` for the outputs that the contract knows, and no others.

        Where some came with a later minor of the contract, all are asked for: an older release
        would refuse to be asked for what it does not have.
        """
        outputs = self.signature.outputs
        filtered = [] if any(t.since_minor for t in outputs) else [t.name for t in outputs]
        return grpc_messages.predict_request(
            self.model,
            self.signature.name,
            self.inputs,
            version=self.version,
            label=self.label,
            outputs=filtered,
        )

    def read_rpc(self, data: bytes) -> Answer:
        """The outputs in a ``PredictResponse``."""
        return grpc_messages.predict_response(data)

    def rest_request(self) -> RestRequest:
        """``POST …:predict`` in the column format."""
        path = rest_json.rest_path(self.model, self.version, self.label) + ":predict"
        signature, inputs = self.signature, self.inputs
        if self.encoded is not None:
            signature, inputs = self.encoded, self._files(self.encoded)
        return RestRequest("POST", path, rest_json.rest_body(signature.name, inputs))

    def read_rest(self, data: bytes) -> Answer:
        """The outputs in a JSON answer."""
        return rest_json.rest_answer(self.model, self.signature, data)

    def _files(self, encoded: contract.Signature) -> Mapping[str, npt.NDArray[np.generic]]:
        ((images,), (tensor,)) = self.inputs.values(), encoded.inputs
        files = [png_images.encode(image) for image in images.astype(np.uint8, copy=False)]
        return {tensor.name: np.array(files, dtype=object)}


@dataclass(frozen=True, slots=True)
class Status:
    """Which versions of ``model`` there are, and in which state."""

    rpc_method: ClassVar[str] = "/tensorflow.serving.ModelService/GetModelStatus"

    model: str

    def rpc_body(self) -> bytes:
        """A ``GetModelStatusRequest``."""
        return grpc_messages.status_request(self.model)

    def read_rpc(self, data: bytes) -> ModelStatus:
        """The versions in a ``GetModelStatusResponse``."""
        return grpc_messages.status_response(self.model, data)

    def rest_request(self) -> RestRequest:
        """``GET`` of the model's path."""
        return RestRequest("GET", rest_json.rest_path(self.model))

    def read_rest(self, data: bytes) -> ModelStatus:
        """The versions in a JSON answer."""
        return rest_json.rest_status(self.model, data)


@dataclass(frozen=True, slots=True)
class Metadata:
    """Which signatures ``model`` has, pinned as ``Predict`` is."""

    rpc_method: ClassVar[str] = "/tensorflow.serving.PredictionService/GetModelMetadata"

    model: str
    version: int | None = None
    label: str | None = None

    def rpc_body(self) -> bytes:
        """A ``GetModelMetadataRequest``."""
        return grpc_messages.metadata_request(self.model, self.version, self.label)

    def read_rpc(self, data: bytes) -> ModelMetadata:
        """The signatures in a ``GetModelMetadataResponse``."""
        return grpc_messages.metadata_response(data)

    def rest_request(self) -> RestRequest:
        """``GET`` of the model's metadata."""
        return RestRequest(
            "GET", rest_json.rest_path(self.model, self.version, self.label) + "/metadata"
        )

    def read_rest(self, data: bytes) -> ModelMetadata:
        """The signatures in a JSON answer."""
        return rest_json.rest_metadata(data)
