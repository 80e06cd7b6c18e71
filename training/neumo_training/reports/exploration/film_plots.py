"""Plots of numbers about films as SVG; none shows a film."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import matplotlib as mpl
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from neumo.contract import NORMAL, PNEUMONIA
from neumo_training.datasets.classes_folder import LABELS
from neumo_training.reports.palette import OF_CLASS
from neumo_training.reports.svg_plots import svg

_WIDTH = 0.4
_BESIDE = ((-_WIDTH / 2, NORMAL), (_WIDTH / 2, PNEUMONIA))
_STYLE: Any = {
    "axes.spines.right": False,
    "axes.spines.top": False,
    "font.size": 9,
}
_BINS = 60


def bars(counts: Mapping[str, Mapping[str, int]]) -> str:
    """Bars of the films in ``counts``, by what is counted and class, side by side."""

    def draw(axes: Axes) -> None:
        for shift, label in _BESIDE:
            places = [place + shift for place in range(len(counts))]
            heights = [by_label.get(label, 0) for by_label in counts.values()]
            drawn = axes.bar(places, heights, _WIDTH, color=OF_CLASS[label], label=label)
            axes.bar_label(drawn, fontsize=7)
        axes.set_xticks(range(len(counts)), list(counts))
        axes.set_ylabel("films")
        axes.legend(frameon=False)

    return _drawn(draw)


def histogram(values: pd.Series[Any], labels: pd.Series[str], xlabel: str) -> str:
    """The share of each class's films over ``values``."""

    def draw(axes: Axes) -> None:
        known = values.dropna()
        # A few films of odd size would squeeze all others into one bar.
        low, high = known.quantile([0.002, 0.998])
        for label in LABELS:
            mine = known[labels == label]
            if mine.empty:
                continue
            axes.hist(
                mine.clip(low, high),
                bins=_BINS,
                range=(low, high),
                density=True,
                alpha=0.55,
                color=OF_CLASS[label],
                label=label,
            )
        axes.set_xlabel(xlabel)
        axes.set_yticks([])
        axes.legend(frameon=False)

    return _drawn(draw)


def scatter(
    x: pd.Series[Any], y: pd.Series[Any], labels: pd.Series[str], names: tuple[str, str]
) -> str:
    """A dot for each film at ``x`` and ``y``, whose ``names`` stand at the axes."""

    def draw(axes: Axes) -> None:
        # The rarer class on top.
        for label in reversed(LABELS):
            mine = labels == label
            axes.scatter(
                x[mine],
                y[mine],
                s=3,
                alpha=0.4,
                color=OF_CLASS[label],
                label=label,
                rasterized=True,
            )
        axes.set_xlabel(names[0])
        axes.set_ylabel(names[1])
        axes.legend(frameon=False, markerscale=3)

    return _drawn(draw)


def per_patient(counts: Mapping[str, Mapping[str, int]]) -> str:
    """How many patients (log scale) have how many films, by class."""

    def draw(axes: Axes) -> None:
        for shift, label in _BESIDE:
            by_films = counts.get(label, {})
            places = [int(films) + shift for films in by_films]
            axes.bar(places, list(by_films.values()), _WIDTH, color=OF_CLASS[label], label=label)
        axes.set_yscale("log")
        axes.set_xlabel("films of one patient")
        axes.set_ylabel("patients")
        axes.legend(frameon=False)

    return _drawn(draw)


def _drawn(draw: Callable[[Axes], None]) -> str:
    with mpl.rc_context(_STYLE):
        figure = Figure(figsize=(7.0, 3.2), layout="constrained")
        draw(figure.add_subplot())
        return svg(figure)
