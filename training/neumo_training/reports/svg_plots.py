"""Figures as SVG: the same text for the same figure, so that a report can be compared."""

from __future__ import annotations

import io

import matplotlib as mpl
from matplotlib.figure import Figure


def svg(figure: Figure) -> str:
    """``figure`` as an SVG file; its letters are drawn, so that no font is needed."""
    held = io.StringIO()
    # Without a salt identifiers are random; without the None a date is written.
    with mpl.rc_context({"svg.hashsalt": "neumo", "svg.fonttype": "path"}):
        figure.savefig(held, format="svg", metadata={"Date": None})
    return held.getvalue()
