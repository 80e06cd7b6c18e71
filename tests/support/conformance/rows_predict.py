"""What Predict answers over gRPC."""

from __future__ import annotations

from typing import Any

import numpy as np
import tensorflow as tf
from tensorflow.core.framework import types_pb2

from support.conformance.official_requests import tensor
from support.conformance.rows import GrpcRow
from support.toy_model import MODEL, predict_request

PREDICT_UTIL = "servables/tensorflow/predict_util.cc"
SERVER_CORE = "model_servers/server_core.cc"
TENSOR = "tensorflow: core/framework/tensor.cc"
X = np.array([[1.0, 2.0], [3.0, 4.0]], np.float32)
MIB = 1024 * 1024


def _row(id_: str, request: Any, source: str, server: str = "plain", **fields: Any) -> GrpcRow:
    return GrpcRow(id_, "Predict", request, source, fields=fields.pop("fields"), server=server)


def _pinned(id_: str, **choice: Any) -> GrpcRow:
    fields = {
        "model_spec.version.value": 1,
        "model_spec.version_label": "",
        "outputs[y].float_val": [1.0, 2.0, 3.0, 4.0],
    }
    return _row(id_, predict_request({"x": X}, **choice), SERVER_CORE, fields=fields)


def _kind(kind: str, values: Any, field: str, wanted: Any) -> GrpcRow:
    """Values of the dtype ``kind`` come back as they were sent, in the field of that dtype."""
    dtype = tf.as_dtype(kind)
    sent = tf.make_tensor_proto(np.array(values, dtype.as_numpy_dtype), dtype=dtype)
    fields = {"outputs[y].dtype": dtype.as_datatype_enum, f"outputs[y].{field}": wanted}
    request = predict_request({"x": sent}, model="kinds", signature=kind)
    return _row(f"a {kind} tensor comes back in {field}", request, TENSOR, fields=fields)


SPECS = [
    _row(
        "the newest version answers, and the answer names model, version and signature",
        predict_request({"x": X}),
        PREDICT_UTIL,
        fields={
            "model_spec.name": MODEL,
            "model_spec.version.value": 2,
            "model_spec.signature_name": "serving_default",
            "outputs[y].float_val": [2.0, 4.0, 6.0, 8.0],
            "outputs[version].int64_val": [2, 2],
        },
    ),
    _row(
        "the answer names the signature that was asked for",
        predict_request({"x": X}, signature="single"),
        PREDICT_UTIL,
        fields={"model_spec.signature_name": "single"},
    ),
    _pinned("a version pins what answers", version=1),
    _pinned(
        "a label pins what answers, and the answer names its version, never the label",
        label="stable",
    ),
]
TENSORS = [
    _row(
        "outputs come as values, not as tensor_content",
        predict_request({"x": X}),
        PREDICT_UTIL,
        fields={
            "outputs[y].tensor_content": b"",
            "outputs[y].dtype": types_pb2.DT_FLOAT,
            "outputs[y].tensor_shape.dim[0].size": 2,
            "outputs[y].tensor_shape.dim[1].size": 2,
        },
    ),
    _row(
        "outputs come as tensor_content with --enable_serialization_as_tensor_content",
        predict_request({"x": X}),
        PREDICT_UTIL,
        server="content",
        fields={"outputs[y].float_val": [], "outputs[y].tensor_content": (2 * X).tobytes()},
    ),
    _row(
        "an input may come as tensor_content",
        predict_request({"x": tensor([1, 2], tensor_content=X[:1].tobytes())}),
        TENSOR,
        fields={"outputs[y].float_val": [2.0, 4.0]},
    ),
    _row(
        "an output filter limits what is sent",
        predict_request({"x": X}, outputs=("version",)),
        PREDICT_UTIL,
        fields={"outputs[version].int64_val": [2, 2], "outputs[y].float_val": []},
    ),
    _row(
        "a list of values that is too short repeats its last",
        predict_request({"x": tensor([3, 2], float_val=[1.0, 5.0])}),
        TENSOR,
        fields={"outputs[y].float_val": [2.0, 10.0, 10.0, 10.0, 10.0, 10.0]},
    ),
    _row(
        "a shape that the signature does not name is the graph's business",
        predict_request({"x": X[:, :1]}),
        PREDICT_UTIL,
        fields={"outputs[y].float_val": [2.0, 6.0]},
    ),
    _row(
        "a single string is answered as a scalar",
        predict_request({"x": b"film"}, model="kinds", signature="string"),
        TENSOR,
        fields={"outputs[y].string_val": [b"film"], "outputs[y].tensor_shape.dim": []},
    ),
    _row(
        "a single number is answered as a scalar",
        predict_request({"x": np.float32(2.5)}, model="kinds", signature="float32"),
        TENSOR,
        fields={"outputs[y].float_val": [2.5], "outputs[y].tensor_shape.dim": []},
    ),
    _row(
        "a batch of nothing is answered with nothing",
        predict_request({"x": X[:0]}),
        PREDICT_UTIL,
        fields={"outputs[y].float_val": [], "outputs[y].tensor_shape.dim[0].size": 0},
    ),
    _row(
        "several inputs of several kinds are answered together",
        predict_request(
            {"i": np.array([7, -1], np.int32), "s": [b"\x00\xff", b""], "b": [True, False]},
            signature="echo",
        ),
        PREDICT_UTIL,
        fields={
            "outputs[i].int_val": [7, -1],
            "outputs[s].string_val": [b"\x00\xff", b""],
            "outputs[b].bool_val": [True, False],
        },
    ),
    _row(
        "a message over the 4 MiB of gRPC's default is accepted",
        predict_request({"x": np.ones((5 * MIB // 8, 2), np.float32)}, outputs=("version",)),
        "model_servers/server.cc",
        fields={"outputs[version].tensor_shape.dim[0].size": 5 * MIB // 8},
    ),
]
KINDS = [
    _kind("float32", [1.5, -0.0], "float_val", [1.5, -0.0]),
    _kind("float64", [0.1, 1e300], "double_val", [0.1, 1e300]),
    _kind("half", [1.0, -2.0], "half_val", [0x3C00, 0xC000]),
    _kind("bfloat16", [1.0, -2.0], "half_val", [0x3F80, 0xC000]),
    _kind("int8", [-128, 127], "int_val", [-128, 127]),
    _kind("int16", [-32768, 1], "int_val", [-32768, 1]),
    _kind("int32", [-(2**31), 1], "int_val", [-(2**31), 1]),
    _kind("int64", [-(2**63), 1], "int64_val", [-(2**63), 1]),
    _kind("uint8", [0, 255], "int_val", [0, 255]),
    _kind("uint16", [0, 65535], "int_val", [0, 65535]),
    _kind("uint32", [0, 2**32 - 1], "uint32_val", [0, 2**32 - 1]),
    _kind("uint64", [0, 2**64 - 1], "uint64_val", [0, 2**64 - 1]),
    _kind("bool", [True, False], "bool_val", [True, False]),
    _kind("string", [b"\x00\xff", b""], "string_val", [b"\x00\xff", b""]),
    _kind("complex64", [1 + 2j, 0j], "scomplex_val", [1.0, 2.0, 0.0, 0.0]),
]
ROWS = [*SPECS, *TENSORS, *KINDS]
