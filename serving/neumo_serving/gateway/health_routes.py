"""What those who run the gateway ask: is it there, is it ready, what does it do."""

from __future__ import annotations

import json

from starlette.requests import Request
from starlette.responses import Response

from neumo_serving.gateway import answer_json, api_page, state, static_files
from neumo_serving.gateway.film_routes import JSON
from neumo_serving.gateway.problems import SOON_S, refusal


async def status(request: Request) -> Response:
    """Answer ``GET /v1/status``."""
    shared = state.of(request)
    await shared.check(request)
    standing = await shared.readiness.now()
    # A gateway that stops still answers, but should get nothing new.
    is_ready = standing.release is not None and not shared.draining.is_set()
    limits = shared.settings.limits
    content = answer_json.status(is_ready, standing.release, standing.models, limits)
    return Response(content, media_type=JSON)


async def healthz(request: Request) -> Response:  # noqa: ARG001 - whoever asks
    """Answer ``GET /healthz``: the process lives."""
    return _ok()


async def readyz(request: Request) -> Response:
    """Answer ``GET /readyz``: both members of one release answer, and nothing stops."""
    shared = state.of(request)
    if shared.draining.is_set():
        raise refusal("unavailable", "the gateway is shutting down", retry_s=SOON_S)
    if (await shared.readiness.now()).release is None:
        detail = "the members have no ready release in common: neumo status says more"
        raise refusal("unavailable", detail, retry_s=SOON_S)
    return _ok()


async def openapi(request: Request) -> Response:
    """Answer ``GET /openapi.json``."""
    return Response(json.dumps(request.app.openapi()), media_type=JSON)


async def documentation(request: Request) -> Response:
    """Answer ``GET /docs``."""
    return Response(api_page.page(request.app.openapi()), media_type="text/html")


async def documentation_style(request: Request) -> Response:  # noqa: ARG001 - whoever asks
    """Answer ``GET /docs.css``."""
    return Response(api_page.STYLE, media_type="text/css")


async def index(request: Request) -> Response:
    """Answer ``GET /``: the page for people."""
    return static_files.answer(state.of(request).pages, static_files.INDEX, request)


async def page_file(request: Request) -> Response:
    """Answer ``GET /page/...``: a file of the page."""
    return static_files.answer(state.of(request).pages, request.path_params["name"], request)


def _ok() -> Response:
    return Response('{"status": "ok"}', media_type=JSON)
