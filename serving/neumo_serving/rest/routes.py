"""The paths of the REST API, and what is done for each.

Upstream: ``model_servers/http_rest_api_handler.cc``.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any

from google.protobuf import json_format

from neumo_serving import description
from neumo_serving.engine import faults, inference
from neumo_serving.engine.faults import Fault, invalid
from neumo_serving.engine.inference import Question
from neumo_serving.engine.lifecycle import Models
from neumo_serving.rest import answers, requests

MAX_VERSION = 2**63 - 1

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
    pattern = {"POST": _ASK, "GET": _TELL}.get(method)
    match = pattern.fullmatch(path) if pattern else None
    if match is None:
        raise invalid(f"Malformed request: {method} {path}")
    if match["model"] is None:
        raise invalid("Missing model name in request.")
    version = int(match["version"]) if match["version"] else None
    if version is not None and version > MAX_VERSION:
        raise invalid(f"Failed to convert version: {match['version']} to numeric.")
    verb = (match["verb"] or "status").lower()
    return Route(verb, match["model"], version, match["label"])


def answer(models: Models, route: Route, body: bytes) -> bytes:
    """The JSON answer; raises ``Fault``."""
    if route.verb == "predict":
        return _predict(models, route, body)
    if route.verb == "metadata":
        return _metadata(models, route)
    if route.verb == "status":
        return _status(models, route)
    raise Fault(faults.UNIMPLEMENTED, f"neumo serve has no {route.verb}; use predict")


def _predict(models: Models, route: Route, body: bytes) -> bytes:
    with models.named(route.model).acquire(route.version, route.label) as (_, model):
        asked = requests.parse(body)
        question = Question(asked.signature, requests.arrays(asked, model.signatures))
        outputs = inference.predict(model, question)
    return answers.answer(outputs, asked.is_row)


def _status(models: Models, route: Route) -> bytes:
    """A label in the path is ignored here, as upstream ignores it."""
    message = description.status(models, route.model, route.version, None)
    return _dumped(_plain(message))


def _metadata(models: Models, route: Route) -> bytes:
    with models.named(route.model).acquire(route.version, route.label) as (number, model):
        signatures = description.signatures(model)
    spec = {"name": route.model, "signature_name": "", "version": str(number)}
    return _dumped(
        {
            "model_spec": spec,
            "metadata": {
                description.SIGNATURE_FIELD: {"signature_def": _plain(signatures)["signature_def"]}
            },
        }
    )


def _plain(message: Any) -> dict[str, Any]:
    found: dict[str, Any] = json_format.MessageToDict(
        message, preserving_proto_field_name=True, always_print_fields_with_no_presence=True
    )
    return found


def _dumped(document: dict[str, Any]) -> bytes:
    return (json.dumps(document, indent=1) + "\n").encode()
