"""Classify, Regress and MultiInference, over gRPC and REST, with the upstream file of each row."""

from __future__ import annotations

import grpc
import pytest
import requests
import tensorflow as tf
from tensorflow_serving.apis import (
    classification_pb2,
    inference_pb2,
    input_pb2,
    regression_pb2,
)

from neumo.testing import EmbeddedServer
from support.patience import patience
from support.toy_model import connected
from support.toy_models_v1 import save_half_plus

MODEL = "half"
CLASSIFIER = "servables/tensorflow/classifier.cc"
REGRESSOR = "servables/tensorflow/regressor.cc"
MULTI = "servables/tensorflow/multi_inference.cc"
UTIL = "servables/tensorflow/util.cc"
JSON_TENSOR = "util/json_tensor.cc"
CHECKED = "--enable_signature_method_name_check"
CLASSIFY, REGRESS = "tensorflow/serving/classify", "tensorflow/serving/regress"


@pytest.fixture(scope="module")
def running(tmp_path_factory):
    """A server on the model that TensorFlow 1 wrote."""
    folder = tmp_path_factory.mktemp("store") / MODEL
    folder.mkdir()
    save_half_plus(folder, 7)
    flags = [f"--model_name={MODEL}", f"--model_base_path={folder}", CHECKED]
    with EmbeddedServer(flags) as server:
        found = connected(server)
        yield found
        found.channel.close()


def example(**features):
    """A ``tf.Example`` of floats."""
    made = tf.train.Example()
    for name, value in features.items():
        made.features.feature[name].float_list.value.append(value)
    return made


def examples(*values):
    """The ``Input`` of an example for each value of ``x``."""
    made = input_pb2.Input()
    made.example_list.examples.extend(example(x=value) for value in values)
    return made


def classification(signature="classify_x_to_labels", message=None, model=MODEL):
    """A request to classify, two examples where nothing else is said."""
    request = classification_pb2.ClassificationRequest(input=message or examples(2.0, 10.0))
    request.model_spec.name = model
    request.model_spec.signature_name = signature
    return request


def regression(signature="regress_x_to_y", message=None, model=MODEL):
    """A request to regress, two examples where nothing else is said."""
    request = regression_pb2.RegressionRequest(input=message or examples(2.0, 10.0))
    request.model_spec.name = model
    request.model_spec.signature_name = signature
    return request


def inference(*tasks, message=None):
    """A request for several (model, signature, method)."""
    request = inference_pb2.MultiInferenceRequest(input=message or examples(2.0, 10.0))
    for model, signature, method in tasks:
        task = request.tasks.add(method_name=method)
        task.model_spec.name = model
        task.model_spec.signature_name = signature
    return request


def spec(message):
    """The model specification that answered."""
    return message.name, message.version.value, message.signature_name


def test_classify_gives_labels_and_scores(running):
    """One list of classes for each example, and the version that answered (classifier.cc)."""
    response = running.prediction.Classify(classification(), timeout=patience(60))
    found = [[(c.label, c.score) for c in row.classes] for row in response.result.classifications]
    assert found == [[("low", 3.0)], [("high", 7.0)]]
    assert spec(response.model_spec) == (MODEL, 7, "classify_x_to_labels")


def test_classify_gives_scores_alone(running):
    """A signature without classes leaves the labels empty (classifier.cc)."""
    response = running.prediction.Classify(classification("classify_x_to_y"), timeout=patience(60))
    found = [[(c.label, c.score) for c in row.classes] for row in response.result.classifications]
    assert found == [[("", 3.0)], [("", 7.0)]]


def test_regress_gives_one_number_for_each_example(running):
    """A column counts as a list of numbers (regressor.cc)."""
    response = running.prediction.Regress(regression(), timeout=patience(60))
    assert [one.value for one in response.result.regressions] == [3.0, 7.0]
    assert spec(response.model_spec) == (MODEL, 7, "regress_x_to_y")


def test_a_context_is_a_part_of_every_example(running):
    """Features of the context count for each example (util.cc)."""
    message = input_pb2.Input()
    message.example_list_with_context.context.CopyFrom(example(x2=4.0))
    message.example_list_with_context.examples.extend([example(x=1.0), example(x=2.0)])
    response = running.prediction.Regress(
        regression("regress_x2_to_y3", message), timeout=patience(60)
    )
    assert [one.value for one in response.result.regressions] == [5.0, 5.0]


def test_several_signatures_are_run_over_the_same_examples(running):
    """A result for each task, in order, with its own specification (multi_inference.cc)."""
    tasks = [(MODEL, "regress_x_to_y", REGRESS), (MODEL, "classify_x_to_labels", CLASSIFY)]
    response = running.prediction.MultiInference(inference(*tasks), timeout=patience(60))
    first, second = response.results
    assert [one.value for one in first.regression_result.regressions] == [3.0, 7.0]
    rows = second.classification_result.classifications
    assert [row.classes[0].label for row in rows] == ["low", "high"]
    assert [spec(one.model_spec) for one in response.results] == [
        (MODEL, 7, "regress_x_to_y"),
        (MODEL, 7, "classify_x_to_labels"),
    ]


REFUSALS = [
    (
        "Classify",
        CLASSIFIER,
        classification_pb2.ClassificationRequest(),
        "INVALID_ARGUMENT",
        "Missing ModelSpec",
    ),
    (
        "Classify",
        CLASSIFIER,
        classification(model=""),
        "INVALID_ARGUMENT",
        "ModelSpec has no name specified.",
    ),
    (
        "Classify",
        CLASSIFIER,
        classification(model="m"),
        "NOT_FOUND",
        "Servable not found for request: Latest(m)",
    ),
    (
        "Classify",
        CLASSIFIER,
        classification("nope"),
        "INVALID_ARGUMENT",
        "No signature was found with the name: nope",
    ),
    (
        "Classify",
        CLASSIFIER,
        classification("regress_x_to_y"),
        "INVALID_ARGUMENT",
        "Expected classification signature method_name to be tensorflow/serving/classify. "
        "Was: tensorflow/serving/regress",
    ),
    (
        "Classify",
        CLASSIFIER,
        classification("classify_without_scores"),
        "INVALID_ARGUMENT",
        'Expected classification signature outputs to contain at least one of "classes" or '
        '"scores". Signature was: ',
    ),
    (
        "Classify",
        CLASSIFIER,
        classification("classify_other_input"),
        "INVALID_ARGUMENT",
        "No classification inputs found in SignatureDef: ",
    ),
    (
        "Classify",
        UTIL,
        classification(message=input_pb2.Input(example_list=input_pb2.ExampleList())),
        "INVALID_ARGUMENT",
        "Input is empty.",
    ),
    (
        "Regress",
        REGRESSOR,
        regression("nope"),
        "INVALID_ARGUMENT",
        "No signature was found with the name: nope",
    ),
    (
        "Regress",
        REGRESSOR,
        regression("classify_x_to_y"),
        "INVALID_ARGUMENT",
        "Expected regression signature method_name to be tensorflow/serving/regress. "
        "Was: tensorflow/serving/classify",
    ),
    (
        "Regress",
        REGRESSOR,
        regression("regress_wrong"),
        "INVALID_ARGUMENT",
        "Expected output Tensor shape to be either [batch_size] or [batch_size, 1] but got [2,2]",
    ),
    (
        "MultiInference",
        MULTI,
        inference(),
        "INVALID_ARGUMENT",
        "ModelSpec has no name specified.",
    ),
    (
        "MultiInference",
        MULTI,
        inference((MODEL, "regress_x_to_y", REGRESS), ("", "regress_x_to_y2", REGRESS)),
        "INVALID_ARGUMENT",
        "Found ModelSpec with an empty model name.",
    ),
    (
        "MultiInference",
        MULTI,
        inference((MODEL, "regress_x_to_y", REGRESS), ("m", "regress_x_to_y2", REGRESS)),
        "INVALID_ARGUMENT",
        "All ModelSpecs in a MultiInferenceRequest must access the same model name.",
    ),
    (
        "MultiInference",
        MULTI,
        inference((MODEL, "regress_x_to_y", REGRESS), (MODEL, "regress_x_to_y", REGRESS)),
        "INVALID_ARGUMENT",
        "Duplicate evaluation of signature: regress_x_to_y",
    ),
    (
        "MultiInference",
        MULTI,
        inference((MODEL, "nope", REGRESS)),
        "INVALID_ARGUMENT",
        "Requested signature not found in model graph: nope",
    ),
    (
        "MultiInference",
        MULTI,
        inference((MODEL, "regress_x_to_y", "tensorflow/serving/predict")),
        "UNIMPLEMENTED",
        "Unsupported signature method_name: tensorflow/serving/predict",
    ),
    (
        "MultiInference",
        MULTI,
        inference((MODEL, "regress_x_to_y", CLASSIFY)),
        "INVALID_ARGUMENT",
        "Expected classification signature method_name to be tensorflow/serving/classify. "
        "Was: tensorflow/serving/regress",
    ),
]


@pytest.mark.parametrize(("method", "source", "request_", "code", "text"), REFUSALS)
def test_what_cannot_be_answered_is_refused_in_tensorflow_servings_words(
    running, method, source, request_, code, text
):
    """Code and the beginning of the message are upstream's."""
    with pytest.raises(grpc.RpcError) as raised:
        getattr(running.prediction, method)(request_, timeout=patience(60))
    assert raised.value.code().name == code
    assert raised.value.details().startswith(text)


@pytest.mark.slow
def test_a_method_name_of_its_own_is_refused_by_predict_where_the_flag_says_so(tmp_path):
    """INTERNAL with --enable_signature_method_name_check, answered without it."""
    folder = tmp_path / MODEL
    folder.mkdir()
    save_half_plus(folder, 1, method_names=False)
    flags = [f"--model_name={MODEL}", f"--model_base_path={folder}"]
    with EmbeddedServer([*flags, CHECKED]) as server:
        running = connected(server)
        with pytest.raises(grpc.RpcError) as raised:
            running.predict({"x": [2.0]}, model=MODEL)
        assert raised.value.code().name == "INTERNAL"
        assert raised.value.details() == (
            "Expected prediction signature method_name to be one of {tensorflow/serving/predict, "
            "tensorflow/serving/classify, tensorflow/serving/regress}. Was: mine"
        )
        running.channel.close()
    with EmbeddedServer(flags) as server:
        running = connected(server)
        assert running.predict({"x": [2.0]}, model=MODEL).outputs["y"].float_val[:] == [3.0]
        response = running.prediction.Regress(regression(), timeout=patience(60))
        assert [one.value for one in response.result.regressions] == [3.0, 7.0]
        running.channel.close()


def ask(running, verb, body):
    """POST ``body`` to a verb of the model."""
    return requests.post(
        f"{running.rest}/v1/models/{MODEL}:{verb}", json=body, timeout=patience(60)
    )


def test_rest_classifies_under_results(running):
    """A list of [label, score] for each example (json_tensor.cc)."""
    body = {"signature_name": "classify_x_to_labels", "examples": [{"x": 2.0}, {"x": [10.0]}]}
    assert ask(running, "classify", body).json() == {"results": [[["low", 3.0]], [["high", 7.0]]]}


def test_rest_regresses_under_results(running):
    """A number for each example, whose features the context adds to (json_tensor.cc)."""
    body = {
        "signature_name": "regress_x2_to_y3",
        "context": {"x2": 4.2},
        "examples": [{"x": 2.0}, {"x": 10.0}],
    }
    assert ask(running, "regress", body).json() == {"results": [5.1, 5.1]}


REST_REFUSALS = [
    ("{}", "When method is classify, key 'examples' is expected and was not found"),
    ('{"examples": 1}', "Expecting 'examples' value to be an list/array"),
    ('{"examples": []}', "'examples' value is an empty array"),
    ('{"examples": [1]}', "Example must be JSON object but got JSON Number"),
    ('{"context": [], "examples": [{}]}', "Example must be JSON object but got JSON Array"),
    ('{"examples": [{"x": null}]}', "Feature: x has element with unexpected JSON type: Null"),
    ('{"examples": [{"x": [[1]]}]}', "Feature: x has element with unexpected JSON type: Array"),
    ('{"examples": [{"x": {"a": 1}}]}', "Feature: x has element with unexpected JSON type: Object"),
    (
        '{"examples": [{"x": [1, 2.5]}]}',
        "Unexpected element type in feature: x expecting type: int64",
    ),
    (
        '{"examples": [{"x": [1.5, 2]}]}',
        "Unexpected element type in feature: x expecting type: float",
    ),
    (
        '{"examples": [{"x": ["a", 2]}]}',
        "Unexpected element type in feature: x expecting type: bytes",
    ),
    (
        '{"examples": [{"x": 18446744073709551615}]}',
        "Feature: x has uint64 element. Only int64 is supported.",
    ),
    (
        '{"examples": [{"x": 1e39}]}',
        "Cannot convert JSON value: 1e+39 to float without loss of precision.",
    ),
    ('{"examples": [{"x": {"b64": "?"}}]}', "Unable to base64 decode"),
    (
        '{"signature_name": "no", "examples": [{"x": 1.0}]}',
        "No signature was found with the name: no",
    ),
]


@pytest.mark.parametrize(("body", "text"), REST_REFUSALS)
@pytest.mark.parametrize("verb", ["classify", "regress"])
def test_examples_are_judged_in_tensorflow_servings_words(running, verb, body, text):
    """Upstream's texts, 400 (json_tensor.cc)."""
    url = f"{running.rest}/v1/models/{MODEL}:{verb}"
    response = requests.post(url, data=body, timeout=patience(60))
    assert response.status_code == 400
    assert text in response.json()["error"]


def test_bytes_and_whole_numbers_are_features(running):
    """Text, base64, whole numbers and bools become what models parse (json_tensor.cc)."""
    body = {
        "signature_name": "regress_x_to_y",
        "examples": [{"x": 2.0, "a": "text", "b": {"b64": "AP8="}, "c": [1, True]}],
    }
    assert ask(running, "regress", body).json() == {"results": [3.0]}
