"""ModelService: what is loaded.

Upstream: ``model_servers/model_service_impl.cc``.
"""

from __future__ import annotations

from typing import Any

from tensorflow_serving.apis import get_model_status_pb2, model_service_pb2_grpc

from neumo_serving import description
from neumo_serving.engine.lifecycle import Models
from neumo_serving.rpc import answering


class ModelService(model_service_pb2_grpc.ModelServiceServicer):  # type: ignore[misc] # no types
    """GetModelStatus; HandleReloadConfigRequest answers UNIMPLEMENTED."""

    def __init__(self, models: Models) -> None:
        self._models = models

    def GetModelStatus(self, request: Any, context: Any) -> Any:  # noqa: N802 - gRPC's name
        """The state of every version, or of the one asked for."""

        def answer() -> get_model_status_pb2.GetModelStatusResponse:
            spec = answering.spec(request)
            return description.status(self._models, spec.name, answering.version(spec))

        return answering.answer(context, answer)
