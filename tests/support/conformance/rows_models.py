"""What is told of models over gRPC: their status and their signatures."""

from __future__ import annotations

from typing import Any

from tensorflow_serving.apis import get_model_metadata_pb2, get_model_status_pb2

from support.conformance.official_requests import metadata, status
from support.conformance.rows import GrpcRow, Text
from support.toy_model import MODEL

STATUS = "model_servers/get_model_status_impl.cc"
METADATA = "servables/tensorflow/get_model_metadata_impl.cc"
AVAILABLE = get_model_status_pb2.ModelVersionStatus.AVAILABLE
FIELD = "signature_def"
BOTH = {
    "model_version_status[0].version": 2,
    "model_version_status[0].state": AVAILABLE,
    "model_version_status[0].status.error_code": 0,
    "model_version_status[0].status.error_message": "",
    "model_version_status[1].version": 1,
    "model_version_status[1].state": AVAILABLE,
}


def _status(id_: str, request: Any, code: str = "OK", text: Text = "", **fields: Any) -> GrpcRow:
    return GrpcRow(id_, "GetModelStatus", request, STATUS, code, text, fields.get("fields", {}))


def _metadata(id_: str, request: Any, code: str = "OK", text: Text = "", **fields: Any) -> GrpcRow:
    return GrpcRow(id_, "GetModelMetadata", request, METADATA, code, text, fields.get("fields", {}))


ROWS = [
    _status("the status lists every version, the newest first", status(MODEL), fields=BOTH),
    _status(
        "the status of one version lists that one",
        status(MODEL, version=1),
        fields={"model_version_status[0].version": 1},
    ),
    _status("the status passes over a label", status(MODEL, label="stable"), fields=BOTH),
    _status("the status passes over an unknown label", status(MODEL, label="x"), fields=BOTH),
    _status(
        "the status of an unknown model is not found",
        status("m"),
        "NOT_FOUND",
        "Could not find any versions of model m",
    ),
    _status(
        "the status of an unknown version is not found",
        status(MODEL, version=9),
        "NOT_FOUND",
        f"Could not find version 9 of model {MODEL}",
    ),
    _status(
        "the status of a model without a name is not found",
        status(""),
        "NOT_FOUND",
        "Could not find any versions of model ",
    ),
    _status(
        "a status request without model_spec misses it",
        get_model_status_pb2.GetModelStatusRequest(),
        "INVALID_ARGUMENT",
        "Missing ModelSpec",
    ),
    _metadata(
        "the metadata names the model and the version read",
        metadata(MODEL, FIELD),
        fields={"model_spec.name": MODEL, "model_spec.version.value": 2},
    ),
    _metadata(
        "the metadata of a version is that version's",
        metadata(MODEL, FIELD, version=1),
        fields={"model_spec.version.value": 1},
    ),
    _metadata(
        "the metadata of a label is its version's",
        metadata(MODEL, FIELD, label="stable"),
        fields={"model_spec.version.value": 1},
    ),
    _metadata(
        "the metadata is a SignatureDefMap",
        metadata(MODEL, FIELD),
        fields={
            "metadata[signature_def].type_url": "type.googleapis.com/"
            + get_model_metadata_pb2.SignatureDefMap.DESCRIPTOR.full_name
        },
    ),
    _metadata(
        "metadata without a field is refused",
        metadata(MODEL),
        "INVALID_ARGUMENT",
        "GetModelMetadataRequest must specify at least one metadata_field",
    ),
    _metadata(
        "another field of metadata is refused",
        metadata(MODEL, "weights"),
        "INVALID_ARGUMENT",
        "Metadata field weights is not supported",
    ),
    _metadata(
        "the metadata of an unknown model is not found",
        metadata("m", FIELD),
        "NOT_FOUND",
        "Servable not found for request: Latest(m)",
    ),
    _metadata(
        "a metadata request without model_spec misses it",
        get_model_metadata_pb2.GetModelMetadataRequest(metadata_field=[FIELD]),
        "INVALID_ARGUMENT",
        "Missing ModelSpec",
    ),
]
