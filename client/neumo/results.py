"""What a client answers: predictions and explanations, as plain data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from neumo import contract
from neumo.cautions import Caution
from neumo.contract import Label


@dataclass(frozen=True, slots=True)
class Member:
    """One CNN's answer: its probability of PNEUMONIA, and the seconds its call took."""

    model: str
    version: int
    probability: float
    seconds: float


@dataclass(frozen=True, slots=True)
class Timings:
    """Where the time of a prediction went, in seconds.

    ``decode_seconds`` reading the film and bringing it to 256 x 256; ``encode_seconds`` making
    the requests; ``wire_seconds``, by model, from sending its request to its answer read. Films
    that were sent as one batch share the last two.
    """

    decode_seconds: float
    encode_seconds: float
    wire_seconds: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Prediction:
    """The ensemble's answer about one film.

    ``probability`` (of PNEUMONIA) is the mean of the members'; ``label`` is PNEUMONIA where it
    is strictly above ``threshold``, which travels with the weights of ``release``.
    ``unanimous`` says whether every member alone falls on the label's side of the threshold.
    ``seconds`` is the time from the call to the answer, reading the image included.
    ``screened`` says whether ``lungs`` looked whether the film is a chest radiograph; where it
    did not, the warnings say so. Of several films, ``source_index`` is the source's place, from
    0, and ``source`` its path where it is one; neither text nor JSON shows that. ``request_id``
    went with each of its calls, as ``x-request-id``; films that were sent as one batch share it.
    """

    label: Label
    probability: float
    threshold: float
    release: int
    unanimous: bool
    members: tuple[Member, ...]
    warnings: tuple[Caution, ...]
    seconds: float
    timings: Timings
    screened: bool = False
    source_index: int = 0
    source: Path | None = field(default=None, repr=False, compare=False)
    request_id: str = field(default="", compare=False)

    def to_dict(self) -> dict[str, Any]:
        """It as JSON takes it: lists and dictionaries of numbers and texts."""
        return {
            "source_index": self.source_index,
            "label": self.label,
            "probability": self.probability,
            "threshold": self.threshold,
            "release": self.release,
            "unanimous": self.unanimous,
            "screened": self.screened,
            "members": [asdict(member) for member in self.members],
            "warnings": [asdict(caution) for caution in self.warnings],
            "seconds": self.seconds,
            "timings": {
                "decode_seconds": self.timings.decode_seconds,
                "encode_seconds": self.timings.encode_seconds,
                "wire_seconds": dict(self.timings.wire_seconds),
            },
            "request_id": self.request_id,
        }

    def _repr_html_(self) -> str:
        """What Jupyter shows."""
        from neumo.drawing import jupyter_html  # noqa: PLC0415 - only notebooks need it

        return jupyter_html.prediction(self)


@dataclass(frozen=True, slots=True)
class Explanation:
    """A prediction, and where the members looked.

    ``heatmap`` is float32 [256, 256] in [0, 1], the mean of the members' Grad-CAMs in the frame
    of ``film``, the uint8 [256, 256] image that was sent. It shows what moved the score, which
    need not be disease. ``lungs`` is uint8 [256, 256], 1 inside the lungs, or None where the
    release has no ``lungs``. ``width_px`` and ``height_px`` are the original's, upright.
    """

    prediction: Prediction
    heatmap: npt.NDArray[np.float32]
    film: npt.NDArray[np.uint8]
    lungs: npt.NDArray[np.uint8] | None = None
    width_px: int = contract.IMAGE_SIZE_PX
    height_px: int = contract.IMAGE_SIZE_PX

    @property
    def heat_in_lungs(self) -> float | None:
        """How much of the heat lies in the lungs, 0 to 1; None without heat, or without lungs."""
        total = float(self.heatmap.sum())
        if self.lungs is None or total == 0.0:
            return None
        return float(self.heatmap[self.lungs == 1].sum()) / total

    def to_dict(self) -> dict[str, Any]:
        """It as JSON takes it; pictures are lists of rows."""
        return {
            "prediction": self.prediction.to_dict(),
            "heatmap": self.heatmap.tolist(),
            "film": self.film.tolist(),
            "lungs": None if self.lungs is None else self.lungs.tolist(),
            "heat_in_lungs": self.heat_in_lungs,
            "width_px": self.width_px,
            "height_px": self.height_px,
        }

    def _repr_html_(self) -> str:
        """What Jupyter shows."""
        from neumo.drawing import jupyter_html  # noqa: PLC0415 - only notebooks need it

        return jupyter_html.explanation(self)
