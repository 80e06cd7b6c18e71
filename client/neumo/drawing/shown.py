"""What a picture or a page shows of an answer: ``neumo.results`` fits, and is not imported.

A prediction draws itself in Jupyter, so the drawing must not know the prediction's module.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np
import numpy.typing as npt

from neumo.cautions import Caution


class ShownMember(Protocol):
    """One CNN's part of an answer."""

    @property
    def model(self) -> str:
        """Its servable's name."""

    @property
    def probability(self) -> float:
        """Its probability of PNEUMONIA."""


class ShownPrediction(Protocol):
    """An answer; its fields are those of ``neumo.Prediction``."""

    @property
    def label(self) -> str:
        """NORMAL or PNEUMONIA."""

    @property
    def probability(self) -> float:
        """The mean of the members' probabilities."""

    @property
    def threshold(self) -> float:
        """What it is compared with."""

    @property
    def release(self) -> int:
        """The release that answered."""

    @property
    def unanimous(self) -> bool:
        """Whether all members fall on the label's side."""

    @property
    def members(self) -> Sequence[ShownMember]:
        """Each CNN's part."""

    @property
    def warnings(self) -> Sequence[Caution]:
        """What a reader should know."""


class ShownExplanation(Protocol):
    """An answer with its heat map; its fields are those of ``neumo.Explanation``."""

    @property
    def prediction(self) -> ShownPrediction:
        """The answer."""

    @property
    def heatmap(self) -> npt.NDArray[np.float32]:
        """float32 [256, 256] in [0, 1]."""

    @property
    def film(self) -> npt.NDArray[np.uint8]:
        """uint8 [256, 256], as it was sent."""

    @property
    def heat_in_lungs(self) -> float | None:
        """The share of the heat inside the lungs, where both are known."""
