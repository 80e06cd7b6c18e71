"""PredictionService: what a model says.

Upstream: ``model_servers/prediction_service_impl.cc``.
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Any

from tensorflow_serving.apis import (
    get_model_metadata_pb2,
    predict_pb2,
    prediction_service_pb2_grpc,
)

from neumo_serving import description
from neumo_serving.engine import inference, tensors
from neumo_serving.engine.faults import invalid
from neumo_serving.engine.inference import DEFAULT_SIGNATURE, Question
from neumo_serving.engine.lifecycle import Models
from neumo_serving.engine.loader import LoadedModel
from neumo_serving.rpc import answering


class PredictionService(prediction_service_pb2_grpc.PredictionServiceServicer):  # type: ignore[misc] # no types
    """Predict and GetModelMetadata; the other methods answer UNIMPLEMENTED."""

    def __init__(self, models: Models, as_content: bool) -> None:
        self._models = models
        self._as_content = as_content

    def Predict(self, request: Any, context: Any) -> Any:  # noqa: N802 - gRPC's name
        """Run one signature of one version."""
        return answering.answer(context, lambda: self._predict(request))

    def GetModelMetadata(self, request: Any, context: Any) -> Any:  # noqa: N802 - gRPC's name
        """The signatures of one version."""
        return answering.answer(context, lambda: self._metadata(request))

    def _predict(self, request: Any) -> Any:
        spec = answering.spec(request)
        question = Question(spec.signature_name, request.inputs, request.output_filter)
        response = predict_pb2.PredictResponse()
        with self._acquire(spec) as (number, model):
            outputs = inference.predict(model, question)
        response.model_spec.name = spec.name
        response.model_spec.version.value = number
        response.model_spec.signature_name = spec.signature_name or DEFAULT_SIGNATURE
        for name, array in outputs.items():
            response.outputs[name].CopyFrom(tensors.encode(array, self._as_content))
        return response

    def _metadata(self, request: Any) -> Any:
        spec = answering.spec(request)
        _check_fields(request.metadata_field)
        response = get_model_metadata_pb2.GetModelMetadataResponse()
        with self._acquire(spec) as (number, model):
            response.metadata[description.SIGNATURE_FIELD].Pack(description.signatures(model))
        response.model_spec.name = spec.name
        response.model_spec.version.value = number
        return response

    def _acquire(self, spec: Any) -> AbstractContextManager[tuple[int, LoadedModel]]:
        if not spec.name:
            raise invalid("ModelSpec has no name specified.")
        label = spec.version_label if spec.HasField("version_label") else None
        return self._models.named(spec.name).acquire(answering.version(spec), label)


def _check_fields(fields: Any) -> None:
    if not fields:
        raise invalid("GetModelMetadataRequest must specify at least one metadata_field")
    for field in fields:
        if field != description.SIGNATURE_FIELD:
            raise invalid(f"Metadata field {field} is not supported")
