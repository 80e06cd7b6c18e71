"""The shapes of the answers, for the OpenAPI document.

Their names are public in it, and the SDK's where a shape is the JSON of one of its results.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from neumo_serving.gateway import problems

Probability = Annotated[float, Field(ge=0, le=1)]
Whole = Annotated[int, Field(ge=0)]
Coordinate = Annotated[int, Field(ge=0, le=256)]


class _Exact(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Problem(_Exact):
    """RFC 9457: what went wrong. ``type`` is stable and is what programs should look at."""

    # Taken from the table, so that the document cannot lag behind it.
    type: Literal[(problems.BLANK, *problems.TYPES)]  # type: ignore[valid-type]
    title: str
    status: Annotated[int, Field(ge=400, le=599)]
    detail: str = Field(description="One line in English that says what to do.")


class Member(_Exact):
    """One CNN's answer."""

    model: str
    version: Whole
    probability: Probability


class Warning_(_Exact):  # noqa: N801 - Warning is Python's own
    """Something a reader of the prediction should know: a stable code and a sentence."""

    # The underscore is for Python alone.
    model_config = ConfigDict(extra="forbid", title="Warning")
    code: str
    text: str


class Prediction(_Exact):
    """The ensemble's answer about one film. Research use, not a diagnosis."""

    label: Literal["NORMAL", "PNEUMONIA"]
    probability: Probability = Field(description="Of pneumonia: the mean of the members'.")
    threshold: Probability = Field(description="PNEUMONIA where the probability is above it.")
    release: Whole
    unanimous: bool
    screened: bool = Field(
        description="Whether a model looked if this is a chest radiograph at all."
    )
    members: list[Member]
    warnings: list[Warning_]
    seconds: Annotated[float, Field(ge=0)]


class Result(_Exact):
    """What came of one film: a prediction or a problem, the other is null."""

    index: Whole = Field(description="The film's place in the request, from 0.")
    prediction: Prediction | None
    problem: Problem | None


class Predictions(_Exact):
    """What came of each film, in order."""

    results: Annotated[list[Result], Field(min_length=1)]


class HeatMap(_Exact):
    """What moved the score, which need not be disease: 0 to 1 in the frame of 256 x 256."""

    png: str = Field(description="Base64 of a greyscale PNG of 256 x 256 pixels.")
    values: Annotated[
        list[Annotated[list[Probability], Field(min_length=256, max_length=256)]],
        Field(min_length=256, max_length=256, description="Rows from the top."),
    ]


class Lungs(_Exact):
    """The lungs' outlines in the frame of 256 x 256: corners [x, y], closed; holes run back."""

    contours: list[list[Annotated[list[Coordinate], Field(min_length=2, max_length=2)]]]


class Film(_Exact):
    """The film as the models saw it, and the size of the original."""

    png: str = Field(description="Base64 of a greyscale PNG of 256 x 256 pixels.")
    width_px: Annotated[int, Field(ge=1)]
    height_px: Annotated[int, Field(ge=1)]


class Explanation(_Exact):
    """A prediction, and where the members looked."""

    prediction: Prediction
    lungs: Lungs | None = Field(description="Null where the release finds no lungs.")
    heat_in_lungs: Probability | None
    film: Film
    heatmap: HeatMap


class Version(_Exact):
    """One version of a model, as TensorFlow Serving tells of it."""

    version: Whole
    state: Literal["UNKNOWN", "START", "LOADING", "AVAILABLE", "UNLOADING", "END"]
    ready: bool
    error: str


class Model(_Exact):
    """A model and its versions, newest first."""

    model: str
    versions: list[Version]


class Accepted(_Exact):
    """How much one request may bring."""

    max_films: Whole
    max_film_bytes: Whole
    max_request_bytes: Whole


class Status(_Exact):
    """What is served: ``release`` is the newest that every member can answer from."""

    ready: bool
    release: Whole | None
    models: list[Model]
    limits: Accepted


class Health(_Exact):
    """It is there."""

    status: Literal["ok"]
