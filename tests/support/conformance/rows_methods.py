"""Whether a signature may be asked by a method that is not its own: only the flag forbids it."""

from __future__ import annotations

import json
from typing import Any

import numpy as np

from support.conformance.official_requests import classify, example, regress
from support.conformance.rows import GrpcRow, RestRow, Text
from support.toy_model import predict_request

CHECKED = "checked"
PREDICT_UTIL = "servables/tensorflow/predict_util.cc"
CLASSIFIER = "servables/tensorflow/classifier.cc"
REGRESSOR = "servables/tensorflow/regressor.cc"
X = np.array([[1.0, 2.0], [3.0, 4.0]], np.float32)
UNKNOWN = predict_request({"x": X}, model="judges", signature="unknown_method")


def _invalid(id_: str, method: str, request: Any, source: str, text: Text) -> GrpcRow:
    return GrpcRow(id_, method, request, source, "INVALID_ARGUMENT", text, server=CHECKED)


GRPC = [
    GrpcRow(
        "a signature of an unknown method is predicted",
        "Predict",
        UNKNOWN,
        PREDICT_UTIL,
        fields={"model_spec.signature_name": "unknown_method"},
    ),
    GrpcRow(
        "a signature of an unknown method cannot be predicted where methods are checked",
        "Predict",
        UNKNOWN,
        PREDICT_UTIL,
        "INTERNAL",
        "Expected prediction signature method_name to be one of {tensorflow/serving/predict, "
        "tensorflow/serving/classify, tensorflow/serving/regress}. Was: neumo/unknown",
        server=CHECKED,
    ),
    _invalid(
        "a classification by a signature of another method is refused where methods are checked",
        "Classify",
        classify("half_plus_two", example(x=[2.0])),
        CLASSIFIER,
        "Expected classification signature method_name to be tensorflow/serving/classify. "
        "Was: tensorflow/serving/predict",
    ),
    _invalid(
        "a regression by a signature of another method is refused where methods are checked",
        "Regress",
        regress("half_plus_two", example(x=[2.0]), signature="classify_x_to_y"),
        REGRESSOR,
        "Expected regression signature method_name to be tensorflow/serving/regress. "
        "Was: tensorflow/serving/classify",
    ),
]
REST = [
    RestRow(
        "a signature of another method is refused where methods are checked",
        "/v1/models/half_plus_two:classify",
        CLASSIFIER,
        json.dumps({"examples": [{"x": 1.0}]}),
        status=400,
        error="Expected classification signature method_name to be tensorflow/serving/classify. "
        "Was: tensorflow/serving/predict",
        server=CHECKED,
    ),
]
