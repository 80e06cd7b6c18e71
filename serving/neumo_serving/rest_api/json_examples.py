"""A classify or regress request's JSON to examples, by TensorFlow Serving's rules and texts.

Upstream: ``util/json_tensor.cc``.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from tensorflow.core.example import example_pb2
from tensorflow_serving.apis import input_pb2

from neumo_serving.request_faults import Fault, invalid
from neumo_serving.rest_api.json_text import pairs
from neumo_serving.rest_api.json_to_tensor import from_base64, is_base64, json_type, shown
from neumo_serving.rest_api.predict_json import Document

CONTEXT = "context"
EXAMPLES = "examples"

_LARGEST_FLOAT = float(np.finfo(np.float32).max)
_INT64 = np.iinfo(np.int64)
_LARGEST_UINT64 = int(np.iinfo(np.uint64).max)
_KINDS = {"bytes_list": "bytes", "float_list": "float", "int64_list": "int64"}


def read(document: Document) -> Any:
    """The ``Input`` with the document's examples and their context; raises ``Fault``."""
    message = input_pb2.Input()
    members = document.members
    examples = message.example_list.examples
    if CONTEXT in members:
        examples = message.example_list_with_context.examples
        context = message.example_list_with_context.context
        context.CopyFrom(_example(members[CONTEXT]))
    examples.extend(_example(one) for one in _list(members))
    return message


def _list(members: Any) -> list[Any]:
    examples = members.get(EXAMPLES)
    if EXAMPLES not in members:
        # Upstream says classify also where it is regress.
        text = f"When method is classify, key '{EXAMPLES}' is expected and was not found"
    elif not isinstance(examples, list):
        text = f"Expecting '{EXAMPLES}' value to be an list/array"
    elif not examples:
        text = f"'{EXAMPLES}' value is an empty array"
    else:
        return examples
    raise invalid(f"JSON Value: {shown(members)} {text}")


def _example(value: Any) -> Any:
    if not isinstance(value, dict):
        raise invalid(f"Example must be JSON object but got JSON {json_type(value)}")
    example = example_pb2.Example()
    for name, content in pairs(value):
        feature = example.features.feature[name]
        # Of equal keys the last counts here, though all of them must be right.
        feature.Clear()
        for one in content if isinstance(content, list) else [content]:
            _add(feature, name, one)
    return example


def _add(feature: Any, name: str, value: Any) -> None:
    """Add one value to a feature, whose first value says of which kind all are."""
    kind, converted = _converted(name, value)
    known = feature.WhichOneof("kind")
    if known not in (None, kind):
        raise invalid(f"Unexpected element type in feature: {name} expecting type: {_KINDS[known]}")
    getattr(feature, kind).value.append(converted)


def _converted(name: str, value: Any) -> tuple[str, Any]:
    if isinstance(value, str):
        # JSON may escape half a surrogate pair, which is no UTF-8; C++ keeps its bytes.
        return "bytes_list", value.encode("utf-8", "surrogatepass")
    if is_base64(value):
        return "bytes_list", from_base64(value)
    # Before int: a bool is one in Python.
    if isinstance(value, bool):
        return "int64_list", int(value)
    if isinstance(value, int) and _INT64.min <= value <= _LARGEST_UINT64:
        if value > _INT64.max:
            text = f"Feature: {name} has uint64 element. Only int64 is supported."
            raise invalid(text)
        return "int64_list", value
    if isinstance(value, int | float):
        return "float_list", _float(value)
    raise _unexpected(name, value)


def _float(value: int | float) -> float:
    """A number as a 32-bit float; a whole one beyond 64 bits is a float to upstream's parser."""
    finite = isinstance(value, int) or math.isfinite(value)
    if finite and abs(value) > _LARGEST_FLOAT:
        raise invalid(
            f"Cannot convert JSON value: {shown(value)} to float without loss of precision."
        )
    return float(value)


def _unexpected(name: str, value: Any) -> Fault:
    return invalid(f"Feature: {name} has element with unexpected JSON type: {json_type(value)}")
