"""What REST answers to classify and regress, and what it refuses there."""

from __future__ import annotations

import json
import re
from typing import Any

from support.conformance.rows import RestRow, Text
from support.conformance.rows_rest_refusals import HANDLER, JSON_TENSOR

HALF = "/v1/models/half_plus_two"
JUDGES = "/v1/models/judges"
CLASSIFIER = "servables/tensorflow/classifier.cc"
EXPORT = "tensorflow: core/util/example_proto_fast_parsing.cc"


def _row(
    id_: str,
    path: str,
    signature: str,
    examples: list[Any],
    source: str = JSON_TENSOR,
    *,
    context: Any = None,
    **wanted: Any,
) -> RestRow:
    document = {"signature_name": signature, "examples": examples}
    if context is not None:
        document["context"] = context
    return RestRow(id_, path, source, json.dumps(document), **wanted)


def _refused(
    id_: str,
    body: Any,
    error: Text,
    path: str = f"{HALF}:classify",
    status: int = 400,
    source: str = JSON_TENSOR,
) -> RestRow:
    body = body if isinstance(body, str) else json.dumps(body)
    return RestRow(id_, path, source, body, status=status, error=error)


def _feature(id_: str, value: Any, error: Text) -> RestRow:
    """A feature ``x`` of an example that cannot be read."""
    return _refused(id_, {"signature_name": "classify_x_to_y", "examples": [{"x": value}]}, error)


ANSWERS = [
    *(
        _row(
            f"{model} classifies: a list of label and score for each example",
            f"/v1/models/{model}:classify",
            "classify_x_to_y",
            [{"x": 2.0}, {"x": [4.0]}],
            answer={"results": [[["", 3.0]], [["", 4.0]]]},
        )
        for model in ("half_plus_two", "half_plus_two_tf2")
    ),
    *(
        _row(
            f"{model} regresses: a value for each example",
            f"/v1/models/{model}:regress",
            "regress_x_to_y",
            [{"x": 2.0}, {"x": [4.0]}],
            answer={"results": [3.0, 4.0]},
        )
        for model in ("half_plus_two", "half_plus_two_tf2")
    ),
    _row(
        "a version in the path pins a regression",
        f"{HALF}/versions/123:regress",
        "regress_x_to_y",
        [{"x": 80.0}],
        HANDLER,
        answer={"results": [42.0]},
    ),
    _row(
        "labels and scores are pairs",
        f"{JUDGES}:classify",
        "labels_and_scores",
        [{"x": [0.25, 0.75]}],
        answer={"results": [[["no", 0.25], ["yes", 0.75]]]},
    ),
    _row(
        "the context's features are part of every example",
        f"{JUDGES}:regress",
        "sum",
        [{"a": 1}, {"x": [2.5, 2.5]}],
        context={"x": [0.5, 0.5]},
        answer={"results": [1.0, 5.0]},
    ),
    _row(
        "the numbers of an answer are floats",
        f"{HALF}:regress",
        "regress_x_to_y",
        [{"x": 2.0}],
        numerals={"results": ["3.0"]},
    ),
]
DOCUMENTS = [
    _refused("an empty body holds no examples", "", "JSON Parse error: The document is empty"),
    _refused(
        "a request without examples misses them",
        {},
        re.compile("When method is classify, key 'examples' is expected and was not found$"),
    ),
    _refused(
        "a regression without examples misses them, too",
        {},
        re.compile("When method is classify, key 'examples' is expected and was not found$"),
        f"{HALF}:regress",
    ),
    _refused(
        "examples must be a list",
        {"examples": 1},
        re.compile("Expecting 'examples' value to be an list/array$"),
    ),
    _refused(
        "examples must not be empty",
        {"examples": []},
        re.compile("'examples' value is an empty array$"),
    ),
    _refused(
        "an example must be an object",
        {"examples": [1]},
        "Example must be JSON object but got JSON Number",
    ),
    _refused(
        "the context must be an object",
        {"context": 1, "examples": [{}]},
        "Example must be JSON object but got JSON Number",
    ),
    _refused(
        "signature_name must be text beside examples, too",
        {"signature_name": 1, "examples": [{}]},
        re.compile(re.escape("'signature_name' key must be a string value.")),
    ),
]
FEATURES = [
    _feature(
        "a feature cannot be null",
        None,
        "Feature: x has element with unexpected JSON type: Null",
    ),
    _feature(
        "a feature cannot be a list of lists",
        [[1.0]],
        "Feature: x has element with unexpected JSON type: Array",
    ),
    _feature(
        "a feature cannot be an object other than base64",
        {"a": 1},
        "Feature: x has element with unexpected JSON type: Object",
    ),
    _feature(
        "a feature's values must be of one kind",
        [1.0, "a"],
        "Unexpected element type in feature: x expecting type: float",
    ),
    _feature(
        "a whole number among fractions is of another kind",
        [1.5, 2],
        "Unexpected element type in feature: x expecting type: float",
    ),
    _feature(
        "a number beyond int64 is refused",
        18446744073709551615,
        "Feature: x has uint64 element. Only int64 is supported.",
    ),
    _feature(
        "a feature that is too large for a float loses precision",
        1e39,
        "Cannot convert JSON value: 1e+39 to float without loss of precision.",
    ),
    _feature(
        "a whole number is an int64, which the model may refuse in TensorFlow's words",
        2,
        re.compile("Key: x.*Data types don't match"),
    ),
]
MODELS = [
    _refused(
        "a classification by an unknown model is 404",
        {"examples": [{"x": 1.0}]},
        "Servable not found for request: Latest(m)",
        "/v1/models/m:classify",
        404,
        "core/basic_manager.cc",
    ),
    _refused(
        "a classification by an unknown signature is refused",
        {"signature_name": "nope", "examples": [{"x": 1.0}]},
        "No signature was found with the name: nope",
        source=CLASSIFIER,
    ),
]
ROWS = [*ANSWERS, *DOCUMENTS, *FEATURES, *MODELS]
