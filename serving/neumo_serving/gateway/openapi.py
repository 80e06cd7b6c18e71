"""What the OpenAPI document says beyond the routes: bodies, problems, headers, the token."""

from __future__ import annotations

from importlib.metadata import version
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic.json_schema import models_json_schema

from neumo_serving.gateway import problems, schemas, upload_bodies
from neumo_serving.gateway.gateway_settings import Limits, Settings

DESCRIPTION = """Pneumonia in radiographs of children's chests, asked of two neural networks.
Research use, not a diagnosis. Films are kept in memory while they are asked about, and never
stored or logged. Every error is a problem by RFC 9457, whose type is stable."""

_REASONS = {
    400: "The request cannot be understood.",
    401: "No valid token, or not by the proxy that signs users in.",
    403: "Sent by a page of another site.",
    408: "The upload took too long.",
    413: "Too large.",
    415: "A Content-Type, or a Content-Encoding, that is not taken.",
    421: "The Host is not known here.",
    422: "A film that cannot be read or is no frontal chest radiograph, or too many films.",
    429: "No room, or too many requests from this client: come back after Retry-After.",
    500: "A fault of the gateway.",
    502: "The models are not the ones that this gateway understands.",
    503: "The models are not available: come back after Retry-After.",
    504: "The models did not answer in time.",
}
UPLOAD_STATUSES = (400, 401, 403, 408, 413, 415, 421, 422, 429, 500, 502, 503, 504)
_REFERENCE = "#/components/schemas/"
_TOKEN = "token"  # noqa: S105 - the scheme's name


def refusals(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The answers with a problem, for a route."""
    return {status: _refusal(status) for status in statuses}


def upload(limits: Limits, most: int) -> dict[str, Any]:
    """The request body of ``most`` films."""
    film = {"type": "string", "format": "binary"}
    films = {"type": "array", "items": film, "minItems": 1, "maxItems": most}
    form = {
        "type": "object",
        "properties": {"films": films},
        "required": ["films"],
        "additionalProperties": False,
    }
    told = (
        f"At most {most} film(s) of up to {limits.max_film_bytes} bytes, "
        f"{limits.max_request_bytes} bytes in all: DICOM, JPEG, PNG, WebP, TIFF, BMP or GIF."
    )
    content: dict[str, Any] = {upload_bodies.FORM: {"schema": form}}
    content |= {kind: {"schema": film} for kind in upload_bodies.FILM_TYPES}
    return {"requestBody": {"required": True, "description": told, "content": content}}


def document(app: FastAPI, settings: Settings) -> dict[str, Any]:
    """The whole document of ``app``."""
    if app.openapi_schema is None:
        described = get_openapi(
            title="neumo", version=version("neumo"), description=DESCRIPTION, routes=app.routes
        )
        components = described.setdefault("components", {})
        # No route returns a problem as its model, so FastAPI does not know the shape.
        _, definitions = models_json_schema(
            [(schemas.Problem, "serialization")], ref_template=_REFERENCE + "{model}"
        )
        components.setdefault("schemas", {}).update(definitions["$defs"])
        if settings.access.token_digests:
            _want_token(described)
        app.openapi_schema = described
    return app.openapi_schema


def _refusal(status: int) -> dict[str, Any]:
    content = {problems.MEDIA_TYPE: {"schema": {"$ref": f"{_REFERENCE}Problem"}}}
    answer: dict[str, Any] = {"description": _REASONS[status], "content": content}
    if status in {429, 503}:
        seconds = {"type": "integer", "minimum": 1}
        told = "Seconds until it is worth to try again."
        answer["headers"] = {"Retry-After": {"schema": seconds, "description": told}}
        answer["headers"]["Retry-After"]["required"] = True
    return answer


def _want_token(described: dict[str, Any]) -> None:
    described["components"]["securitySchemes"] = {_TOKEN: {"type": "http", "scheme": "bearer"}}
    for path, operations in described["paths"].items():
        if path.startswith("/v1/"):
            for operation in operations.values():
                operation["security"] = [{_TOKEN: []}]
