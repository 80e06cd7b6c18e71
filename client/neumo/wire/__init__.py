"""Pure: numpy <-> TensorFlow Serving's protobuf messages and JSON. No network, no clock.

Whatever is malformed raises ``ValueError``; the transports turn that into ``BadResponse``.
"""

from neumo.wire.answers import (
    Answer,
    ModelMetadata,
    ModelStatus,
    SignatureSpec,
    TensorSpec,
    VersionState,
    VersionStatus,
)
from neumo.wire.documents import (
    rest_answer,
    rest_body,
    rest_error,
    rest_metadata,
    rest_path,
    rest_status,
)
from neumo.wire.messages import (
    metadata_request,
    metadata_response,
    predict_request,
    predict_response,
    signature_spec,
    status_request,
    status_response,
    warmup_record,
)

__all__ = [
    "Answer",
    "ModelMetadata",
    "ModelStatus",
    "SignatureSpec",
    "TensorSpec",
    "VersionState",
    "VersionStatus",
    "metadata_request",
    "metadata_response",
    "predict_request",
    "predict_response",
    "rest_answer",
    "rest_body",
    "rest_error",
    "rest_metadata",
    "rest_path",
    "rest_status",
    "signature_spec",
    "status_request",
    "status_response",
    "warmup_record",
]
