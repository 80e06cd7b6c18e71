"""How answers draw themselves in Jupyter: HTML that needs no other file and no other package.

Every text is escaped, so a name or a warning is never taken for markup.
"""

from __future__ import annotations

import base64
import io
from html import escape

from PIL import Image

from neumo.drawing import heatmap_picture
from neumo.drawing.shown import ShownExplanation, ShownPrediction

_SIDE_PX = 384
_NOT_A_DIAGNOSIS = "Research use, not a diagnosis."
_HEAT = "Bright colours: what moved the score, which need not be disease."
_CELL = 'style="text-align: left; padding: 2px 16px 2px 0"'


def prediction(answer: ShownPrediction) -> str:
    """``answer`` as HTML: the label, the probability beside its threshold, each member."""
    return f"<div>{_summary(answer)}<p><em>{_NOT_A_DIAGNOSIS}</em></p></div>"


def explanation(answer: ShownExplanation) -> str:
    """``answer`` as HTML: its prediction, the film, and the film under the heat map."""
    film = Image.fromarray(answer.film).resize((_SIDE_PX, _SIDE_PX), Image.Resampling.BICUBIC)
    pictures = _image(film, "the film") + _image(
        heatmap_picture.heated(film, answer.heatmap), "the film under the heat map"
    )
    heat = answer.heat_in_lungs
    lungs = "" if heat is None else f"<p>{heat:.0%} of the heat lies in the lungs.</p>"
    notes = f"<p><em>{_NOT_A_DIAGNOSIS} {_HEAT}</em></p>"
    return f"<div>{_summary(answer.prediction)}{pictures}{lungs}{notes}</div>"


def _summary(answer: ShownPrediction) -> str:
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
