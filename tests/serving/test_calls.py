"""What a row cannot say: calls beside each other, calls that break off, numbers to the last bit."""

from __future__ import annotations

import socket

import grpc
import numpy as np
import pytest
import requests
import tensorflow as tf
from tensorflow_serving.apis import get_model_metadata_pb2

from neumo_serving.engine import inference, saved_model
from neumo_serving.engine.inference import Question
from support.conformance.official_requests import metadata
from support.conformance.rows_rest_refusals import PREDICT
from support.patience import patience
from support.toy_model import MODEL, predict_request

X = np.array([[1.0, 2.0]], np.float32)
STEPS = 10_000
"""Enough for several seconds of the toy's slow signature."""


def test_a_deadline_is_honoured(running):
    """A request that takes longer than its deadline ends there."""
    request = predict_request({"steps": np.array([3_000], np.int32)}, signature="slow")
    with pytest.raises(grpc.RpcError) as raised:
        running.prediction.Predict(request, timeout=0.05)
    assert raised.value.code() is grpc.StatusCode.DEADLINE_EXCEEDED


def test_a_quick_request_is_answered_while_a_slow_one_runs(running):
    """Inference runs side by side, and no lock is held meanwhile."""
    request = predict_request({"steps": np.array([STEPS], np.int32)}, signature="slow")
    slow = running.prediction.Predict.future(request, timeout=patience(60))
    assert running.predict({"x": X}).model_spec.version.value == 2
    status = requests.get(f"{running.rest}/v1/models/{MODEL}", timeout=patience(60))
    assert status.ok
    assert not slow.done()
    assert slow.result().outputs["steps"].int_val[:] == [STEPS]


def test_the_metadata_hold_every_signature(running):
    """With its tensors and their shapes (get_model_metadata_impl.cc)."""
    response = running.prediction.GetModelMetadata(
        metadata(MODEL, "signature_def"), timeout=patience(60)
    )
    signatures = get_model_metadata_pb2.SignatureDefMap()
    assert response.metadata["signature_def"].Unpack(signatures)
    expected = {"serving_default", "single", "echo", "uneven", "ragged", "slow"}
    assert expected <= signatures.signature_def.keys()
    found = signatures.signature_def["serving_default"].inputs["x"]
    assert [dim.size for dim in found.tensor_shape.dim] == [-1, 2]


def test_bytes_that_are_no_message_are_refused(running):
    """Garbage on the wire is answered, and the server goes on."""
    method = running.channel.unary_unary("/tensorflow.serving.PredictionService/Predict")
    with pytest.raises(grpc.RpcError):
        method(b"\xff\xff\xff\xff", timeout=patience(60))
    assert running.predict({"x": X}).model_spec.version.value == 2


def test_a_request_that_breaks_off_harms_nobody(running):
    """A client that goes away in mid-body leaves the server as it was."""
    port = int(running.rest.rpartition(":")[2])
    with socket.create_connection(("127.0.0.1", port)) as client:
        client.sendall(f"POST {PREDICT} HTTP/1.1\r\nContent-Length: 100\r\n\r\n{{".encode())
    response = requests.post(
        running.rest + PREDICT, json={"instances": [[1, 2]]}, timeout=patience(60)
    )
    assert response.status_code == 200


def test_both_transports_give_the_numbers_of_the_saved_model(running, store):
    """To the last bit of a 32-bit float."""
    x = np.random.RandomState(0).normal(size=(16, 2)).astype(np.float32)
    model = saved_model.load(store / "2")
    in_process = inference.predict(model, Question("", {"x": x}))["y"]
    over_grpc = tf.make_ndarray(running.predict({"x": x}).outputs["y"])
    over_rest = requests.post(
        running.rest + PREDICT, json={"inputs": x.tolist()}, timeout=patience(60)
    )
    np.testing.assert_array_equal(over_grpc, in_process)
    np.testing.assert_array_equal(np.float32(over_rest.json()["outputs"]["y"]), in_process)
