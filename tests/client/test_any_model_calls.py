"""The calls about any model are ``tensorflow-serving-api``'s, byte for byte."""

from __future__ import annotations

import json

import numpy as np
import pytest

from neumo._proto import serving_pb2 as pb
from neumo._wire import bfloat16, features, grpc_messages, varints
from neumo._wire.answer_types import Outputs, SignatureSpec, TensorSpec
from neumo._wire.any_model_calls import Asked, Classify, PredictAny, Regress
from neumo._wire.input_arrays import array_of

ASKED = Asked("m", "s", version=3)
AS_CONTENT = ["float32", "float64", "float16", "int8", "int16", "int32", "int64"]
AS_CONTENT += ["uint8", "uint32", "uint64", "qint8", "quint8", "qint16", "quint16", "qint32"]
"""What TensorFlow's own helper writes as bytes, as this client writes everything."""
ALL = [*AS_CONTENT, "uint16", "bool", "bfloat16", "complex64", "complex128"]
NAMES = {"float32": "FLOAT", "float64": "DOUBLE", "float16": "HALF"}


@pytest.fixture(scope="module")
def tf():
    """TensorFlow, where it is installed."""
    pytest.importorskip("tensorflow_serving", reason="the SDK alone is installed")
    import tensorflow

    return tensorflow


@pytest.fixture(scope="module")
def official(tf):
    """How the conformance rows write the official messages."""
    from support.conformance import official_requests

    return official_requests


def _dt(dtype):
    return f"DT_{NAMES.get(dtype, dtype.upper())}"


def _array(dtype):
    """Six small numbers as a caller gives them, where numpy has no such dtype as integers."""
    plain = {"bfloat16": "float32"}.get(
        dtype, dtype.replace("quint", "uint").replace("qint", "int")
    )
    return np.arange(6).reshape(2, 3).astype(plain)


def _call(dtype, outputs=()):
    spec = SignatureSpec({"x": TensorSpec(_dt(dtype), None)}, {})
    return PredictAny(ASKED, spec, {"x": array_of("x", _array(dtype), spec.inputs["x"])}, outputs)


def _their_array(tf, dtype):
    theirs = tf.as_dtype(dtype).as_numpy_dtype
    if dtype.startswith("q"):
        return np.array([(n,) for n in range(6)], theirs).reshape(2, 3)
    return _array(dtype).astype(theirs)


@pytest.mark.parametrize("dtype", AS_CONTENT)
def test_a_predict_request_has_the_official_bytes(tf, dtype):
    """Of every dtype, quantised ones too, with a version and a filter."""
    from tensorflow_serving.apis import predict_pb2

    request = predict_pb2.PredictRequest()
    request.model_spec.name, request.model_spec.signature_name = "m", "s"
    request.model_spec.version.value = 3
    array = _their_array(tf, dtype)
    tensor = request.inputs["x"]
    if dtype in {"qint16", "quint16", "float16"}:  # which the helper writes number by number
        tensor.dtype = tf.as_dtype(dtype).as_datatype_enum
        for size in array.shape:
            tensor.tensor_shape.dim.add().size = size
        tensor.tensor_content = array.tobytes()
    else:
        tensor.CopyFrom(tf.make_tensor_proto(array, dtype=tf.as_dtype(dtype)))
        assert tensor.tensor_content
    request.output_filter.extend(["y"])
    assert _call(dtype, ("y",)).rpc_body() == request.SerializeToString(deterministic=True)


@pytest.mark.parametrize("dtype", ALL)
def test_tensorflow_reads_what_is_sent(tf, dtype):
    """The same numbers, of the same dtype."""
    from tensorflow_serving.apis import predict_pb2

    request = predict_pb2.PredictRequest.FromString(_call(dtype).rpc_body())
    assert request.inputs["x"].dtype == tf.as_dtype(dtype).as_datatype_enum
    np.testing.assert_array_equal(tf.make_ndarray(request.inputs["x"]), _their_array(tf, dtype))


@pytest.mark.parametrize("dtype", ALL)
@pytest.mark.parametrize("as_content", [True, False])
def test_outputs_of_every_dtype_are_read(tf, dtype, as_content):
    """From the bytes or from the values; what numpy lacks as what holds its numbers."""
    from tensorflow_serving.apis import predict_pb2

    from neumo_serving.engine import tensor_conversion

    response = predict_pb2.PredictResponse()
    response.model_spec.name, response.model_spec.version.value = "m", 3
    proto = tensor_conversion.encode(_their_array(tf, dtype), as_content)
    response.outputs["y"].CopyFrom(proto)
    outputs = _call(dtype).read_rpc(response.SerializeToString())
    assert (outputs.model, outputs.version, list(outputs)) == ("m", 3, ["y"])
    assert outputs["y"].dtype == _array(dtype).dtype
    np.testing.assert_array_equal(outputs["y"], _array(dtype))


def test_strings_are_read_from_content(tf):
    """As a server with ``--enable_serialization_as_tensor_content`` sends them."""
    from tensorflow_serving.apis import predict_pb2

    from neumo_serving.engine import tensor_conversion

    texts = np.array([[b"a", b""], [b"x" * 200, b"\xff\0"]], object)
    response = predict_pb2.PredictResponse()
    response.outputs["y"].CopyFrom(tensor_conversion.encode(texts, True))
    found = grpc_messages.predict_response(response.SerializeToString()).outputs["y"]
    assert found.tolist() == texts.tolist()


@pytest.mark.parametrize("packed", [b"", b"\x80", b"\1\1a", b"\1\1abc"])
def test_strings_that_contradict_their_lengths_are_a_value_error(packed):
    """Cut short, or with more than they say."""
    with pytest.raises(ValueError, match=r"without their lengths|bytes for strings"):
        varints.split(packed, 2)


def test_floats_become_the_nearest_bfloat16(tf):
    """As TensorFlow rounds them: ties to even, NaN stays one, what is too large is infinite."""
    wide = np.array([1.00390625, 1.01171875, -0.1, np.nan, np.inf, 3.4e38, 0.0], np.float32)
    wide[3] = np.array([0x7F800001], np.uint32).view(np.float32)[0]
    theirs = tf.cast(tf.constant(wide), tf.bfloat16)
    np.testing.assert_array_equal(
        bfloat16.values(bfloat16.bits(wide)), tf.cast(theirs, tf.float32).numpy()
    )


EXAMPLES = [{"x": 2.0, "n": [1, True], "s": ["a", b"\xff"]}, {"x": np.array([[1.5], [2.5]])}]


@pytest.mark.parametrize("context", [None, {"c": [np.int64(7)]}])
def test_examples_have_the_official_bytes(official, context):
    """Classify and Regress, with and without a context."""
    read = [features.read(one) for one in EXAMPLES]
    shared = None if context is None else features.read(context)
    theirs = (
        official.example(x=[2.0], n=[1, 1], s=[b"a", b"\xff"]),
        official.example(x=[1.5, 2.5]),
    )
    chosen = {"signature": "s", "version": 3}
    if context is not None:
        chosen["context"] = official.example(c=[7])
    for call, request in ((Classify, official.classify), (Regress, official.regress)):
        expected = request("m", *theirs, **chosen).SerializeToString(deterministic=True)
        assert call(ASKED, read, shared).rpc_body() == expected


def test_rest_says_the_same_of_examples():
    """Numbers keep their kind, bytes are in base64, and so is text."""
    request = Regress(ASKED, [features.read(one) for one in EXAMPLES]).rest_request()
    assert (request.verb, request.path) == ("POST", "/v1/models/m/versions/3:regress")
    assert json.loads(request.body) == {
        "signature_name": "s",
        "examples": [
            {"x": [2.0], "n": [1, 1], "s": [{"b64": "YQ=="}, {"b64": "/w=="}]},
            {"x": [1.5, 2.5]},
        ],
    }
    assert b"2.0" in request.body  # a whole number would be an int64


def test_classes_and_numbers_are_read(tf):
    """From the official messages; a label that is no UTF-8 does not fail the answer."""
    from tensorflow_serving.apis import classification_pb2, regression_pb2

    response = classification_pb2.ClassificationResponse()
    response.model_spec.name, response.model_spec.version.value = "m", 3
    response.result.classifications.add().classes.add(label="ä", score=0.5)
    response.result.classifications.add()
    found = grpc_messages.classification_response(response.SerializeToString())
    assert [[(c.label, c.score) for c in row] for row in found.examples] == [[("ä", 0.5)], []]
    assert (found.model, found.version) == ("m", 3)
    odd = pb.ClassificationResponse()
    odd.result.classifications.add().classes.add(label=b"\xff", score=0.5)
    (row,) = grpc_messages.classification_response(odd.SerializeToString()).examples
    assert row[0].label == "\ufffd"
    numbers = regression_pb2.RegressionResponse()
    numbers.result.regressions.add(value=0.5)
    assert grpc_messages.regression_response(numbers.SerializeToString()).values.tolist() == [0.5]


def _read_rest(specs, body, chosen=()):
    spec = SignatureSpec({}, {name: TensorSpec(dtype, shape) for name, dtype, shape in specs})
    return PredictAny(ASKED, spec, {}, chosen).read_rest(body)


def test_a_json_answer_takes_the_signature_s_dtypes():
    """A single output has no name there; NaN and infinity are bare; bytes may be no UTF-8."""
    only = _read_rest([("y", "DT_HALF", None)], b'{"outputs": [1, NaN, -Infinity]}')
    assert isinstance(only, Outputs)
    assert (only.version, only["y"].dtype) == (None, np.float16)
    np.testing.assert_array_equal(only["y"], np.array([1, np.nan, -np.inf], np.float16))
    two = [("a", "DT_STRING", None), ("b_bytes", "DT_STRING", None)]
    found = _read_rest(two, b'{"outputs": {"a": "\xff", "b_bytes": [{"b64": "/w=="}]}}')
    assert found["a"] == np.array(b"\xff", object)
    assert found["b_bytes"].tolist() == [b"\xff"]
    empty = _read_rest([("y", "DT_FLOAT", (None, 3))], b'{"outputs": []}')
    assert (empty["y"].shape, empty["y"].dtype) == ((0, 3), np.float32)


@pytest.mark.parametrize(
    "body",
    [
        b"{}",
        b"[]",
        b'{"outputs": {"a": 1}}',
        b'{"outputs": {"a": 1, "b": 2, "c": 3}}',
        b'{"outputs": {"a": 1.5, "b": 2}}',
        b'{"outputs": {"a": [[1], 2], "b": 2}}',
        b'{"outputs": {"a": 300, "b": 2}}',
    ],
)
def test_a_json_answer_of_another_signature_is_a_value_error(body):
    """Fewer outputs, further ones, or values that are none of their dtype."""
    with pytest.raises(ValueError, match=r".+"):
        _read_rest([("a", "DT_UINT8", None), ("b", "DT_INT32", None)], body)
