"""What REST tells of models: their status and their signatures."""

from __future__ import annotations

from support.conformance.rows import RestRow
from support.conformance.rows_rest_refusals import HANDLER, TOY, UTIL
from support.toy_model import MODEL

STATUS = "model_servers/get_model_status_impl.cc"
FINE = {"error_code": "OK", "error_message": ""}
FIRST = {"version": "1", "state": "AVAILABLE", "status": FINE}
SECOND = {"version": "2", "state": "AVAILABLE", "status": FINE}
BOTH = {"model_version_status": [SECOND, FIRST]}
SIGNATURES = "metadata.signature_def.signature_def"
X = f"{SIGNATURES}.serving_default.inputs.x"
COLUMN = [{"size": "-1", "name": ""}, {"size": "1", "name": ""}]
JSON_TYPE = {"Content-Type": "application/json"}


def _pinned(choice: str) -> RestRow:
    return RestRow(
        f"the metadata of {choice} are that version's",
        f"{TOY}/{choice}/metadata",
        HANDLER,
        fields={"model_spec.version": "1"},
    )


ROWS = [
    RestRow(
        "the status lists versions as text, the newest first",
        TOY,
        STATUS,
        answer=BOTH,
        answer_headers=JSON_TYPE,
    ),
    RestRow(
        "the status of a version lists that one",
        f"{TOY}/versions/1",
        STATUS,
        answer={"model_version_status": [FIRST]},
    ),
    RestRow("the status passes over a label", f"{TOY}/labels/stable", STATUS, answer=BOTH),
    RestRow("the status passes over an unknown label", f"{TOY}/labels/x", STATUS, answer=BOTH),
    RestRow(
        "the status of an unknown model is 404",
        "/v1/models/m",
        STATUS,
        status=404,
        error="Could not find any versions of model m",
    ),
    RestRow(
        "the status of an unknown version is 404",
        f"{TOY}/versions/9",
        STATUS,
        status=404,
        error=f"Could not find version 9 of model {MODEL}",
    ),
    RestRow(
        "the status of a version beyond 64 bits is refused",
        f"{TOY}/versions/99999999999999999999",
        UTIL,
        status=400,
    ),
    RestRow(
        "the metadata are the signature definition with the version resolved",
        f"{TOY}/metadata",
        UTIL,
        fields={
            "model_spec": {"name": MODEL, "signature_name": "", "version": "2"},
            f"{X}.dtype": "DT_FLOAT",
            f"{X}.tensor_shape.dim[0]": {"size": "-1", "name": ""},
            f"{X}.tensor_shape.dim[1]": {"size": "2", "name": ""},
            f"{X}.tensor_shape.unknown_rank": False,
            f"{SIGNATURES}.serving_default.method_name": "tensorflow/serving/predict",
        },
        answer_headers=JSON_TYPE,
    ),
    RestRow(
        "the metadata tell a signature's method and a tensor's own name",
        "/v1/models/half_plus_two/metadata",
        UTIL,
        fields={
            "model_spec.version": "123",
            f"{SIGNATURES}.classify_x_to_y.method_name": "tensorflow/serving/classify",
            f"{SIGNATURES}.regress_x_to_y.inputs.inputs.name": "tf_example:0",
            f"{SIGNATURES}.serving_default.outputs.y.name": "y:0",
        },
    ),
    RestRow(
        "the metadata of a signature have every field, empty ones too",
        "/v1/models/half_plus_two/metadata",
        "servables/tensorflow/testdata/saved_model_half_plus_two_2_versions_metadata.json",
        fields={
            f"{SIGNATURES}.regress_x_to_y": {
                "inputs": {
                    "inputs": {
                        "dtype": "DT_STRING",
                        "tensor_shape": {"dim": COLUMN[:1], "unknown_rank": False},
                        "name": "tf_example:0",
                    }
                },
                "outputs": {
                    "outputs": {
                        "dtype": "DT_FLOAT",
                        "tensor_shape": {"dim": COLUMN, "unknown_rank": False},
                        "name": "y:0",
                    }
                },
                "method_name": "tensorflow/serving/regress",
                "defaults": {},
            }
        },
    ),
    RestRow(
        "the metadata tell an unknown rank",
        "/v1/models/checkpoint/metadata",
        UTIL,
        fields={f"{X}.tensor_shape": {"dim": [], "unknown_rank": True}},
    ),
    _pinned("versions/1"),
    _pinned("labels/stable"),
    RestRow(
        "the metadata of an unknown model are 404",
        "/v1/models/m/metadata",
        HANDLER,
        status=404,
        error="Servable not found for request: Latest(m)",
    ),
    RestRow(
        "the metadata of an unknown label are refused",
        f"{TOY}/labels/x/metadata",
        "model_servers/server_core.cc",
        status=400,
        error="Unrecognized servable version label: x",
    ),
]
