"""How answers draw themselves in Jupyter: HTML that needs no other file and no other package.

Every text is escaped, so a name or a warning is never taken for markup.
"""

from __future__ import annotations

import base64
import io
from dataclasses import dataclass
from html import escape

import numpy as np
from PIL import Image

from neumo import picture
from neumo.ensemble import Explanation, Prediction
from neumo.release import Manifest

_SIDE_PX = 384
_NOT_A_DIAGNOSIS = "Research use, not a diagnosis."
_HEAT = "Bright colours: what moved the score, which need not be disease."
_CELL = 'style="text-align: left; padding: 2px 16px 2px 0"'


def prediction(answer: Prediction) -> str:
    """``answer`` as HTML: the label, the probability beside its threshold, each member."""
    return f"<div>{_summary(answer)}<p><em>{_NOT_A_DIAGNOSIS}</em></p></div>"


def explanation(answer: Explanation) -> str:
    """``answer`` as HTML: its prediction, the film, and the film under the heat map."""
    film = Image.fromarray(answer.film).resize((_SIDE_PX, _SIDE_PX), Image.Resampling.BICUBIC)
    pictures = _image(film, "the film") + _image(
        picture.heated(film, answer.heatmap), "the film under the heat map"
    )
    heat = answer.heat_in_lungs
    lungs = "" if heat is None else f"<p>{heat:.0%} of the heat lies in the lungs.</p>"
    notes = f"<p><em>{_NOT_A_DIAGNOSIS} {_HEAT}</em></p>"
    return f"<div>{_summary(answer.prediction)}{pictures}{lungs}{notes}</div>"


def _summary(answer: Prediction) -> str:
    sides = "the members agree" if answer.unanimous else "the members disagree"
    rows = [
        _row("probability of pneumonia", f"{answer.probability:.4f}"),
        _row("threshold", f"{answer.threshold:.4f}"),
        *(_row(f"{m.model} alone", f"{m.probability:.4f}") for m in answer.members),
        _row("release", f"{answer.release}, {sides}"),
    ]
    notes = "".join(f"<li>{escape(caution.text)}</li>" for caution in answer.warnings)
    return (
        f"<p><strong>{escape(answer.label)}</strong></p>"
        f"<table><tbody>{''.join(rows)}</tbody></table>" + (f"<ul>{notes}</ul>" if notes else "")
    )


def _row(name: str, value: str) -> str:
    return f'<tr><th scope="row" {_CELL}>{escape(name)}</th><td {_CELL}>{escape(value)}</td></tr>'


def _image(image: Image.Image, name: str) -> str:
    held = io.BytesIO()
    image.save(held, "PNG")
    data = base64.b64encode(held.getvalue()).decode("ascii")
    return (
        f'<img src="data:image/png;base64,{data}" alt="{escape(name)}" '
        f'width="{_SIDE_PX}" height="{_SIDE_PX}" style="display: inline; margin: 0 8px 0 0">'
    )


@dataclass(frozen=True, slots=True)
class RocCurve:
    """A release's ROC curve with its threshold marked; Jupyter draws it.

    ``fpr`` and ``tpr`` are the rates at each of ``thresholds``, out of fold; ``threshold`` is
    the one that the release decides by.
    """

    release: int
    fpr: tuple[float, ...]
    tpr: tuple[float, ...]
    thresholds: tuple[float, ...]
    threshold: float

    @classmethod
    def of(cls, manifest: Manifest) -> RocCurve:
        """The curve in ``manifest``, such as ``neumo.release.newest(folder)`` reads."""
        fpr, tpr, thresholds = (tuple(manifest.roc[name]) for name in ("fpr", "tpr", "threshold"))
        return cls(manifest.release, fpr, tpr, thresholds, manifest.threshold)

    @property
    def area(self) -> float:
        """The area under the curve, by the trapezoidal rule."""
        return float(np.sum(np.diff(self.fpr) * (np.array(self.tpr[1:]) + self.tpr[:-1]) / 2))

    @property
    def sensitivity(self) -> float:
        """Of the films with pneumonia, the part above the threshold."""
        return self.tpr[self._chosen()]

    @property
    def specificity(self) -> float:
        """Of the normal films, the part not above the threshold."""
        return 1.0 - self.fpr[self._chosen()]

    def _chosen(self) -> int:
        """The last point whose threshold is above the release's: what lies above that one."""
        return max(i for i, value in enumerate(self.thresholds) if i == 0 or value > self.threshold)

    def _repr_html_(self) -> str:
        side, x, y = _SIDE_PX, 1.0 - self.specificity, self.sensitivity
        line = " ".join(
            f"{side * f:.1f},{side * (1 - t):.1f}" for f, t in zip(self.fpr, self.tpr, strict=True)
        )
        caption = (
            f"ROC of release {self.release}, out of fold: area {self.area:.3f}. At the threshold "
            f"{self.threshold:.3f}: sensitivity {y:.3f}, specificity {self.specificity:.3f}."
        )
        return f"""<div>
<svg viewBox="-44 -12 {side + 60} {side + 60}" width="{side + 60}" role="img"
 aria-label="{caption}" font-family="sans-serif" font-size="13" fill="currentColor">
<rect width="{side}" height="{side}" fill="none" stroke="currentColor" opacity="0.4"/>
<path d="M0 {side}L{side} 0" stroke="currentColor" stroke-dasharray="4 4" opacity="0.4"/>
<polyline points="{line}" fill="none" stroke="#0b86a0" stroke-width="2.5"/>
<circle cx="{side * x:.1f}" cy="{side * (1 - y):.1f}" r="6" fill="#d2691e"/>
<text x="{side * x + 12:.1f}" y="{side * (1 - y) + 18:.1f}">threshold {self.threshold:.3f}</text>
<text x="{side / 2}" y="{side + 36}" text-anchor="middle">1 - specificity</text>
<text transform="translate(-28 {side / 2}) rotate(-90)" text-anchor="middle">sensitivity</text>
<text y="{side + 18}">0</text><text x="{side}" y="{side + 18}" text-anchor="middle">1</text>
<text x="-14" y="{side}">0</text><text x="-14" y="10">1</text>
</svg><p>{caption}</p></div>"""
