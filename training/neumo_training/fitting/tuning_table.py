"""What a search tried: the trials' table, its plot, and a configuration as a file."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import pandas as pd
from matplotlib.figure import Figure

from neumo_training.networks.network_config import MemberConfig
from neumo_training.reports import palette
from neumo_training.reports.svg_plots import svg
from neumo_training.whole_files import write_atomically

TABLE = "trials.csv"
PLOT = "trials.svg"
LOSS = "loss"
_COLUMNS = 4
_PANEL_INCHES = (2.8, 2.2)


def note(
    folder: Path, trial: str, config: MemberConfig, loss: float, auc: float, seconds: float
) -> None:
    """Add a trial to the table in ``folder``, the best one first, and draw the plot again."""
    path = folder / TABLE
    scores = {"trial": trial, LOSS: round(loss, 5), "auc": round(auc, 5), "seconds": round(seconds)}
    row = pd.DataFrame([{**scores, **asdict(config)}])
    if path.exists():
        # As text: trial 08 would become 8, and its row stand twice.
        known = pd.read_csv(path, dtype={"trial": str})
        row = pd.concat([known[known["trial"] != trial], row])
    table = row.sort_values(LOSS)
    write_atomically(path, table.to_csv(index=False))
    write_atomically(folder / PLOT, plot(table))


def plot(table: pd.DataFrame) -> str:
    """The loss over every value that differs between the trials of ``table``, as SVG."""
    shown = table.drop(columns=["trial", LOSS, "auc", "seconds"]).astype(str)
    varied = [name for name in shown.columns if shown[name].nunique() > 1]
    rows = max(1, -(-len(varied) // _COLUMNS))
    width, height = _PANEL_INCHES
    figure = Figure(figsize=(width * _COLUMNS, height * rows), layout="constrained")
    for place, name in enumerate(varied, start=1):
        axes = figure.add_subplot(rows, _COLUMNS, place)
        numbers = pd.to_numeric(table[name], errors="coerce")
        # Widths are tuples: a text, side by side, where a number has a scale.
        values = shown[name] if numbers.isna().any() else numbers
        axes.scatter(values, table[LOSS], s=14, color=palette.MODEL)
        axes.set_title(name, fontsize=9)
        axes.tick_params(labelsize=7)
        if values.dtype == object or shown[name].str.startswith("(").any():
            axes.tick_params(axis="x", rotation=20)
    return svg(figure)


def to_toml(config: MemberConfig) -> str:
    """``config`` as the text of a configuration file."""

    def text(value: object) -> str:
        if isinstance(value, tuple):
            return "[" + ", ".join(text(v) for v in value) + "]"
        return f'"{value}"' if isinstance(value, str) else repr(value)

    return "".join(f"{name} = {text(value)}\n" for name, value in asdict(config).items())
