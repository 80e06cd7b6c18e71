"""What TensorFlow Serving answers over gRPC, row by row, with the upstream file that says so."""

from __future__ import annotations

import grpc
import numpy as np
import pytest
import requests
import tensorflow as tf
from tensorflow.core.framework import tensor_pb2
from tensorflow_serving.apis import (
    get_model_metadata_pb2,
    get_model_status_pb2,
    predict_pb2,
)

from toys import MODEL, predict_request

PREDICT_UTIL = "servables/tensorflow/predict_util.cc"
SERVER_CORE = "model_servers/server_core.cc"
MANAGER = "core/basic_manager.cc"
X = np.array([[1.0, 2.0]], np.float32)


def tensor(shape, dtype="float32", **fields):
    """A ``TensorProto`` that may contradict itself."""
    proto = tensor_pb2.TensorProto(dtype=tf.as_dtype(dtype).as_datatype_enum, **fields)
    for size in shape:
        proto.tensor_shape.dim.add().size = size
    return proto


REFUSALS = [
    ("no spec", SERVER_CORE, predict_pb2.PredictRequest(), "INVALID_ARGUMENT", "Missing ModelSpec"),
    (
        "no name",
        SERVER_CORE,
        predict_request({"x": X}, model=""),
        "INVALID_ARGUMENT",
        "ModelSpec has no name specified.",
    ),
    (
        "unknown model",
        MANAGER,
        predict_request({"x": X}, model="m"),
        "NOT_FOUND",
        "Servable not found for request: Latest(m)",
    ),
    (
        "unknown version",
        MANAGER,
        predict_request({"x": X}, version=7),
        "NOT_FOUND",
        f"Servable not found for request: Specific({MODEL}, 7)",
    ),
    (
        "unknown label",
        SERVER_CORE,
        predict_request({"x": X}, label="canary"),
        "INVALID_ARGUMENT",
        "Unrecognized servable version label: canary",
    ),
    (
        "unknown signature",
        PREDICT_UTIL,
        predict_request({"x": X}, signature="nope"),
        "FAILED_PRECONDITION",
        'Serving signature key "nope" not found.',
    ),
    (
        "missing input",
        PREDICT_UTIL,
        predict_request({}),
        "INVALID_ARGUMENT",
        "input size does not match signature: 0!=1 len({}) != len({x}). Sent extra: {}. "
        "Missing but required: {x}.",
    ),
    (
        "extra input",
        PREDICT_UTIL,
        predict_request({"x": X, "z": X}),
        "INVALID_ARGUMENT",
        "input size does not match signature: 2!=1 len({x,z}) != len({x}). Sent extra: {z}. "
        "Missing but required: {}.",
    ),
    (
        "wrong dtype",
        "tensorflow: core/common_runtime/direct_session.cc",
        predict_request({"x": X.astype(np.int32)}),
        "INVALID_ARGUMENT",
        "Expects arg[0] to be float but int32 is provided",
    ),
    (
        "unparsable tensor",
        PREDICT_UTIL,
        predict_request({"x": tensor([1, 2], tensor_content=b"123")}),
        "INVALID_ARGUMENT",
        "tensor parsing error: x",
    ),
    (
        "a shape that asks for terabytes",
        "ours: refused before anything is allocated",
        predict_request({"x": tensor([2**40, 2], float_val=[1.0])}),
        "INVALID_ARGUMENT",
        "tensor parsing error: x",
    ),
    (
        "an unknown model and an unparsable tensor",
        PREDICT_UTIL,
        predict_request({"x": tensor([1, 2], tensor_content=b"123")}, model="m"),
        "NOT_FOUND",
        "Servable not found for request: Latest(m)",
    ),
    (
        "an unknown input",
        "tensorflow: cc/saved_model/util.cc",
        predict_request({"z": X}),
        "INVALID_ARGUMENT",
        "Signature input alias: x(feed name: serving_default_x:0) not found in request and no "
        "default value provided. Inputs expected to be in the request {z}, or default input alias "
        "set: ",
    ),
    (
        "a shape that asks for millions of strings",
        "ours: refused before anything is allocated",
        predict_request({"x": tensor([2**24], "string", string_val=[b""])}),
        "INVALID_ARGUMENT",
        "tensor parsing error: x",
    ),
    (
        "a negative size",
        PREDICT_UTIL,
        predict_request({"x": tensor([-1, 2], float_val=[1.0])}),
        "INVALID_ARGUMENT",
        "tensor parsing error: x",
    ),
    (
        "unknown output",
        PREDICT_UTIL,
        predict_request({"x": X}, outputs=("z",)),
        "INVALID_ARGUMENT",
        "output tensor alias not found in signature: z Outputs expected to be in the set "
        "{version,y}.",
    ),
    (
        "repeated output",
        PREDICT_UTIL,
        predict_request({"x": X}, outputs=("y", "y")),
        "INVALID_ARGUMENT",
        "duplicate output tensor alias: y",
    ),
]


@pytest.mark.parametrize(
    ("source", "request_", "code", "text"),
    [row[1:] for row in REFUSALS],
    ids=[row[0] for row in REFUSALS],
)
def test_what_cannot_be_predicted_is_refused_in_tensorflow_servings_words(
    running, source, request_, code, text
):
    """Code and message are upstream's, and the server goes on."""
    with pytest.raises(grpc.RpcError) as raised:
        running.prediction.Predict(request_, timeout=60)
    assert (raised.value.code().name, raised.value.details()) == (code, text)
    assert running.predict({"x": X}).outputs["y"].float_val[:] == [2.0, 4.0]


def test_long_messages_are_cut(running):
    """A message over 1,024 characters ends in ...TRUNCATED (grpc_status_util.cc)."""
    with pytest.raises(grpc.RpcError) as raised:
        running.predict({"x": X}, signature="s" * 2000)
    assert len(raised.value.details()) == 1024 + len("...TRUNCATED")
    assert raised.value.details().endswith("...TRUNCATED")


def test_the_newest_version_answers_and_says_so(running, x):
    """The response names the model, the version and the default signature (predict_util.cc)."""
    response = running.predict({"x": x})
    spec = response.model_spec
    assert (spec.name, spec.version.value, spec.signature_name) == (MODEL, 2, "serving_default")
    assert response.outputs["version"].int64_val[:] == [2, 2]
    np.testing.assert_array_equal(tf.make_ndarray(response.outputs["y"]), 2 * x)


@pytest.mark.parametrize("choice", [{"version": 1}, {"label": "stable"}])
def test_a_version_or_a_label_pins_what_answers(running, x, choice):
    """The response names the version, never the label (server_core.cc)."""
    response = running.predict({"x": x}, **choice)
    assert response.model_spec.version.value == 1
    assert not response.model_spec.version_label
    np.testing.assert_array_equal(tf.make_ndarray(response.outputs["y"]), x)


def test_outputs_are_sent_as_values(running, x):
    """Tensors come as float_val and its kin unless the flag says otherwise (predict_util.cc)."""
    output = running.predict({"x": x}).outputs["y"]
    assert not output.tensor_content
    assert len(output.float_val) == x.size


def test_an_output_filter_limits_what_is_sent(running, x):
    """Only the outputs named come back (predict_util.cc)."""
    assert list(running.predict({"x": x}, outputs=("version",)).outputs) == ["version"]


def test_one_value_fills_a_tensor(running):
    """A list of values that is too short repeats its last (tensorflow: tensor.cc)."""
    response = running.predict({"x": tensor([3, 2], float_val=[1.0, 5.0])})
    assert response.outputs["y"].float_val[:] == [2.0, 10.0, 10.0, 10.0, 10.0, 10.0]


def test_strings_integers_and_bools_go_through(running):
    """Every kind of tensor is read and written."""
    sent = {"i": np.array([7, -1], np.int32), "s": [b"\x00\xff", b""], "b": [True, False]}
    outputs = running.predict(sent, signature="echo").outputs
    assert outputs["i"].int_val[:] == [7, -1]
    assert outputs["s"].string_val[:] == [b"\x00\xff", b""]
    assert outputs["b"].bool_val[:] == [True, False]


def test_a_message_over_four_mebibytes_is_accepted(running):
    """The cap of 4 MiB is gRPC's default for clients, not this server's."""
    x = np.ones((800_000, 2), np.float32)
    response = running.predict({"x": x}, outputs=("y",))
    assert len(response.outputs["y"].float_val) == x.size


def test_a_deadline_is_honoured(running):
    """A request that takes longer than its deadline ends there."""
    request = predict_request({"steps": np.array([3_000], np.int32)}, signature="slow")
    with pytest.raises(grpc.RpcError) as raised:
        running.prediction.Predict(request, timeout=0.05)
    assert raised.value.code() is grpc.StatusCode.DEADLINE_EXCEEDED


def test_a_quick_request_is_answered_while_a_slow_one_runs(running):
    """Inference runs side by side, and no lock is held meanwhile."""
    request = predict_request({"steps": np.array([10_000], np.int32)}, signature="slow")
    slow = running.prediction.Predict.future(request, timeout=60)
    assert running.predict({"x": X}).model_spec.version.value == 2
    status = requests.get(f"{running.rest}/v1/models/{MODEL}", timeout=60)
    assert status.ok
    assert not slow.done()
    assert slow.result().outputs["steps"].int_val[:] == [10_000]


def test_a_label_asks_for_nothing_in_the_status(running):
    """Every version is listed, even for a label that nobody knows (get_model_status_impl.cc)."""
    request = get_model_status_pb2.GetModelStatusRequest()
    request.model_spec.name = MODEL
    request.model_spec.version_label = "nope"
    response = running.model.GetModelStatus(request, timeout=60)
    assert [v.version for v in response.model_version_status] == [2, 1]


def test_the_status_lists_every_version_newest_first(running):
    """All versions without one asked for, else that one (get_model_status_impl.cc)."""
    request = get_model_status_pb2.GetModelStatusRequest()
    request.model_spec.name = MODEL
    response = running.model.GetModelStatus(request, timeout=60)
    available = get_model_status_pb2.ModelVersionStatus.AVAILABLE
    assert [(v.version, v.state) for v in response.model_version_status] == [
        (2, available),
        (1, available),
    ]
    request.model_spec.version.value = 1
    response = running.model.GetModelStatus(request, timeout=60)
    assert [v.version for v in response.model_version_status] == [1]


@pytest.mark.parametrize(
    ("model", "version", "text"),
    [
        ("m", None, "Could not find any versions of model m"),
        (MODEL, 9, f"Could not find version 9 of model {MODEL}"),
    ],
)
def test_the_status_of_what_is_not_there_is_not_found(running, model, version, text):
    """In upstream's words (get_model_status_impl.cc)."""
    request = get_model_status_pb2.GetModelStatusRequest()
    request.model_spec.name = model
    if version is not None:
        request.model_spec.version.value = version
    with pytest.raises(grpc.RpcError) as raised:
        running.model.GetModelStatus(request, timeout=60)
    assert (raised.value.code().name, raised.value.details()) == ("NOT_FOUND", text)


def test_the_metadata_is_the_signature_definition(running):
    """Every signature with its tensors, and the version read (get_model_metadata_impl.cc)."""
    request = get_model_metadata_pb2.GetModelMetadataRequest(metadata_field=["signature_def"])
    request.model_spec.name = MODEL
    response = running.prediction.GetModelMetadata(request, timeout=60)
    signatures = get_model_metadata_pb2.SignatureDefMap()
    assert response.metadata["signature_def"].Unpack(signatures)
    assert response.model_spec.version.value == 2
    expected = {"serving_default", "single", "echo", "uneven", "slow"}
    assert expected <= signatures.signature_def.keys()
    found = signatures.signature_def["serving_default"].inputs["x"]
    assert [dim.size for dim in found.tensor_shape.dim] == [-1, 2]


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        ([], "GetModelMetadataRequest must specify at least one metadata_field"),
        (["weights"], "Metadata field weights is not supported"),
    ],
)
def test_other_metadata_is_refused(running, fields, text):
    """signature_def is the only field there is (get_model_metadata_impl.cc)."""
    request = get_model_metadata_pb2.GetModelMetadataRequest(metadata_field=fields)
    request.model_spec.name = MODEL
    with pytest.raises(grpc.RpcError) as raised:
        running.prediction.GetModelMetadata(request, timeout=60)
    assert (raised.value.code().name, raised.value.details()) == ("INVALID_ARGUMENT", text)


def test_bytes_that_are_no_message_are_refused(running):
    """Garbage on the wire is answered, and the server goes on."""
    method = running.channel.unary_unary("/tensorflow.serving.PredictionService/Predict")
    with pytest.raises(grpc.RpcError):
        method(b"\xff\xff\xff\xff", timeout=60)
    assert running.predict({"x": X}).model_spec.version.value == 2
