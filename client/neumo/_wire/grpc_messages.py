"""TensorFlow Serving's protobuf messages: requests as bytes, answers as plain data."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import TypeVar

import numpy as np
import numpy.typing as npt
from google.protobuf.message import DecodeError, Message
from google.protobuf.wrappers_pb2 import Int64Value

from neumo._proto import serving_pb2 as pb
from neumo._wire import tensor_protos
from neumo._wire.answer_types import (
    Answer,
    Classifications,
    ModelMetadata,
    Regressions,
    ScoredClass,
    SignatureSpec,
    TensorSpec,
)
from neumo._wire.features import Features
from neumo.model_status import ModelStatus, VersionState, VersionStatus

SIGNATURE_FIELD = "signature_def"
"""The only metadata field that TensorFlow Serving knows."""

_FIELDS = {bytes: "bytes_list", int: "int64_list", float: "float_list"}
"""Of a ``Feature``, by the kind of its values."""

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


def typed_predict_request(
    model: str,
    signature: str,
    inputs: Mapping[str, tuple[npt.NDArray[np.generic], str]],
    version: int | None = None,
    label: str | None = None,
    outputs: Collection[str] = (),
) -> bytes:
    """As ``predict_request``, with TensorFlow's name of its dtype beside each array."""
    spec = _spec(model, version, label, signature)
    request = pb.PredictRequest(model_spec=spec, output_filter=outputs)
    for name, (array, dtype) in inputs.items():
        tensor_protos.encode(array, request.inputs[name], dtype)
    return request.SerializeToString(deterministic=True)


def examples_request(
    kind: type[pb.ClassificationRequest | pb.RegressionRequest],
    model: str,
    signature: str,
    examples: Sequence[Features],
    context: Features | None = None,
    version: int | None = None,
    label: str | None = None,
) -> bytes:
    """A serialized request of ``kind`` about ``examples``, which share the ``context``."""
    request = kind(model_spec=_spec(model, version, label, signature))
    if context is None:
        request.input.example_list.SetInParent()
        held = request.input.example_list.examples
    else:
        _fill(request.input.example_list_with_context.context, context)
        held = request.input.example_list_with_context.examples
    for one in examples:
        _fill(held.add(), one)
    return request.SerializeToString(deterministic=True)


def classification_response(data: bytes) -> Classifications:
    """The answer in a serialized ``ClassificationResponse``; ``ValueError`` where it is none."""
    response = _parsed(pb.ClassificationResponse, data)
    rows = tuple(
        tuple(ScoredClass(one.label.decode("utf-8", "replace"), one.score) for one in row.classes)
        for row in response.result.classifications
    )
    return Classifications(response.model_spec.name, response.model_spec.version.value, rows)


def regression_response(data: bytes) -> Regressions:
    """The answer in a serialized ``RegressionResponse``; ``ValueError`` where it is none."""
    response = _parsed(pb.RegressionResponse, data)
    values = np.array([one.value for one in response.result.regressions], np.float32)
    return Regressions(response.model_spec.name, response.model_spec.version.value, values)


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


def _fill(example: pb.Example, features: Features) -> None:
    held = example.features.feature
    example.features.SetInParent()
    for name, values in features.items():
        feature = held[name]
        if not values:  # of no kind, as REST reads an empty list
            continue
        kind = _FIELDS[type(values[0])]
        getattr(feature, kind).value.extend(values)


def _parsed(kind: type[M], data: bytes) -> M:
    message = kind()
    try:
        message.ParseFromString(data)
    except DecodeError as error:
        raise ValueError(f"not a {kind.DESCRIPTOR.name}: {error}") from None
    return message


def _signature(found: pb.SignatureDef) -> SignatureSpec:
    return SignatureSpec(_specs(found.inputs), _specs(found.outputs), found.method_name)


def _specs(infos: Mapping[str, pb.TensorInfo]) -> dict[str, TensorSpec]:
    return {name: TensorSpec(_dtype(info.dtype), _shape(info)) for name, info in infos.items()}


def _dtype(number: pb.DataType) -> str:
    known = pb.DataType.values()
    return pb.DataType.Name(number) if number in known else f"dtype {number}"


def _shape(info: pb.TensorInfo) -> tuple[int | None, ...] | None:
    if info.tensor_shape.unknown_rank:
        return None
    return tuple(None if dim.size < 0 else dim.size for dim in info.tensor_shape.dim)
