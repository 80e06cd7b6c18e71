"""What REST refuses in a predict request's values, by its text."""

from __future__ import annotations

import json
import re
from typing import Any

from support.conformance.rows import RestRow, Text
from support.conformance.rows_rest_refusals import JSON_TENSOR, PREDICT

ECHO = {"i": [1], "s": ["a"], "b": [True]}


def _has(text: str) -> re.Pattern[str]:
    return re.compile(re.escape(text))


def _refused(id_: str, document: Any, error: Text, source: str = JSON_TENSOR) -> RestRow:
    body = document if isinstance(document, str) else json.dumps(document)
    return RestRow(id_, PREDICT, source, body, status=400, error=error)


def _echo(inputs: Any, key: str = "inputs") -> dict[str, Any]:
    return {"signature_name": "echo", key: inputs}


def _of_type(value: Any, kind: str, wanted: Any) -> re.Pattern[str]:
    return _has(f"JSON Value: {value} Type: {kind} is not of expected type: {wanted}")


TYPES = [
    _refused(
        "a bool is no float", '{"instances": [[true, 2.0]]}', _of_type("true", "True", "float")
    ),
    _refused("null is no float", '{"instances": [[null, 2.0]]}', _of_type("null", "Null", "float")),
    _refused("text is no float", '{"instances": [["a", 2.0]]}', _of_type('"a"', "String", "float")),
    _refused(
        "an object is no float",
        '{"inputs": [[{"a": 1}, 2.0]]}',
        re.compile("Type: Object is not of expected type: float"),
    ),
    _refused("a number is no bool", _echo(ECHO | {"b": [1]}), _of_type("1", "Number", "bool")),
    _refused("a number is no text", _echo(ECHO | {"s": [1]}), _of_type("1", "Number", "string")),
    _refused(
        "a fraction is no integer", _echo(ECHO | {"i": [1.5]}), _of_type("1.5", "Number", "int32")
    ),
    _refused(
        "a whole number with a decimal point is no integer",
        _echo(ECHO | {"i": [1.0]}),
        _of_type("1.0", "Number", "int32"),
    ),
    _refused(
        "an integer beyond its dtype is none",
        _echo(ECHO | {"i": [2**31]}),
        _of_type("2147483648", "Number", "int32"),
    ),
    _refused(
        "a whole number that a float cannot hold loses precision",
        '{"instances": [[16777217, 2.5]]}',
        "Failed to process element: 0 of 'instances' list. Error: INVALID_ARGUMENT: "
        "Cannot convert JSON value: 16777217 to float without loss of precision.",
    ),
    _refused(
        "a float that is too large loses precision",
        '{"instances": [[1e39, 2.0]]}',
        _has("Cannot convert JSON value: 1e+39 to float without loss of precision."),
    ),
]
SHAPES = [
    _refused(
        "rows of unequal length are refused",
        '{"instances": [[1.0, 2.0], [1.0]]}',
        "Failed to process element: 1 of 'instances' list. Error: INVALID_ARGUMENT: "
        "Expecting tensor size: 2 but got: 1",
    ),
    _refused(
        "rows of unequal shape are refused",
        '{"instances": [[1.0, 2.0], [[1.0, 2.0]]]}',
        "Failed to process element: 1 of 'instances' list. Error: INVALID_ARGUMENT: "
        "Expecting shape [2] but got: [1,2]",
    ),
    _refused(
        "columns of unequal length are refused",
        '{"inputs": [[1.0, 2.0], [1.0]]}',
        "Encountered list at unexpected size: 1 at level: 1 expected size: 2",
    ),
    _refused(
        "a number among lists is at the wrong level",
        '{"inputs": [[1.0, 2.0], 3.0]}',
        "JSON Value: 3.0 found at incorrect level: 2 in the JSON DOM. Expected at level: 2",
    ),
    _refused(
        "a list among numbers is at the wrong level",
        '{"inputs": [1.0, [2.0]]}',
        "Encountered list at unexpected level: 1 expected < 1",
    ),
]
NAMES = [
    _refused(
        "an input that is not there is named",
        _echo({"i": [1]}),
        re.compile("^Missing named input: [bs] in 'inputs' object.$"),
    ),
    _refused(
        "a plain value for several inputs is refused",
        _echo([1]),
        "inputs is a plain value/list, but expecting an object as multiple input tensors "
        "required as per tensorinfo_map",
    ),
    _refused(
        "a plain list for several inputs is refused",
        _echo([1], "instances"),
        "instances is a plain list, but expecting list of objects as multiple input tensors "
        "required as per tensorinfo_map",
    ),
    _refused(
        "a row without all names is refused",
        _echo([{"i": 1}], "instances"),
        _has("keys must be equal to: b,i,s"),
    ),
    _refused(
        "a row with another name is refused",
        '{"instances": [{"x": [1, 2], "z": 3}]}',
        "Failed to process element: 0 key: z of 'instances' list. Error: INVALID_ARGUMENT: JSON "
        "object: does not have named input: z",
    ),
    _refused(
        "a list after objects is refused",
        '{"instances": [{"x": [1, 2]}, [1, 2]]}',
        "Expecting object but got list at item 1 of input list",
    ),
    _refused(
        "an object after lists is refused",
        '{"instances": [[1, 2], {"x": [1, 2]}]}',
        "Expecting value/list but got object at item 1 of input list",
    ),
]
BYTES = [
    _refused(
        "b64 beside another key is no base64",
        _echo(ECHO | {"s": [{"b64": "", "x": 1}]}),
        _has("not formatted correctly for base64 data"),
    ),
    _refused(
        "b64 that is no text is no base64",
        _echo(ECHO | {"s": [{"b64": 1}]}),
        _has("not formatted correctly for base64 data"),
    ),
    _refused(
        "b64 that does not decode is refused",
        _echo(ECHO | {"s": [{"b64": "?"}]}),
        _has("Unable to base64 decode"),
    ),
    _refused(
        "bytes are no float",
        '{"inputs": [[{"b64": "AAAA"}, 1.0]]}',
        re.compile("Type: Object is not of expected type: float"),
    ),
]
ROWS = [*TYPES, *SHAPES, *NAMES, *BYTES]
