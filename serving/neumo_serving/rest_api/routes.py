"""The paths of the REST API, and what is done for each.

Upstream: ``model_servers/http_rest_api_handler.cc``.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote_to_bytes

from google.protobuf import json_format

from neumo_serving import request_faults, status_messages
from neumo_serving.engine import classification, inference, regression
from neumo_serving.engine.inference import Question
from neumo_serving.engine.model_manager import Models
from neumo_serving.engine.version_policy import MAX_VERSION
from neumo_serving.monitoring import model_metrics
from neumo_serving.request_faults import Fault, invalid
from neumo_serving.rest_api import json_examples, predict_json, response_json

_ROOT = "/v1/"
TELLING = ("metadata", "status")
"""Verbs that run no model."""
_VERBS = ("predict", "classify", "regress", *TELLING)
_VERSION = r"(?:/(?:versions/(?P<version>\d+)|labels/(?P<label>[^/:]+)))?"
_ASK = re.compile(
    rf"/v1/models/(?P<model>[^/:]+){_VERSION}:(?P<verb>classify|regress|predict)", re.IGNORECASE
)
_TELL = re.compile(
    rf"/v1/models(?:/(?P<model>[^/:]+))?{_VERSION}(?:/(?P<verb>metadata))?", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class Route:
    """What a path asks for: predict, classify, regress, status or metadata of a model."""

    verb: str
    model: str
    version: int | None
    label: str | None


def parse(method: str, path: str) -> Route:
    """The route of a request; raises ``Fault`` for a path outside the grammar."""
    if not path.lower().startswith(_ROOT):
        raise Fault(
            request_faults.NOT_FOUND, f"nothing is served at {path}; the API is below {_ROOT}"
        )
    pattern = {"POST": _ASK, "GET": _TELL}.get(method)
    match = pattern.fullmatch(path) if pattern else None
    # Upstream matches the verb in any case, and then knows it in lower case only.
    verb = (match["verb"] or "status") if match else None
    if match is None or verb not in _VERBS:
        raise invalid(f"Malformed request: {method} {path}")
    if match["model"] is None:
        raise invalid("Missing model name in request.")
    label = match["label"]
    return Route(
        verb,
        _decoded(match["model"]),
        _version(match["version"]),
        None if label is None else _decoded(label),
    )


def _decoded(name: str) -> str:
    """A name in the path, which is cut before it is decoded: %3A and %2F separate nothing."""
    return unquote_to_bytes(name.encode("latin-1", "replace")).decode("utf-8", "replace")


def _version(digits: str | None) -> int | None:
    if digits is None:
        return None
    # By length first: int() refuses thousands of digits in words of its own.
    if len(digits) > len(str(MAX_VERSION)) or int(digits) > MAX_VERSION:
        raise invalid(f"Failed to convert version: {digits} to numeric.")
    return int(digits)


def answer(models: Models, route: Route, body: bytes) -> bytes:
    """The JSON answer; raises ``Fault``."""
    if route.verb == "predict":
        return _predict(models, route, body)
    if route.verb == "metadata":
        return _metadata(models, route)
    if route.verb == "status":
        return _status(models, route)
    return _ask_examples(models, route, body)


def _predict(models: Models, route: Route, body: bytes) -> bytes:
    document = predict_json.parse(body)
    with models.acquire(route.model, route.version, route.label) as (_, model):
        inputs = predict_json.inputs(document, model.signatures)
        with model_metrics.run(route.model, "Predict"):
            outputs = inference.predict(model, Question(document.signature, inputs.arrays))
    return response_json.answer(outputs, inputs.is_row)


def _ask_examples(models: Models, route: Route, body: bytes) -> bytes:
    """Classify or regress."""
    # Before the model is held: examples need no signature to be read, as a predict request does.
    document = predict_json.parse(body)
    message = json_examples.read(document)
    with models.acquire(route.model, route.version, route.label) as (_, model):
        if route.verb == "classify":
            with model_metrics.run(route.model, "Classify"):
                result = classification.classify(model, document.signature, message)
            model_metrics.examples(route.model, len(result.classifications))
            return response_json.classifications(result)
        with model_metrics.run(route.model, "Regress"):
            result = regression.regress(model, document.signature, message)
        model_metrics.examples(route.model, len(result.regressions))
        return response_json.regressions(result)


def _status(models: Models, route: Route) -> bytes:
    """A label in the path is ignored here, as upstream ignores it."""
    message = status_messages.status(models, route.model, route.version)
    return _dumped(_plain(message))


def _metadata(models: Models, route: Route) -> bytes:
    with models.acquire(route.model, route.version, route.label) as (version, model):
        signatures = status_messages.signatures(model)
    spec = {"name": route.model, "signature_name": "", "version": str(version)}
    return _dumped(
        {
            "model_spec": spec,
            "metadata": {
                status_messages.SIGNATURE_FIELD: {
                    "signature_def": _plain(signatures)["signature_def"]
                }
            },
        }
    )


def _plain(message: Any) -> dict[str, Any]:
    plain: dict[str, Any] = json_format.MessageToDict(
        message, preserving_proto_field_name=True, always_print_fields_with_no_presence=True
    )
    return plain


def _dumped(document: dict[str, Any]) -> bytes:
    # Indented by one blank and ended by a line feed, as upstream's JSON writer does it.
    return (json.dumps(document, indent=1) + "\n").encode()
