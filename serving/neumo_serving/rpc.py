"""gRPC: TensorFlow Serving's services, thin over the engine.

Upstream: ``model_servers/{prediction,model}_service_impl.cc``.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from typing import Any

import grpc
from tensorflow_serving.apis import (
    get_model_metadata_pb2,
    get_model_status_pb2,
    model_service_pb2_grpc,
    predict_pb2,
    prediction_service_pb2_grpc,
)

from neumo.errors import ConfigError
from neumo_serving import description
from neumo_serving.engine import faults, inference, tensors
from neumo_serving.engine.faults import Fault, invalid
from neumo_serving.engine.inference import DEFAULT_SIGNATURE, Question
from neumo_serving.engine.lifecycle import Models
from neumo_serving.engine.loader import LoadedModel

_OPTIONS = (
    ("grpc.max_receive_message_length", -1),
    ("grpc.max_send_message_length", -1),
    # Two servers on one port would share its requests at random.
    ("grpc.so_reuseport", 0),
)


def server(models: Models, address: str, threads: int, as_content: bool) -> Any:
    """A gRPC server bound to ``address``, not started; ``ConfigError`` where it is taken."""
    made = grpc.server(ThreadPoolExecutor(threads, "grpc"), options=_OPTIONS)
    prediction_service_pb2_grpc.add_PredictionServiceServicer_to_server(
        PredictionService(models, as_content), made
    )
    model_service_pb2_grpc.add_ModelServiceServicer_to_server(ModelService(models), made)
    try:
        made.add_insecure_port(address)
    except RuntimeError as error:
        raise port_taken(int(address.rpartition(":")[2])) from error
    return made


def port_taken(port: int) -> ConfigError:
    """What is said of a gRPC port that another program has."""
    return ConfigError(f"port {port} is taken: stop what listens there, or give another --port")


class PredictionService(prediction_service_pb2_grpc.PredictionServiceServicer):  # type: ignore[misc] # no types
    """Predict and GetModelMetadata; the other methods answer UNIMPLEMENTED."""

    def __init__(self, models: Models, as_content: bool) -> None:
        self._models = models
        self._as_content = as_content

    def Predict(self, request: Any, context: Any) -> Any:  # noqa: N802 - gRPC's name
        """Run one signature of one version."""
        return _answer(context, lambda: self._predict(request))

    def GetModelMetadata(self, request: Any, context: Any) -> Any:  # noqa: N802 - gRPC's name
        """The signatures of one version."""
        return _answer(context, lambda: self._metadata(request))

    def _predict(self, request: Any) -> Any:
        spec = _spec(request)
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
        spec = _spec(request)
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
        return self._models.named(spec.name).acquire(_version(spec), label)


class ModelService(model_service_pb2_grpc.ModelServiceServicer):  # type: ignore[misc] # no types
    """GetModelStatus; HandleReloadConfigRequest answers UNIMPLEMENTED."""

    def __init__(self, models: Models) -> None:
        self._models = models

    def GetModelStatus(self, request: Any, context: Any) -> Any:  # noqa: N802 - gRPC's name
        """The state of every version, or of the one asked for."""

        def answer() -> get_model_status_pb2.GetModelStatusResponse:
            spec = _spec(request)
            return description.status(self._models, spec.name, _version(spec))

        return _answer(context, answer)


def _answer(context: Any, make: Callable[[], Any]) -> Any:
    try:
        return make()
    except Fault as found:
        fault = found
    except Exception as error:  # noqa: BLE001 - the client gets an answer, whatever is wrong here
        fault = faults.unexpected("gRPC", error)
    return context.abort(grpc.StatusCode[fault.code], fault.brief)


def _spec(request: Any) -> Any:
    if not request.HasField("model_spec"):
        raise invalid("Missing ModelSpec")
    return request.model_spec


def _version(spec: Any) -> int | None:
    return int(spec.version.value) if spec.HasField("version") else None


def _check_fields(fields: Any) -> None:
    if not fields:
        raise invalid("GetModelMetadataRequest must specify at least one metadata_field")
    for field in fields:
        if field != description.SIGNATURE_FIELD:
            raise invalid(f"Metadata field {field} is not supported")
