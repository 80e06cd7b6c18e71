"""The page for people: files of the package, read once, told apart by their content.

By hand, as Starlette's static files have tags of a file's time, which differs between replicas.
"""

from __future__ import annotations

import mimetypes
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

FOLDER = Path(__file__).parent / "page"
INDEX = "index.html"
_TYPES = {".js": "text/javascript", ".css": "text/css", ".html": "text/html"}
"""Named here: a system's table may call scripts text/plain, which nosniff forbids to run."""
_CACHE = {"Cache-Control": "no-cache"}
"""Browsers keep it, and ask each time whether it has changed."""


@dataclass(frozen=True, slots=True)
class Page:
    """One file."""

    content: bytes
    media_type: str
    etag: str


def read(folder: Path = FOLDER) -> dict[str, Page]:
    """The files in ``folder``, by their path below it."""
    return {
        path.relative_to(folder).as_posix(): _page(path)
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def answer(pages: dict[str, Page], name: str, request: Request) -> Response:
    """The file called ``name``, or 304 where the browser has it; 404 where there is none."""
    page = pages.get(name)
    if page is None:
        raise HTTPException(404)
    headers = {**_CACHE, "ETag": page.etag}
    # A proxy that packs an answer makes its tag a weak one.
    known = {tag.strip() for tag in request.headers.get("if-none-match", "").split(",")}
    if known & {page.etag, f"W/{page.etag}", "*"}:
        return Response(status_code=304, headers=headers)
    return Response(page.content, headers=headers, media_type=page.media_type)


def _page(path: Path) -> Page:
    content = path.read_bytes()
    guessed = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
    etag = f'"{sha256(content).hexdigest()[:32]}"'
    return Page(content, _TYPES.get(path.suffix, guessed), etag)
