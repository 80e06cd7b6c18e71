"""What Classify, Regress and MultiInference answer over gRPC."""

from __future__ import annotations

import re
from typing import Any

from tensorflow_serving.apis import classification_pb2, inference_pb2, regression_pb2

from support.conformance.official_requests import classify, example, infer, regress
from support.conformance.rows import GrpcRow, Text

CLASSIFIER = "servables/tensorflow/classifier.cc"
REGRESSOR = "servables/tensorflow/regressor.cc"
INFERENCE = "servables/tensorflow/multi_inference.cc"
HELPER = "servables/tensorflow/multi_inference_helper.cc"
UTIL = "servables/tensorflow/util.cc"
SERVER_CORE = "model_servers/server_core.cc"
MANAGER = "core/basic_manager.cc"
TWO = example(x=[2.0])
PAIR = example(x=[0.25, 0.75])
HALF = "half_plus_two"


def _row(id_: str, method: str, request: Any, source: str, **wanted: Any) -> GrpcRow:
    return GrpcRow(id_, method, request, source, **wanted)


def _invalid(id_: str, method: str, request: Any, source: str, text: Text) -> GrpcRow:
    return GrpcRow(id_, method, request, source, "INVALID_ARGUMENT", text)


CLASSIFICATIONS = [
    *(
        _row(
            f"a classification by {model} has a score for each class, and an empty label",
            "Classify",
            classify(model, TWO, example(x=[4.0]), signature="classify_x_to_y"),
            CLASSIFIER,
            fields={
                "result.classifications[0].classes[0].score": 3.0,
                "result.classifications[0].classes[0].label": "",
                "result.classifications[1].classes[0].score": 4.0,
                "model_spec.name": model,
                "model_spec.version.value": 123,
                "model_spec.signature_name": "classify_x_to_y",
            },
        )
        for model in (HALF, "half_plus_two_tf2")
    ),
    _row(
        "a classification has labels and scores where the signature has both",
        "Classify",
        classify("judges", PAIR, signature="labels_and_scores"),
        CLASSIFIER,
        fields={
            "result.classifications[0].classes[0].label": "no",
            "result.classifications[0].classes[0].score": 0.25,
            "result.classifications[0].classes[1].label": "yes",
            "result.classifications[0].classes[1].score": 0.75,
        },
    ),
    _row(
        "a classification has labels alone where the signature has no scores",
        "Classify",
        classify("judges", PAIR, signature="labels"),
        CLASSIFIER,
        fields={
            "result.classifications[0].classes[1].label": "yes",
            "result.classifications[0].classes[1].score": 0.0,
        },
    ),
    _row(
        "the context's features are part of every example",
        "Classify",
        classify(
            "judges",
            example(unused=[1]),
            example(x=[1.0, 2.0]),
            context=PAIR,
            signature="scores",
        ),
        UTIL,
        fields={
            "result.classifications[0].classes[1].score": 0.75,
            "result.classifications[1].classes[1].score": 2.0,
        },
    ),
    _invalid(
        "a classification without examples is refused",
        "Classify",
        classify(HALF, signature="classify_x_to_y"),
        UTIL,
        "Input is empty.",
    ),
    _invalid(
        "a classification by an unknown signature is refused",
        "Classify",
        classify(HALF, TWO, signature="nope"),
        CLASSIFIER,
        "No signature was found with the name: nope",
    ),
    _invalid(
        "scores of one dimension are no classification",
        "Classify",
        classify("judges", PAIR, signature="flat_scores"),
        CLASSIFIER,
        "Expected Tensor shape: [batch_size num_classes] but got [1]",
    ),
    _invalid(
        "scores that are no floats are no classification",
        "Classify",
        classify("judges", PAIR, signature="whole_scores"),
        CLASSIFIER,
        "Expected scores Tensor of DT_FLOAT. Got: DT_INT32",
    ),
    _invalid(
        "a classification needs an output called classes or scores",
        "Classify",
        classify("judges", PAIR, signature="odd_outputs"),
        CLASSIFIER,
        re.compile(
            "^Expected classification signature outputs to contain at least one of "
            '"classes" or "scores". Signature was: '
        ),
    ),
    _invalid(
        "a classification needs an input called inputs",
        "Classify",
        classify("judges", PAIR, signature="odd_input"),
        CLASSIFIER,
        re.compile("^No classification inputs found in SignatureDef: "),
    ),
    _row(
        "a classification by an unknown model is not found",
        "Classify",
        classify("m", TWO),
        MANAGER,
        code="NOT_FOUND",
        text="Servable not found for request: Latest(m)",
    ),
    _invalid(
        "a classification without model_spec misses it",
        "Classify",
        classification_pb2.ClassificationRequest(),
        "servables/tensorflow/classification_service.cc",
        "Missing ModelSpec",
    ),
    _invalid(
        "an example that lacks a feature is told in TensorFlow's words",
        "Classify",
        classify(HALF, example(y=[1.0]), signature="classify_x_to_y"),
        "tensorflow: core/util/example_proto_fast_parsing.cc",
        re.compile("Feature: x .*is required but could not be found"),
    ),
    _invalid(
        "an example whose feature is of another kind is told in TensorFlow's words",
        "Classify",
        classify(HALF, example(x=[1]), signature="classify_x_to_y"),
        "tensorflow: core/util/example_proto_fast_parsing.cc",
        re.compile("Key: x.*Data types don't match"),
    ),
]
REGRESSIONS = [
    *(
        _row(
            f"a regression by {model} has a value for each example",
            "Regress",
            regress(model, TWO, example(x=[4.0]), signature="regress_x_to_y"),
            REGRESSOR,
            fields={
                "result.regressions[0].value": 3.0,
                "result.regressions[1].value": 4.0,
                "model_spec.name": model,
                "model_spec.version.value": 123,
                "model_spec.signature_name": "regress_x_to_y",
            },
        )
        for model in (HALF, "half_plus_two_tf2")
    ),
    _row(
        "a regression may have one dimension",
        "Regress",
        regress("judges", PAIR, signature="sum"),
        REGRESSOR,
        fields={"result.regressions[0].value": 1.0},
    ),
    _invalid(
        "a regression of several values for an example is refused",
        "Regress",
        regress("judges", PAIR, signature="wide"),
        REGRESSOR,
        "Expected output Tensor shape to be either [batch_size] or [batch_size, 1] but got [1,2]",
    ),
    _invalid(
        "a regression of another number of values is refused",
        "Regress",
        regress("judges", PAIR, PAIR, signature="total"),
        REGRESSOR,
        "Input batch size did not match output batch size: 2 vs. 1",
    ),
    _invalid(
        "a regression needs an input called inputs",
        "Regress",
        regress("judges", PAIR, signature="odd_regression"),
        REGRESSOR,
        re.compile("^No regression inputs found in SignatureDef: "),
    ),
    _invalid(
        "a regression without examples is refused",
        "Regress",
        regress(HALF, signature="regress_x_to_y"),
        UTIL,
        "Input is empty.",
    ),
    _invalid(
        "a regression by an unknown signature is refused",
        "Regress",
        regress(HALF, TWO, signature="nope"),
        REGRESSOR,
        "No signature was found with the name: nope",
    ),
    _invalid(
        "a regression without model_spec misses it",
        "Regress",
        regression_pb2.RegressionRequest(),
        "servables/tensorflow/regression_service.cc",
        "Missing ModelSpec",
    ),
]
REGRESS_TASK = (HALF, "regress_x_to_y", "regress")
CLASSIFY_TASK = (HALF, "classify_x_to_y", "classify")
INFERENCES = [
    _row(
        "several inferences on the same examples are answered in their order",
        "MultiInference",
        infer(REGRESS_TASK, CLASSIFY_TASK, examples=(TWO,)),
        INFERENCE,
        fields={
            "results[0].regression_result.regressions[0].value": 3.0,
            "results[0].model_spec.version.value": 123,
            "results[0].model_spec.signature_name": "regress_x_to_y",
            "results[1].classification_result.classifications[0].classes[0].score": 3.0,
            "results[1].model_spec.name": HALF,
            "results[1].model_spec.signature_name": "classify_x_to_y",
        },
    ),
    _invalid(
        "inferences without a task name no model",
        "MultiInference",
        inference_pb2.MultiInferenceRequest(),
        HELPER,
        "ModelSpec has no name specified.",
    ),
    _row(
        "inferences by an unknown model are not found",
        "MultiInference",
        infer(("m", "a", "regress"), examples=(TWO,)),
        MANAGER,
        code="NOT_FOUND",
        text="Servable not found for request: Latest(m)",
    ),
    _invalid(
        "a second task without a model's name is refused",
        "MultiInference",
        infer(REGRESS_TASK, ("", "classify_x_to_y", "classify"), examples=(TWO,)),
        INFERENCE,
        "Found ModelSpec with an empty model name.",
    ),
    _invalid(
        "tasks by several models are refused",
        "MultiInference",
        infer(REGRESS_TASK, ("half_plus_three", "classify_x_to_y", "classify"), examples=(TWO,)),
        INFERENCE,
        "All ModelSpecs in a MultiInferenceRequest must access the same model name.",
    ),
    _invalid(
        "a task that is asked twice is refused",
        "MultiInference",
        infer(REGRESS_TASK, REGRESS_TASK, examples=(TWO,)),
        INFERENCE,
        "Duplicate evaluation of signature: regress_x_to_y",
    ),
    _invalid(
        "an inference by an unknown signature is refused",
        "MultiInference",
        infer((HALF, "nope", "regress"), examples=(TWO,)),
        INFERENCE,
        "Requested signature not found in model graph: nope",
    ),
    _row(
        "an inference by another method is unimplemented",
        "MultiInference",
        infer((HALF, "serving_default", "tensorflow/serving/predict"), examples=(TWO,)),
        INFERENCE,
        code="UNIMPLEMENTED",
        text="Unsupported signature method_name: tensorflow/serving/predict",
    ),
    _row(
        "tasks that read different inputs are all given the examples",
        "MultiInference",
        infer(("judges", "sum", "regress"), ("judges", "other_input", "regress"), examples=(PAIR,)),
        INFERENCE,
        fields={
            "results[0].regression_result.regressions[0].value": 1.0,
            "results[1].regression_result.regressions[0].value": float(PAIR.ByteSize()),
        },
    ),
    _invalid(
        "inferences without examples are refused",
        "MultiInference",
        infer(REGRESS_TASK, examples=()),
        UTIL,
        "Input is empty.",
    ),
]
ROWS = [*CLASSIFICATIONS, *REGRESSIONS, *INFERENCES]
