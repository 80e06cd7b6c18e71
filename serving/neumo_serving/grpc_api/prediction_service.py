"""PredictionService: what a model says.

Upstream: ``model_servers/prediction_service_impl.cc`` and, for each method,
``servables/tensorflow/{predict_impl,classification_service,regression_service}.cc``,
``{multi_inference_helper,get_model_metadata_impl}.cc``.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

from tensorflow_serving.apis import (
    classification_pb2,
    get_model_metadata_pb2,
    model_pb2,
    predict_pb2,
    prediction_service_pb2_grpc,
    regression_pb2,
)

from neumo_serving import status_messages
from neumo_serving.engine import (
    classification,
    inference,
    multi_inference,
    regression,
    tensor_conversion,
)
from neumo_serving.engine.door import Door
from neumo_serving.engine.inference import Question
from neumo_serving.engine.model_manager import Models
from neumo_serving.engine.saved_model import LoadedModel
from neumo_serving.engine.signature_lookup import name_of
from neumo_serving.grpc_api import service_base
from neumo_serving.monitoring import model_metrics
from neumo_serving.request_faults import invalid


class PredictionService(prediction_service_pb2_grpc.PredictionServiceServicer):  # type: ignore[misc] # no types
    """Every method of the service, over ``models``."""

    def __init__(self, models: Models, door: Door, as_content: bool) -> None:
        self._models = models
        self._door = door
        self._as_content = as_content

    def Predict(self, request: Any, context: Any) -> Any:  # noqa: N802 - gRPC's name
        """Run one signature of one version."""
        return self._counted(context, request, "Predict", self._predict)

    def Classify(self, request: Any, context: Any) -> Any:  # noqa: N802 - gRPC's name
        """Label and score examples."""
        return self._counted(context, request, "Classify", self._classify)

    def Regress(self, request: Any, context: Any) -> Any:  # noqa: N802 - gRPC's name
        """A number for each example."""
        return self._counted(context, request, "Regress", self._regress)

    def MultiInference(self, request: Any, context: Any) -> Any:  # noqa: N802 - gRPC's name
        """Run several signatures of one version over the same examples."""
        # Not counted in request_count, nor is the next: upstream counts neither.
        return service_base.answer(context, lambda: self._multi_inference(request, context))

    def GetModelMetadata(self, request: Any, context: Any) -> Any:  # noqa: N802 - gRPC's name
        """The signatures of one version."""
        return service_base.answer(context, lambda: self._metadata(request))

    def _counted(self, context: Any, request: Any, api: str, make: Callable[[Any], Any]) -> Any:
        """What ``make`` returns for ``request``; counted and timed in the metrics."""

        def answer() -> Any:
            with (
                model_metrics.request(request.model_spec.name, api, model_metrics.GRPC),
                service_base.admitted(context, self._door),
            ):
                return make(request)

        return service_base.answer(context, answer)

    def _predict(self, request: Any) -> Any:
        spec = service_base.spec(request)
        question = Question(spec.signature_name, request.inputs, request.output_filter)
        response = predict_pb2.PredictResponse()
        with self._acquire(spec) as (version, model), model_metrics.run(spec.name, "Predict"):
            outputs = inference.predict(model, question)
        # The arrays need no model: it may be unloaded while the answer is written.
        _fill_spec(response.model_spec, spec, version)
        for name, array in outputs.items():
            tensor_conversion.encode_into(response.outputs[name], array, self._as_content)
        return response

    def _classify(self, request: Any) -> Any:
        spec = service_base.spec(request)
        with self._acquire(spec) as (version, model), model_metrics.run(spec.name, "Classify"):
            result = classification.classify(model, spec.signature_name, request.input)
        model_metrics.examples(spec.name, len(result.classifications))
        response = classification_pb2.ClassificationResponse(result=result)
        _fill_spec(response.model_spec, spec, version)
        return response

    def _regress(self, request: Any) -> Any:
        spec = service_base.spec(request)
        with self._acquire(spec) as (version, model), model_metrics.run(spec.name, "Regress"):
            result = regression.regress(model, spec.signature_name, request.input)
        model_metrics.examples(spec.name, len(result.regressions))
        response = regression_pb2.RegressionResponse(result=result)
        _fill_spec(response.model_spec, spec, version)
        return response

    def _multi_inference(self, request: Any, context: Any) -> Any:
        """The first task says which version of which model is asked."""
        first = request.tasks[0].model_spec if request.tasks else model_pb2.ModelSpec()
        with (
            service_base.admitted(context, self._door),
            self._acquire(first) as (version, model),
            model_metrics.run(first.name, "MultiInference"),
        ):
            response = multi_inference.infer(model, request)
        for task, result in zip(request.tasks, response.results, strict=True):
            _fill_spec(result.model_spec, task.model_spec, version)
        return response

    def _metadata(self, request: Any) -> Any:
        spec = service_base.spec(request)
        # Before the model is looked up, as upstream.
        _check_fields(request.metadata_field)
        response = get_model_metadata_pb2.GetModelMetadataResponse()
        with self._acquire(spec) as (version, model):
            response.metadata[status_messages.SIGNATURE_FIELD].Pack(
                status_messages.signatures(model)
            )
        # No signature's name, and no label: these are the metadata of all signatures.
        response.model_spec.name = spec.name
        response.model_spec.version.value = version
        return response

    def _acquire(self, spec: Any) -> AbstractContextManager[tuple[int, LoadedModel]]:
        if not spec.name:
            raise invalid("ModelSpec has no name specified.")
        # HasField, as an empty label is still one, which no configuration has.
        label = spec.version_label if spec.HasField("version_label") else None
        return self._models.acquire(spec.name, service_base.version(spec), label)


def _fill_spec(answered: Any, asked: Any, version: int) -> None:
    """Name, version and signature that answered; never the label."""
    answered.name = asked.name
    answered.version.value = version
    answered.signature_name = name_of(asked.signature_name)


def _check_fields(fields: Any) -> None:
    if not fields:
        raise invalid("GetModelMetadataRequest must specify at least one metadata_field")
    for field in fields:
        if field != status_messages.SIGNATURE_FIELD:
            raise invalid(f"Metadata field {field} is not supported")
