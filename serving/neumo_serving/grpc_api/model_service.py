"""ModelService: what is loaded, and what is to be.

Upstream: ``model_servers/model_service_impl.cc``.
"""

from __future__ import annotations

import logging
from typing import Any

from tensorflow_serving.apis import (
    get_model_status_pb2,
    model_management_pb2,
    model_service_pb2_grpc,
)

from neumo_serving import status_messages
from neumo_serving.config import models_config
from neumo_serving.engine.model_manager import Models
from neumo_serving.grpc_api import service_base
from neumo_serving.request_faults import Fault, invalid

log = logging.getLogger(__name__)


class ModelService(model_service_pb2_grpc.ModelServiceServicer):  # type: ignore[misc] # no types
    """GetModelStatus and HandleReloadConfigRequest.

    ``allow_unavailable_labels`` is ``--allow_version_labels_for_unavailable_models``.
    """

    def __init__(self, models: Models, allow_unavailable_labels: bool) -> None:
        self._models = models
        self._allow_unavailable_labels = allow_unavailable_labels

    def GetModelStatus(self, request: Any, context: Any) -> Any:  # noqa: N802 - gRPC's name
        """The state of every version, or of the one asked for."""

        def answer() -> get_model_status_pb2.GetModelStatusResponse:
            spec = service_base.spec(request)
            return status_messages.status(self._models, spec.name, service_base.version(spec))

        return service_base.answer(context, answer)

    def HandleReloadConfigRequest(self, request: Any, context: Any) -> Any:  # noqa: N802 - gRPC's name
        """Serve the models of the request and no others; answers when the new ones are AVAILABLE.

        The status is the call's. Upstream puts it in the response, too, where it can only be OK:
        gRPC sends no response beside an error.
        """

        def answer() -> model_management_pb2.ReloadConfigResponse:
            try:
                self._reload(request.config, context)
            except Fault as fault:
                log.error("the models stay: %s", fault.message)  # noqa: TRY400 - one line
                raise
            response = model_management_pb2.ReloadConfigResponse()
            response.status.error_code = 0
            return response

        return service_base.answer(context, answer)

    def _reload(self, message: Any, context: Any) -> None:
        if message.WhichOneof("config") != "model_config_list":
            raise invalid(
                "ServerModelConfig type not supported by HandleReloadConfigRequest. "
                "Only ModelConfigList is currently supported"
            )
        configs = models_config.models(message.model_config_list, self._models.served)
        # is_active: a client that has given up is not waited for, but its list stays.
        self._models.reload(configs, self._allow_unavailable_labels, context.is_active)
