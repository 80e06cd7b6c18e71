"""The SDK's own messages are TensorFlow Serving's, byte for byte."""

from __future__ import annotations

import json
import subprocess
import sys

import numpy as np
import pytest

from neumo import contract
from neumo._proto import serving_pb2 as pb
from neumo._wire import grpc_messages, rest_json

DTYPES = ["float32", "float64", "float16", "int8", "int16", "int32", "int64"]
DTYPES += ["uint8", "uint16", "uint32", "uint64", "bool"]
VALUE_FIELDS = {
    "float16": "half_val",
    "float32": "float_val",
    "float64": "double_val",
    "int64": "int64_val",
    "uint32": "uint32_val",
    "uint64": "uint64_val",
    "bool": "bool_val",
}
"""The field of a ``TensorProto`` for each dtype's values; ``int_val`` for the others."""
MODEL = "pneumonia_tuned"


@pytest.fixture(scope="module")
def official():
    """TensorFlow's and TensorFlow Serving's own generated modules."""
    pytest.importorskip("tensorflow_serving", reason="the SDK alone is installed")
    import tensorflow as tf
    from tensorflow_serving.apis import (
        get_model_metadata_pb2,
        get_model_status_pb2,
        predict_pb2,
        prediction_log_pb2,
    )

    class Official:
        tensorflow = tf
        PredictRequest = predict_pb2.PredictRequest
        PredictResponse = predict_pb2.PredictResponse
        PredictionLog = prediction_log_pb2.PredictionLog
        GetModelStatusRequest = get_model_status_pb2.GetModelStatusRequest
        GetModelStatusResponse = get_model_status_pb2.GetModelStatusResponse
        GetModelMetadataRequest = get_model_metadata_pb2.GetModelMetadataRequest
        GetModelMetadataResponse = get_model_metadata_pb2.GetModelMetadataResponse
        SignatureDefMap = get_model_metadata_pb2.SignatureDefMap

    return Official


def _request(official, array, *, version=None):
    request = official.PredictRequest()
    request.model_spec.name = MODEL
    request.model_spec.signature_name = "serving_default"
    if version is not None:
        request.model_spec.version.value = version
    request.inputs["image"].CopyFrom(official.tensorflow.make_tensor_proto(array))
    request.output_filter.extend(["probability", "release"])
    return request


@pytest.mark.parametrize("dtype", [d for d in DTYPES if d not in {"bool", "uint16"}])
def test_a_predict_request_has_the_bytes_of_the_official_message(official, dtype):
    """A request is what ``tensorflow-serving-api`` makes of the same array."""
    array = np.arange(24).reshape(2, 3, 4).astype(dtype)
    ours = grpc_messages.predict_request(
        MODEL, "serving_default", {"image": array}, version=3, outputs=["probability", "release"]
    )
    official_bytes = _request(official, array, version=3).SerializeToString(deterministic=True)
    assert ours == official_bytes


@pytest.mark.parametrize("dtype", DTYPES)
def test_tensorflow_reads_what_is_sent(official, dtype):
    """Also for the dtypes that TensorFlow itself would write value by value."""
    array = np.arange(24).reshape(2, 3, 4).astype(dtype)
    request = official.PredictRequest.FromString(
        grpc_messages.predict_request(MODEL, "serving_default", {"image": array})
    )
    read = official.tensorflow.make_ndarray(request.inputs["image"])
    assert read.dtype == array.dtype
    np.testing.assert_array_equal(read, array)


def test_bytes_are_sent_as_strings(official):
    """An array of encoded films has the bytes of the official message too."""
    films = np.array([b"\xff\xd8", b""], dtype=object)
    ours = grpc_messages.predict_request(
        MODEL, "serving_default", {"image": films}, outputs=["probability", "release"]
    )
    assert ours == _request(official, films).SerializeToString(deterministic=True)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("as_content", [True, False])
def test_outputs_are_read_from_values_and_from_content(official, dtype, as_content):
    """A server may send either; both give the same array."""
    array = np.arange(6).reshape(2, 3).astype(dtype)
    response = official.PredictResponse()
    response.model_spec.name, response.model_spec.version.value = MODEL, 7
    tensor = response.outputs["o"]
    tensor.dtype = official.tensorflow.as_dtype(dtype).as_datatype_enum
    for size in array.shape:
        tensor.tensor_shape.dim.add().size = size
    if as_content:
        tensor.tensor_content = array.tobytes()
    else:
        values = array.view(np.uint16) if dtype == "float16" else array
        getattr(tensor, VALUE_FIELDS.get(dtype, "int_val")).extend(values.ravel().tolist())
    answer = grpc_messages.predict_response(response.SerializeToString())
    assert (answer.model, answer.version) == (MODEL, 7)
    assert answer.outputs["o"].dtype == array.dtype
    np.testing.assert_array_equal(answer.outputs["o"], array)


@pytest.mark.parametrize("dtype", [d for d in DTYPES if d not in {"float16", "bool"}])
def test_numbers_of_every_length_are_read_from_values(official, dtype):
    """The least, the greatest, and what takes one byte more than its neighbour."""
    exact = np.dtype(dtype)
    limits = np.finfo(exact) if exact.kind == "f" else np.iinfo(exact)
    values = [limits.min, limits.max, 0, 1, 127]
    if exact.itemsize > 1:
        values += [128, 255, 256, 16_383, 16_384]
    array = np.array(values, exact)
    response = official.PredictResponse()
    tensor = response.outputs["o"]
    tensor.dtype = official.tensorflow.as_dtype(dtype).as_datatype_enum
    tensor.tensor_shape.dim.add().size = len(array)
    getattr(tensor, VALUE_FIELDS.get(dtype, "int_val")).extend(array.tolist())
    found = grpc_messages.predict_response(response.SerializeToString()).outputs["o"]
    assert found.dtype == exact
    np.testing.assert_array_equal(found, array)


@pytest.mark.parametrize("packed", [b"\x80", b"\1\xff", b"\x80" * 10 + b"\1", b"\x80\2"])
def test_values_that_are_no_numbers_of_their_dtype_are_a_value_error(packed):
    """Cut short, without an end, and 256 for a byte."""
    tensor = pb.TensorProto(dtype=pb.DT_UINT8, int_val=[packed])
    tensor.tensor_shape.dim.add().size = 1
    response = pb.PredictResponse()
    response.outputs["o"].CopyFrom(tensor)
    with pytest.raises(ValueError, match=r"a number without an end|does not fit"):
        grpc_messages.predict_response(response.SerializeToString())


def test_one_value_stands_for_a_whole_tensor(official):
    """TensorFlow repeats the last value of a short list, and so does the SDK."""
    response = official.PredictResponse()
    tensor = response.outputs["o"]
    tensor.dtype = official.tensorflow.float32.as_datatype_enum
    tensor.tensor_shape.dim.add().size = 3
    tensor.float_val.extend([0.5, 0.25])
    answer = grpc_messages.predict_response(response.SerializeToString())
    assert answer.outputs["o"].tolist() == [0.5, 0.25, 0.25]


def test_a_tensor_that_claims_gigabytes_is_refused(official):
    """A few bytes cannot make the client allocate an arbitrary shape."""
    response = official.PredictResponse()
    tensor = response.outputs["o"]
    tensor.dtype = official.tensorflow.float32.as_datatype_enum
    tensor.tensor_shape.dim.add().size = 2**40
    tensor.float_val.append(0.5)
    with pytest.raises(ValueError, match="too large"):
        grpc_messages.predict_response(response.SerializeToString())


@pytest.mark.parametrize("read", [grpc_messages.predict_response, grpc_messages.metadata_response])
def test_what_is_no_message_is_a_value_error(read):
    """Garbage on the wire is told apart from an answer."""
    with pytest.raises(ValueError, match="not a"):
        read(b"\xff\xff\xff\xff")


def test_the_status_and_metadata_requests_have_the_official_bytes(official):
    """The other two calls are sent as ``tensorflow-serving-api`` sends them."""
    status = official.GetModelStatusRequest()
    status.model_spec.name = MODEL
    assert grpc_messages.status_request(MODEL) == status.SerializeToString()
    metadata = official.GetModelMetadataRequest()
    metadata.model_spec.name, metadata.model_spec.version.value = MODEL, 2
    metadata.metadata_field.append("signature_def")
    assert grpc_messages.metadata_request(MODEL, 2) == metadata.SerializeToString(
        deterministic=True
    )


def test_the_status_is_read_newest_version_first(official):
    """State and error of every version come through."""
    response = official.GetModelStatusResponse()
    for version, state, text in [(1, 30, ""), (2, 50, "broken")]:
        row = response.model_version_status.add(version=version, state=state)
        row.status.error_message = text
    status = grpc_messages.status_response(MODEL, response.SerializeToString())
    assert [(v.version, v.state.value, v.error) for v in status.versions] == [
        (2, "END", "broken"),
        (1, "AVAILABLE", ""),
    ]
    assert [v.ready for v in status.versions] == [False, True]


def test_the_metadata_is_read_into_signatures(official):
    """Names, dtypes and shapes with open sizes come through."""
    inner = official.SignatureDefMap()
    info = inner.signature_def["serving_default"].inputs["image"]
    info.dtype = official.tensorflow.uint8.as_datatype_enum
    for size in (-1, 256, 256, 1):
        info.tensor_shape.dim.add().size = size
    response = official.GetModelMetadataResponse()
    response.model_spec.name, response.model_spec.version.value = MODEL, 4
    response.metadata["signature_def"].Pack(inner)
    found = grpc_messages.metadata_response(response.SerializeToString())
    spec = found.signatures["serving_default"].inputs["image"]
    assert (found.version, spec.dtype, spec.shape) == (4, "DT_UINT8", (None, 256, 256, 1))


def test_a_warm_up_record_is_the_official_prediction_log(official):
    """The server replays what the SDK writes."""
    image = np.zeros((1, 2), np.uint8)
    log = official.PredictionLog()
    request = log.predict_log.request
    request.model_spec.name, request.model_spec.signature_name = MODEL, "explain"
    request.inputs["image"].CopyFrom(official.tensorflow.make_tensor_proto(image))
    ours = grpc_messages.warmup_record(MODEL, "explain", {"image": image})
    assert ours == log.SerializeToString(deterministic=True)


@pytest.mark.slow
@pytest.mark.parametrize(
    "first", ["neumo._wire.grpc_messages", "tensorflow_serving.apis.predict_pb2"]
)
def test_the_messages_live_beside_the_official_ones(official, first):
    """Whichever is imported first, both sets of messages work in one process."""
    names = ["neumo._wire.grpc_messages", "tensorflow_serving.apis.predict_pb2"]
    names.sort(key=lambda name: name != first)
    code = f"import {names[0]}, {names[1]}; from neumo._wire.grpc_messages import status_request"
    code += "; print(len(status_request('m')))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "5"


@pytest.mark.parametrize(
    "array",
    [
        np.random.RandomState(0).randint(0, 256, (2, 5, 4, 1)).astype(np.uint8),
        np.arange(24, dtype=np.uint8).reshape(2, 3, 4),
        np.array([7], np.uint8),
        np.array(255, np.uint8),
        np.zeros((0, 3), np.uint8),
        np.array([[0.1, 1e-7]], np.float32),
        np.array([3, -4], np.int64),
    ],
    ids=["an image", "rows", "one", "a bare number", "empty", "float32", "int64"],
)
def test_json_bodies_hold_the_same_numbers(array):
    """REST's column format is valid JSON with the array's values."""
    document = json.loads(rest_json.rest_body("serving_default", {"image": array}))
    assert document["signature_name"] == "serving_default"
    np.testing.assert_array_equal(
        np.array(document["inputs"]["image"], array.dtype).reshape(array.shape), array
    )


def test_json_answers_take_the_dtypes_of_the_contract():
    """A float without a fraction stays float32, and a release stays an integer."""
    body = b'{"outputs": {"probability": [1], "threshold": [0.5], "release": [12], "new": ["x"]}}'
    signature = contract.model(MODEL).signature(contract.SERVING_DEFAULT)
    answer = rest_json.rest_answer(MODEL, signature, body)
    assert answer.version is None
    assert {name: one.dtype.name for name, one in answer.outputs.items()} == {
        "probability": "float32",
        "threshold": "float32",
        "release": "int64",
    }


@pytest.mark.parametrize(
    "body",
    [b"", b"<html>", b"[1]", b'{"outputs": {"probability": ["high"]}}', b"[" * 100_000],
    ids=["nothing", "a page", "a list", "text for a number", "deeply nested"],
)
def test_json_that_is_no_answer_is_a_value_error(body):
    """Whatever a proxy answers in the server's place is told apart."""
    signature = contract.model(MODEL).signature(contract.SERVING_DEFAULT)
    with pytest.raises(ValueError, match=r".+"):
        rest_json.rest_answer(MODEL, signature, body)


def test_model_names_are_escaped_in_paths():
    """A name cannot leave its place in the URL."""
    assert rest_json.rest_path("a/b c", 2) == "/v1/models/a%2Fb%20c/versions/2"
