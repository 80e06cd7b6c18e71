"""Everything that can go wrong, as RFC 9457 has it, and the one table from the SDK's errors.

No detail quotes a file's name or an address behind the gateway.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from http import HTTPStatus

from starlette.responses import Response

import neumo

MEDIA_TYPE = "application/problem+json"
URN = "urn:neumo:problem:"
BLANK = "about:blank"
"""RFC 9457's type of a problem that says no more than its HTTP status."""

SOON_S = 1
LATER_S = 5

TOO_LATE = "the models did not answer in time: try again"
TELL_OPERATOR = "tell whoever runs the gateway"


@dataclass(frozen=True, slots=True)
class Problem:
    """What is answered instead of what was asked for; ``headers`` go with it."""

    type: str
    title: str
    status: int
    detail: str
    headers: dict[str, str] = field(default_factory=dict)

    def document(self) -> dict[str, object]:
        """The problem's JSON."""
        return {
            "type": self.type,
            "title": self.title,
            "status": self.status,
            "detail": self.detail,
        }


class Refusal(Exception):  # noqa: N818 - not every refusal is an error of ours
    """Ends a request with a problem."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.type)
        self.problem = problem


_KINDS: dict[str, tuple[int, str]] = {
    "image": (422, "The film cannot be read"),
    "not-a-chest": (422, "Not a frontal chest radiograph"),
    "too-large": (413, "Too large"),
    "too-many": (422, "Too many films"),
    "media-type": (415, "Not a type of film"),
    "bad-request": (400, "The request cannot be understood"),
    "unauthorized": (401, "No valid token"),
    "sign-in": (401, "Not signed in"),
    "rate-limit": (429, "Too many requests from this client"),
    "busy": (429, "The gateway is busy"),
    "unavailable": (503, "The models are not available"),
    "deadline": (504, "Not answered in time"),
    "contract": (502, "The models are not the ones that this gateway understands"),
    "release-mismatch": (503, "The models have no release in common"),
    "internal": (500, "A fault of the gateway"),
}
NOT_A_CHEST = URN + "not-a-chest"
TYPES = tuple(URN + name for name in _KINDS)
STATUSES = {name: status for name, (status, _) in _KINDS.items()}

_OF_ERRORS: tuple[tuple[type[neumo.NeumoError], str, str], ...] = (
    (neumo.NotAChestRadiograph, "not-a-chest", "no frontal chest radiograph: check the film"),
    (neumo.ImageError, "image", ""),
    (neumo.DeadlineExceeded, "deadline", TOO_LATE),
    (neumo.ReleaseMismatch, "release-mismatch", "releases are being changed: try again soon"),
    (neumo.ContractError, "contract", f"{TELL_OPERATOR}: neumo status says more"),
    (neumo.InvalidRequest, "contract", f"the model server refused: {TELL_OPERATOR}"),
    (neumo.BadResponse, "contract", f"the answer is not a model's: {TELL_OPERATOR}"),
    (neumo.ServingError, "unavailable", "the model server does not answer: try again soon"),
    (neumo.ConfigError, "unavailable", "the gateway is shutting down: try again"),
)
"""The first that fits; an image's own text is its detail, as it holds nothing of the file."""


def make(name: str, detail: str, *, status: int | None = None, retry_s: int = 0) -> Problem:
    """The problem of the kind ``name``; 429 and 503 always carry Retry-After."""
    usual, title = _KINDS[name]
    status = status or usual
    if status in {429, 503}:
        retry_s = retry_s or LATER_S
    headers = {"Retry-After": str(retry_s)} if retry_s else {}
    # RFC 9110 wants it with every 401.
    if status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    return Problem(URN + name, title, status, detail, headers)


def refusal(name: str, detail: str, *, status: int | None = None, retry_s: int = 0) -> Refusal:
    """``make``, to be raised."""
    return Refusal(make(name, detail, status=status, retry_s=retry_s))


def plain(status: int, detail: str, headers: dict[str, str] | None = None) -> Problem:
    """A problem that says no more than its HTTP ``status``."""
    return Problem(BLANK, HTTPStatus(status).phrase, status, detail, headers or {})


def of(error: neumo.NeumoError) -> Problem:
    """The problem that an error of the SDK is to a client."""
    for kind, name, detail in _OF_ERRORS:
        if isinstance(error, kind):
            # One line, whatever the image's own text is.
            return make(name, detail or " ".join(str(error).split()))
    return make("internal", TELL_OPERATOR)


def response(problem: Problem) -> Response:
    """The answer that carries ``problem``."""
    content = json.dumps(problem.document())
    return Response(content, problem.status, problem.headers, media_type=MEDIA_TYPE)
