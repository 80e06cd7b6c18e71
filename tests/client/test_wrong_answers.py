"""What no server of a release answers: each is told in words, and nothing is made of it."""

from __future__ import annotations

import json

import numpy as np
import pytest

import neumo
from neumo import contract
from neumo._proto import serving_pb2 as pb
from neumo._wire import rest_json, tensor_protos
from neumo._wire.answer_types import Answer, ModelMetadata, SignatureSpec, TensorSpec
from neumo._wire.calls import Metadata, Predict
from neumo.testing import answering
from support.fake_clients import FILM, LUNGS, RESIDUAL, TUNED, client

BOTH = {TUNED: 0.75, RESIDUAL: 0.125}
THREE = BOTH | {LUNGS: 0.9}
SIDE = contract.IMAGE_SIZE_PX


def signature_with(*, inputs=None, outputs=None):
    """A server whose ``serving_default`` has these tensors in the place of the contract's."""
    whole = answering(BOTH)

    def answer(call):
        assert isinstance(call, Metadata), "a film was sent"
        signatures = dict(whole(call).signatures)
        own = signatures[contract.SERVING_DEFAULT]
        signatures[contract.SERVING_DEFAULT] = SignatureSpec(
            own.inputs if inputs is None else inputs, own.outputs | (outputs or {})
        )
        return ModelMetadata(call.model, 1, signatures)

    return answer


@pytest.mark.parametrize(
    ("server", "words"),
    [
        (signature_with(inputs={}), "input image is missing"),
        (
            signature_with(
                inputs={
                    "image": TensorSpec("DT_UINT8", (None, SIDE, SIDE, 1)),
                    "age": TensorSpec("DT_INT64", (None,)),
                }
            ),
            "input age is not known to this client",
        ),
        (
            signature_with(inputs={"image": TensorSpec("DT_FLOAT", (None, SIDE, SIDE, 1))}),
            r"input image is DT_FLOAT \[\?, 256, 256, 1\], not DT_UINT8 \[\?, 256, 256, 1\]",
        ),
        (
            signature_with(inputs={"image": TensorSpec("DT_UINT8", (1, SIDE, SIDE, 1))}),
            r"input image is DT_UINT8 \[1, 256, 256, 1\]",
        ),
        (
            signature_with(outputs={"probability": TensorSpec("DT_DOUBLE", None)}),
            "output probability is DT_DOUBLE of any shape",
        ),
        (
            signature_with(outputs={"probability": TensorSpec("DT_FLOAT", (None, 2))}),
            r"output probability is DT_FLOAT \[\?, 2\]",
        ),
    ],
    ids=["no input", "another input", "a dtype", "one film only", "any shape", "two numbers"],
)
def test_a_signature_that_is_not_the_contracts_is_refused_before_a_film_is_sent(server, words):
    """The model, its version and the difference are told."""
    with pytest.raises(neumo.ContractError, match=f"version 1 at fake://: signature .*{words}"):
        client(server)[0].predict(FILM)


def test_an_output_of_any_shape_may_hold_what_the_contract_says():
    """A server that leaves sizes open is asked, and judged by its answer."""
    whole = answering(BOTH)
    open_shapes = {name: TensorSpec(dtype, None) for name, dtype in [("probability", "DT_FLOAT")]}

    def answer(call):
        return (
            signature_with(outputs=open_shapes)(call) if isinstance(call, Metadata) else whole(call)
        )

    assert client(answer)[0].predict(FILM).probability == 0.4375


def with_output(name, array, of=BOTH):
    """A server whose predictions have ``array`` as the output ``name``, where they have one."""
    whole = answering(of)

    def answer(call):
        found = whole(call)
        if isinstance(call, Predict) and name in found.outputs:
            return Answer(found.model, found.version, found.outputs | {name: array})
        return found

    return answer


HOT = np.full((1, 32, 32), 1.5, np.float32)


@pytest.mark.parametrize(
    ("name", "array", "words"),
    [
        ("probability", np.zeros((1, 2), np.float32), r"is float32 \[1, 2\] for one film"),
        ("probability", np.array([b"high"], object), r"is object \[1\] for one film"),
        ("release", np.ones(2, np.int64), r"release is int64 \[2\] for one film"),
        ("heatmap", HOT, r"the heat map has values outside \[0, 1\]"),
        ("heatmap", HOT[0], r"heatmap is float32 \[32, 32\] for one film"),
        ("heatmap", HOT[:, :0], r"heatmap is float32 \[1, 0, 32\]"),
    ],
)
def test_an_output_that_is_no_answer_about_one_film_is_a_bad_response(name, array, words):
    """By its shape, its dtype or its values."""
    with pytest.raises(neumo.BadResponse, match=words):
        client(with_output(name, array))[0].explain(FILM)


@pytest.mark.parametrize(
    "array", [np.full((1, SIDE, SIDE), 2, np.uint8), np.zeros((1, 8, 8), np.uint8)]
)
def test_lungs_that_are_no_mask_are_a_bad_response(array):
    """A mask is 256 by 256, of 0 and 1."""
    with pytest.raises(neumo.BadResponse, match="the output mask is uint8"):
        client(with_output("mask", array, THREE))[0].explain(FILM)


def test_a_batch_whose_films_differ_in_release_is_a_bad_response():
    """One answer is of one release and has one threshold."""
    server = with_output("release", np.array([1, 2], np.int64))
    (first, second) = client(server)[0].predict_many([FILM, FILM], batch_size=2)
    assert isinstance(first, neumo.Failure)
    assert "the output release differs within one answer" in str(first.error)
    assert isinstance(second, neumo.Failure)


STATUS = {"version": "3", "state": "AVAILABLE", "status": {"error_message": ""}}


@pytest.mark.parametrize(
    "document",
    [
        {},
        {"model_version_status": {}},
        {"model_version_status": ["AVAILABLE"]},
        {"model_version_status": [STATUS | {"version": 3}]},
        {"model_version_status": [STATUS | {"version": "three"}]},
        {"model_version_status": [STATUS | {"state": "RESTING"}]},
        {"model_version_status": [STATUS | {"status": {"error_code": "OK"}}]},
    ],
)
def test_a_rest_status_that_is_none_is_a_value_error(document):
    """A field that is missing, or not what TensorFlow Serving writes."""
    with pytest.raises(ValueError, match=r".+"):
        rest_json.rest_status(TUNED, json.dumps(document).encode())


def rest_metadata(shape):
    """TensorFlow Serving's metadata of one signature whose input has ``shape``."""
    info = {"dtype": "DT_UINT8", "tensor_shape": shape}
    signature = {"inputs": {"image": info}, "outputs": {}}
    document = {
        "model_spec": {"name": TUNED, "version": "3"},
        "metadata": {"signature_def": {"signature_def": {"serving_default": signature}}},
    }
    return rest_json.rest_metadata(json.dumps(document).encode())


def test_rest_metadata_has_the_shapes_that_it_says():
    """An open size is -1, and a shape may be open as a whole."""
    found = rest_metadata({"dim": [{"size": "-1"}, {"size": "256"}], "unknown_rank": False})
    assert found.version == 3
    assert found.signatures["serving_default"].inputs["image"].shape == (None, 256)
    unknown = rest_metadata({"dim": [], "unknown_rank": True})
    assert unknown.signatures["serving_default"].inputs["image"].shape is None


@pytest.mark.parametrize("shape", [None, [], {"dim": [{"name": "n"}]}, {"dim": [{"size": "all"}]}])
def test_rest_metadata_that_is_none_is_a_value_error(shape):
    """Whatever answers in the server's place."""
    with pytest.raises(ValueError, match=r".+"):
        rest_metadata(shape)


@pytest.mark.parametrize(
    ("value", "told"),
    [([True], "bool in the answer"), ([1.5], "float64 in the answer"), ([2**64], "in the answer")],
)
def test_json_numbers_of_another_kind_are_a_value_error(value, told):
    """A release is an integer that fits, and nothing is rounded into one."""
    signature = contract.model(TUNED).signature(contract.SERVING_DEFAULT)
    body = json.dumps({"outputs": {"release": value}}).encode()
    with pytest.raises(ValueError, match=told):
        rest_json.rest_answer(TUNED, signature, body)


def proto(dtype, *sizes, **fields):
    """A ``TensorProto`` that may contradict itself."""
    shape = pb.TensorShapeProto(dim=[pb.TensorShapeProto.Dim(size=size) for size in sizes])
    return pb.TensorProto(dtype=dtype, tensor_shape=shape, **fields)


@pytest.mark.parametrize(
    ("tensor", "told"),
    [
        (proto(pb.DT_FLOAT, 2, tensor_content=b"\0" * 4), "4 bytes are no float32 tensor of shape"),
        (proto(pb.DT_FLOAT, -1, tensor_content=b"\0" * 4), "a tensor without a whole shape"),
        (proto(99, 1, tensor_content=b"\0" * 4), "a tensor of unknown dtype 99"),
        (proto(pb.DT_FLOAT, 2), "0 values for a tensor of shape"),
        (proto(pb.DT_STRING, 1, string_val=[b"a", b"b"]), "2 values for a tensor of shape"),
    ],
    ids=["short", "open", "unknown", "empty", "too many"],
)
def test_a_tensor_that_contradicts_itself_is_a_value_error(tensor, told):
    """No value is made up, none left out."""
    with pytest.raises(ValueError, match=told):
        tensor_protos.decode(tensor)


@pytest.mark.parametrize(
    ("array", "told"),
    [
        (np.zeros(2, "M8[s]"), r"an array of datetime64\[s\] cannot be sent"),
        (np.array([1.5], object), "bytes or text expected in an array of objects, not float"),
    ],
)
def test_an_array_that_no_tensor_holds_is_a_mistake_of_the_caller(array, told):
    """Numbers, and bytes or text, can be sent."""
    with pytest.raises(neumo.ConfigError, match=told):
        tensor_protos.encode(array, pb.TensorProto())
