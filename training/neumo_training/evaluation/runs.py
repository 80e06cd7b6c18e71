"""Runs: films of neighbouring numbers, which share a device and its processing.

New patients come in runs that no training saw, so the worst run tells more of elsewhere than the
mean of all. A run is ``RUN_FILMS`` films of one class and series in a row, by their numbers.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from neumo.contract import NORMAL, PNEUMONIA

Rows = npt.NDArray[np.int_]

RUN_FILMS = {NORMAL: 25, PNEUMONIA: 100}
"""How long a run is that is looked for; the public set has three films of pneumonia to a normal."""
CLUSTER_FILMS = 25
"""How long a run is that a bootstrap draws as a whole."""


@dataclass(frozen=True, slots=True)
class WorstRun:
    """The run of a class in which the fewest are called what they are, and their share.

    It is the films ``first`` to ``last`` (from 1) of the ``of`` films of that class in ``series``:
    places in the order of numbers, since a number tells whose film it is.
    """

    series: str
    first: int
    last: int
    of: int
    share: float


def in_order(table: pd.DataFrame, label: str) -> dict[str, Rows]:
    """The rows of ``table`` with ``label``, by series, in the order of their numbers and names.

    A series whose names tell no numbers is in the order of its names.
    """
    places = table.reset_index(drop=True)
    chosen = places[places["label"] == label].sort_values(["series", "number", "name"])
    return {str(name): rows.index.to_numpy() for name, rows in chosen.groupby("series")}


def worst(right: npt.NDArray[np.bool_], table: pd.DataFrame, label: str) -> WorstRun | None:
    """The worst run of ``label``, ``right`` [n] saying what is called right.

    None where no series is as long as a run.
    """
    size = RUN_FILMS[label]
    runs = []
    for series, rows in in_order(table, label).items():
        if len(rows) >= size:
            of_series = means(right[rows], size)
            at = int(np.argmin(of_series))
            share = float(of_series[at])
            runs.append(WorstRun(series, at + 1, at + size, len(rows), share))
    return min(runs, key=lambda run: run.share, default=None)


def shares(
    right: npt.NDArray[np.bool_], table: pd.DataFrame, label: str
) -> npt.NDArray[np.float64]:
    """The share that is ``right`` in every run of ``label``, of all series, float64 [runs]."""
    size = RUN_FILMS[label]
    known = in_order(table, label).values()
    by_series = [means(right[rows], size) for rows in known if len(rows) >= size]
    return np.concatenate(by_series) if by_series else np.zeros(0)


def means(values: npt.NDArray[np.generic], size: int) -> npt.NDArray[np.float64]:
    """The mean of every ``size`` values in a row, float64 [n - size + 1]."""
    sums = np.cumsum(np.concatenate([[0.0], values.astype(np.float64)]))
    return np.asarray((sums[size:] - sums[:-size]) / size, np.float64)


def clusters(table: pd.DataFrame) -> npt.NDArray[np.str_]:
    """The run of each film, [n]: what a bootstrap over runs draws whole, in a patient's place."""
    names = np.empty(len(table), dtype=object)
    for label in RUN_FILMS:
        for series, rows in in_order(table, label).items():
            names[rows] = [f"{label} {series} {at // CLUSTER_FILMS}" for at in range(len(rows))]
    return names.astype(str)
