"""The films that the ensemble was surest about and wrong, as pictures for the report alone."""

from __future__ import annotations

import base64
import io
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from PIL import Image

from neumo.contract import NORMAL, PNEUMONIA
from neumo.drawing import heatmap_picture
from neumo_training.evaluation.cohort import Cohort
from neumo_training.evaluation.in_process_models import Answers, Pixels

Heat = npt.NDArray[np.float32]

EACH = 4
"""False alarms, and as many overlooked."""
_QUALITY = 85


@dataclass(frozen=True, slots=True)
class Example:
    """One wrong answer: the film beside the film under its heat map, as a data URI."""

    label: str
    called: str
    probability: float
    members: dict[str, float]
    name: str
    picture: str


def rows(answers: Answers, cohort: Cohort) -> npt.NDArray[np.int_]:
    """The films called PNEUMONIA with the highest probability that are not, then the reverse."""
    scores, sick = answers.ensemble, cohort.labels > 0
    called = scores > answers.threshold
    alarms = np.flatnonzero(called & ~sick)
    missed = np.flatnonzero(~called & sick)
    return np.concatenate(
        [
            # Stable: equal scores keep the folder's order on every machine.
            alarms[np.argsort(-scores[alarms], kind="stable")][:EACH],
            missed[np.argsort(scores[missed], kind="stable")][:EACH],
        ]
    )


def draw(
    answers: Answers, cohort: Cohort, chosen: npt.NDArray[np.int_], heat: Heat
) -> tuple[Example, ...]:
    """The films in the rows ``chosen``, with their ``heat``, float32 [chosen, 256, 256]."""
    return tuple(
        Example(
            label=PNEUMONIA if cohort.labels[row] else NORMAL,
            called=NORMAL if cohort.labels[row] else PNEUMONIA,
            probability=float(answers.ensemble[row]),
            members={name: float(scores[row]) for name, scores in answers.members.items()},
            name=str(cohort.table["name"].iloc[row]),
            picture=_side_by_side(cohort.pixels[row], of_film),
        )
        for row, of_film in zip(chosen, heat, strict=True)
    )


def _side_by_side(pixels: Pixels, heat: Heat) -> str:
    film = Image.fromarray(pixels[:, :, 0])
    both = Image.new("RGB", (2 * film.width, film.height))
    both.paste(film.convert("RGB"))
    both.paste(heatmap_picture.heated(film, heat), (film.width, 0))
    content = io.BytesIO()
    both.save(content, "JPEG", quality=_QUALITY)
    return "data:image/jpeg;base64," + base64.b64encode(content.getvalue()).decode()
