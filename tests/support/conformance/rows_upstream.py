"""What upstream's own end-to-end test asks, on models like its own.

Its file is ``model_servers/tensorflow_model_server_test.py``; its servers get the flags of the
server ``upstream`` here.
"""

from __future__ import annotations

import json
import re
from typing import Any

import numpy as np

from support.conformance.official_requests import (
    classify,
    example,
    infer,
    metadata,
    regress,
    status,
)
from support.conformance.rows import GrpcRow, RestRow
from support.toy_model import predict_request

SOURCE = "model_servers/tensorflow_model_server_test.py"
ONE = np.array([2.0], np.float32)
BATCH = ONE.reshape(1, 1)
DEFAULT = "/v1/models/default"
TWO = example(x=[2.0])
FINE = {"error_code": "OK", "error_message": ""}


def _predicted(
    id_: str,
    model: str,
    y: Any,
    *,
    x: Any = ONE,
    signature: str = "",
    server: str = "plain",
    outputs: tuple[str, ...] = ("y",),
) -> GrpcRow:
    """``VerifyPredictRequest``: one value, the version and the signature that was asked for."""
    fields = {
        "outputs[y].dtype": 1,
        "outputs[y].float_val": [y],
        "model_spec.name": model,
        "model_spec.version.value": 123,
        "model_spec.signature_name": signature or "serving_default",
    }
    request = predict_request({"x": x}, model=model, signature=signature, outputs=outputs)
    return GrpcRow(id_, "Predict", request, SOURCE, fields=fields, server=server)


def _posted(id_: str, verb: str, document: Any, answer: Any) -> RestRow:
    path = f"{DEFAULT}:{verb}"
    return RestRow(id_, path, SOURCE, json.dumps(document), answer=answer, server="upstream")


MODELS = [
    _predicted("half_plus_two is asked with a vector", "half_plus_two", 3.0),
    _predicted("half_plus_two is asked for all outputs", "half_plus_two", 3.0, outputs=()),
    _predicted("half_plus_three is served beside it", "half_plus_three", 4.0),
    _predicted("half_plus_two of TensorFlow 2 is asked", "half_plus_two_tf2", 3.0, x=BATCH),
    _predicted("a checkpoint's only function is a signature", "checkpoint", 12.0, outputs=()),
    _predicted("a signature may leave its input unread", "constants", 1.0),
    _predicted(
        "a second signature is asked by its name",
        "constants",
        2.0,
        signature="custom_signature_key",
    ),
    _predicted("a sequential Keras model is asked", "keras", 2.0, x=BATCH, outputs=()),
    _predicted("a model of two devices is asked", "mirrored", 2.0, x=BATCH, outputs=()),
]
CALLS = [
    _predicted("the model of --model_name is asked", "default", 3.0, server="upstream"),
    GrpcRow(
        "its status is told",
        "GetModelStatus",
        status("default"),
        SOURCE,
        fields={"model_version_status[0].version": 123},
        server="upstream",
    ),
    GrpcRow(
        "its metadata are told",
        "GetModelMetadata",
        metadata("default", "signature_def"),
        SOURCE,
        fields={"model_spec.version.value": 123},
        server="upstream",
    ),
    GrpcRow(
        "it classifies",
        "Classify",
        classify("default", TWO, signature="classify_x_to_y"),
        SOURCE,
        fields={"result.classifications[0].classes[0].score": 3.0},
        server="upstream",
    ),
    GrpcRow(
        "it regresses",
        "Regress",
        regress("default", TWO, signature="regress_x_to_y"),
        SOURCE,
        fields={"result.regressions[0].value": 3.0},
        server="upstream",
    ),
    GrpcRow(
        "it does both at once",
        "MultiInference",
        infer(
            ("default", "regress_x_to_y", "regress"),
            ("default", "classify_x_to_y", "classify"),
            examples=(TWO,),
        ),
        SOURCE,
        fields={"results[1].model_spec.version.value": 123},
        server="upstream",
    ),
    GrpcRow(
        "a missing model's text has the word that the test waits for",
        "Predict",
        predict_request({}, model="intentionally_missing_model"),
        SOURCE,
        "NOT_FOUND",
        re.compile("Servable"),
        server="upstream",
    ),
]
REQUESTS = [
    _posted(
        "REST classifies",
        "classify",
        {"signature_name": "classify_x_to_y", "examples": [{"x": 2.0}]},
        {"results": [[["", 3.0]]]},
    ),
    _posted(
        "REST regresses",
        "regress",
        {"signature_name": "regress_x_to_y", "examples": [{"x": 2.0}]},
        {"results": [3.0]},
    ),
    _posted(
        "REST predicts rows",
        "predict",
        {"instances": [2.0, 3.0, 4.0]},
        {"predictions": [3.0, 3.5, 4.0]},
    ),
    _posted(
        "REST predicts columns",
        "predict",
        {"inputs": [2.0, 3.0, 4.0]},
        {"outputs": [3.0, 3.5, 4.0]},
    ),
    RestRow(
        "REST tells the status",
        DEFAULT,
        SOURCE,
        answer={"model_version_status": [{"version": "123", "state": "AVAILABLE", "status": FINE}]},
        server="upstream",
    ),
    RestRow(
        "the metrics have types",
        "/monitoring/prometheus/metrics",
        SOURCE,
        raw="# TYPE",
        server="upstream",
    ),
]
GRPC = [*MODELS, *CALLS]
REST = REQUESTS
