"""What a server tells of its models, as TensorFlow Serving's messages.

Upstream: ``model_servers/get_model_status_impl.cc`` and
``servables/tensorflow/get_model_metadata_impl.cc``.
"""

from __future__ import annotations

from tensorflow_serving.apis import get_model_metadata_pb2, get_model_status_pb2

from neumo_serving import request_faults
from neumo_serving.engine.model_manager import Models
from neumo_serving.engine.saved_model import LoadedModel
from neumo_serving.engine.versions import VersionStatus
from neumo_serving.request_faults import Fault

SIGNATURE_FIELD = "signature_def"
"""The only metadata field that TensorFlow Serving knows."""


def signatures(model: LoadedModel) -> get_model_metadata_pb2.SignatureDefMap:
    """Every signature of ``model``."""
    message = get_model_metadata_pb2.SignatureDefMap()
    for name, signature in model.signatures.items():
        message.signature_def[name].CopyFrom(signature)
    return message


def status(
    models: Models, name: str, version: int | None
) -> get_model_status_pb2.GetModelStatusResponse:
    """The versions of the model ``name``, newest first, or the one asked for.

    A label asks for nothing here, as upstream has it. Raises ``Fault`` where there is none such.
    """
    response = get_model_status_pb2.GetModelStatusResponse()
    for known in _asked(models, name, version):
        row = response.model_version_status.add()
        row.version = known.number
        row.state = get_model_status_pb2.ModelVersionStatus.State.Value(known.state.value)
        # Set, though 0 is the default: so the status is there, also where nothing is wrong.
        row.status.error_code = 0
        if known.fault is not None:
            row.status.error_code = known.fault.number
            row.status.error_message = known.fault.message
    return response


def _asked(models: Models, name: str, version: int | None) -> list[VersionStatus]:
    # A model that is known but has no version yet is told of like one that is not known.
    statuses = models.named(name).statuses() if name in models else []
    if version is not None:
        statuses = [one for one in statuses if one.number == version]
    if not statuses:
        asked = "any versions" if version is None else f"version {version}"
        raise Fault(request_faults.NOT_FOUND, f"Could not find {asked} of model {name}")
    return statuses
