"""TensorFlow Serving's protobuf messages: requests as bytes, answers as plain data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeVar

import numpy as np
import numpy.typing as npt
from google.protobuf.message import DecodeError, Message
from google.protobuf.wrappers_pb2 import Int64Value

from neumo._proto import serving_pb2 as pb
from neumo._wire import tensor_protos
from neumo._wire.answer_types import Answer, ModelMetadata, SignatureSpec, TensorSpec
from neumo.model_status import ModelStatus, VersionState, VersionStatus

SIGNATURE_FIELD = "signature_def"
"""The only metadata field that TensorFlow Serving knows."""

M = TypeVar("M", bound=Message)


def predict_request(
    model: str,
    signature: str,
    inputs: Mapping[str, npt.NDArray[np.generic]],
    version: int | None = None,
    label: str | None = None,
    outputs: Sequence[str] = (),
) -> bytes:
    """A serialized ``PredictRequest``.

    ``version`` or ``label`` pins what answers, the server's policy chooses otherwise; without
    ``outputs`` every output is sent back. Raises ``ConfigError`` for an input that cannot be sent.
    """
    spec = _spec(model, version, label, signature)
    return _predict(spec, inputs, outputs).SerializeToString(deterministic=True)


def predict_response(data: bytes) -> Answer:
    """The answer in a serialized ``PredictResponse``; ``ValueError`` where it is none."""
    response = _parsed(pb.PredictResponse, data)
    spec = response.model_spec
    version = spec.version.value if spec.HasField("version") else None
    outputs = {name: tensor_protos.decode(tensor) for name, tensor in response.outputs.items()}
    return Answer(spec.name, version, outputs)


def warmup_record(
    model: str, signature: str, inputs: Mapping[str, npt.NDArray[np.generic]]
) -> bytes:
    """A serialized ``PredictionLog``, one record of ``assets.extra/tf_serving_warmup_requests``.

    It names no version: the version that is loading replays it.
    """
    request = _predict(_spec(model, None, None, signature), inputs, ())
    log = pb.PredictionLog(predict_log=pb.PredictLog(request=request))
    return log.SerializeToString(deterministic=True)


def status_request(model: str) -> bytes:
    """A serialized ``GetModelStatusRequest`` about every version of ``model``."""
    request = pb.GetModelStatusRequest(model_spec=_spec(model, None, None, ""))
    return request.SerializeToString(deterministic=True)


def status_response(model: str, data: bytes) -> ModelStatus:
    """The status in a serialized ``GetModelStatusResponse``; ``ValueError`` where it is none."""
    response = _parsed(pb.GetModelStatusResponse, data)
    versions = [
        VersionStatus(
            one.version,
            VersionState(pb.ModelVersionStatus.State.Name(one.state)),
            one.status.error_message,
        )
        for one in response.model_version_status
    ]
    versions.sort(key=lambda one: one.version, reverse=True)
    return ModelStatus(model, tuple(versions))


def metadata_request(model: str, version: int | None = None, label: str | None = None) -> bytes:
    """A serialized ``GetModelMetadataRequest`` for the signatures of ``model``."""
    request = pb.GetModelMetadataRequest(
        model_spec=_spec(model, version, label, ""), metadata_field=[SIGNATURE_FIELD]
    )
    return request.SerializeToString(deterministic=True)


def metadata_response(data: bytes) -> ModelMetadata:
    """The signatures in a serialized ``GetModelMetadataResponse``.

    Raises ``ValueError`` where it is none, or carries no signatures.
    """
    response = _parsed(pb.GetModelMetadataResponse, data)
    if SIGNATURE_FIELD not in response.metadata:
        raise ValueError(f"metadata without {SIGNATURE_FIELD}")
    found = _parsed(pb.SignatureDefMap, response.metadata[SIGNATURE_FIELD].value)
    signatures = {name: _signature(one) for name, one in found.signature_def.items()}
    return ModelMetadata(response.model_spec.name, response.model_spec.version.value, signatures)


def signature_spec(data: bytes) -> SignatureSpec:
    """The tensors in a serialized ``SignatureDef``; ``ValueError`` where it is none."""
    return _signature(_parsed(pb.SignatureDef, data))


def _spec(model: str, version: int | None, label: str | None, signature: str) -> pb.ModelSpec:
    spec = pb.ModelSpec(name=model, signature_name=signature)
    if version is not None:
        spec.version.CopyFrom(Int64Value(value=version))
    elif label is not None:
        spec.version_label = label
    return spec


def _predict(
    spec: pb.ModelSpec,
    inputs: Mapping[str, npt.NDArray[np.generic]],
    outputs: Sequence[str],
) -> pb.PredictRequest:
    request = pb.PredictRequest(model_spec=spec, output_filter=outputs)
    for name, array in inputs.items():
        tensor_protos.encode(array, request.inputs[name])
    return request


def _parsed(kind: type[M], data: bytes) -> M:
    message = kind()
    try:
        message.ParseFromString(data)
    except DecodeError as error:
        raise ValueError(f"not a {kind.DESCRIPTOR.name}: {error}") from None
    return message


def _signature(found: pb.SignatureDef) -> SignatureSpec:
    return SignatureSpec(_specs(found.inputs), _specs(found.outputs))


def _specs(infos: Mapping[str, pb.TensorInfo]) -> dict[str, TensorSpec]:
    return {name: TensorSpec(_dtype(info.dtype), _shape(info)) for name, info in infos.items()}


def _dtype(number: pb.DataType) -> str:
    known = pb.DataType.values()
    return pb.DataType.Name(number) if number in known else f"dtype {number}"


def _shape(info: pb.TensorInfo) -> tuple[int | None, ...] | None:
    if info.tensor_shape.unknown_rank:
        return None
    return tuple(None if dim.size < 0 else dim.size for dim in info.tensor_shape.dim)
