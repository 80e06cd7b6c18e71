"""What Predict refuses over gRPC, by code and text."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
from tensorflow_serving.apis import predict_pb2

from support.conformance.official_requests import tensor
from support.conformance.rows import GrpcRow, Text
from support.toy_model import MODEL, predict_request

PREDICT_UTIL = "servables/tensorflow/predict_util.cc"
SERVER_CORE = "model_servers/server_core.cc"
MANAGER = "core/basic_manager.cc"
UNREADABLE = "tensorflow: cc/saved_model/util.cc"
EARLY = "ours: refused before anything is allocated"
X = np.array([[1.0, 2.0]], np.float32)


def _refused(id_: str, request: Any, source: str, code: str, text: Text) -> GrpcRow:
    return GrpcRow(id_, "Predict", request, source, code, text)


def _invalid(id_: str, request: Any, source: str, text: Text) -> GrpcRow:
    return _refused(id_, request, source, "INVALID_ARGUMENT", text)


MODEL_SPECS = [
    _invalid(
        "a request without model_spec misses it",
        predict_pb2.PredictRequest(),
        "servables/tensorflow/predict_impl.cc",
        "Missing ModelSpec",
    ),
    _invalid(
        "a model_spec without a name names nothing",
        predict_request({"x": X}, model=""),
        SERVER_CORE,
        "ModelSpec has no name specified.",
    ),
    _refused(
        "an unknown model is not found",
        predict_request({"x": X}, model="m"),
        MANAGER,
        "NOT_FOUND",
        "Servable not found for request: Latest(m)",
    ),
    _refused(
        "an unknown version is not found",
        predict_request({"x": X}, version=7),
        MANAGER,
        "NOT_FOUND",
        f"Servable not found for request: Specific({MODEL}, 7)",
    ),
    _refused(
        "a negative version is not found",
        predict_request({"x": X}, version=-1),
        MANAGER,
        "NOT_FOUND",
        f"Servable not found for request: Specific({MODEL}, -1)",
    ),
    _invalid(
        "an unknown label is not recognised",
        predict_request({"x": X}, label="canary"),
        SERVER_CORE,
        "Unrecognized servable version label: canary",
    ),
    _invalid(
        "an unknown label of an unknown model is not recognised either",
        predict_request({"x": X}, model="m", label="canary"),
        SERVER_CORE,
        "Unrecognized servable version label: canary",
    ),
    _refused(
        "a label whose version is not there asks for that version",
        predict_request({"x": X}, label="lost"),
        MANAGER,
        "NOT_FOUND",
        f"Servable not found for request: Specific({MODEL}, 9)",
    ),
]
SIGNATURES = [
    _refused(
        "an unknown signature is a failed precondition",
        predict_request({"x": X}, signature="nope"),
        PREDICT_UTIL,
        "FAILED_PRECONDITION",
        'Serving signature key "nope" not found.',
    ),
    _refused(
        "a message over 1,024 characters ends in ...TRUNCATED",
        predict_request({"x": X}, signature="s" * 2000),
        "model_servers/grpc_status_util.cc",
        "FAILED_PRECONDITION",
        re.compile(r'^(?=.{1036}$)Serving signature key "s+\.\.\.TRUNCATED$'),
    ),
]
INPUTS = [
    _invalid(
        "a missing input is named",
        predict_request({}),
        PREDICT_UTIL,
        "input size does not match signature: 0!=1 len({}) != len({x}). Sent extra: {}. "
        "Missing but required: {x}.",
    ),
    _invalid(
        "an extra input is named",
        predict_request({"x": X, "z": X}),
        PREDICT_UTIL,
        "input size does not match signature: 2!=1 len({x,z}) != len({x}). Sent extra: {z}. "
        "Missing but required: {}.",
    ),
    _invalid(
        "an input by another name is not in the signature",
        predict_request({"z": X}),
        UNREADABLE,
        "Signature input alias: x(feed name: serving_default_x:0) not found in request and no "
        "default value provided. Inputs expected to be in the request {z}, or default input alias "
        "set: ",
    ),
    _invalid(
        "a wrong dtype is told in TensorFlow's words",
        predict_request({"x": X.astype(np.int32)}),
        "tensorflow: core/kernels/function_ops.cc",
        "Expects arg[0] to be float but int32 is provided",
    ),
]
TENSORS = [
    _invalid(
        "a tensor whose content does not fill its shape cannot be parsed",
        predict_request({"x": tensor([1, 2], tensor_content=b"123")}),
        UNREADABLE,
        "tensor parsing error: x",
    ),
    _invalid(
        "a tensor with a negative size cannot be parsed",
        predict_request({"x": tensor([-1, 2], float_val=[1.0])}),
        UNREADABLE,
        "tensor parsing error: x",
    ),
    _invalid(
        "a tensor without a dtype cannot be parsed",
        predict_request({"x": predict_pb2.PredictRequest().inputs["x"]}),
        UNREADABLE,
        "tensor parsing error: x",
    ),
    _invalid(
        "a shape that asks for terabytes is refused",
        predict_request({"x": tensor([2**40, 2], float_val=[1.0])}),
        EARLY,
        "tensor parsing error: x",
    ),
    _invalid(
        "a shape that asks for millions of strings is refused",
        predict_request({"x": tensor([2**24], "string", string_val=[b""])}),
        EARLY,
        "tensor parsing error: x",
    ),
    _invalid(
        "a shape whose size overflows 64 bits is refused",
        predict_request({"x": tensor([2**32, 2**32], float_val=[1.0])}),
        UNREADABLE,
        "tensor parsing error: x",
    ),
    _refused(
        "an unknown model is told before an unreadable tensor",
        predict_request({"x": tensor([1, 2], tensor_content=b"123")}, model="m"),
        PREDICT_UTIL,
        "NOT_FOUND",
        "Servable not found for request: Latest(m)",
    ),
]
OUTPUTS = [
    _invalid(
        "an unknown output in the filter is named",
        predict_request({"x": X}, outputs=("z",)),
        PREDICT_UTIL,
        "output tensor alias not found in signature: z Outputs expected to be in the set "
        "{version,y}.",
    ),
    _invalid(
        "an output that the filter repeats is named",
        predict_request({"x": X}, outputs=("y", "y")),
        PREDICT_UTIL,
        "duplicate output tensor alias: y",
    ),
    _invalid(
        "an unreadable tensor is told before an unknown output",
        predict_request({"x": tensor([1, 2], tensor_content=b"123")}, outputs=("z",)),
        PREDICT_UTIL,
        "tensor parsing error: x",
    ),
]
ROWS = [*MODEL_SPECS, *SIGNATURES, *INPUTS, *TENSORS, *OUTPUTS]
