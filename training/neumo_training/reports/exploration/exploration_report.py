"""A folder explored: the page, its numbers as JSON, and its tables as CSV."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from neumo.errors import ConfigError
from neumo_training.datasets import film_table, splits
from neumo_training.datasets.classes_folder import LABELS
from neumo_training.reports.exploration import exploration_page, film_tables, folder_numbers
from neumo_training.reports.exploration.film_measures import INTENSITIES, Watch, measure, separation
from neumo_training.whole_files import write_atomically

PAGE = "report.html"
_QUANTILES = [0.05, 0.5, 0.95]


@dataclass(frozen=True, slots=True)
class Exploration:
    """The numbers, without a film's name, and the tables of ``films`` and ``patients``."""

    document: dict[str, Any]
    films: pd.DataFrame
    patients: pd.DataFrame


def summary(folder: Path, table: pd.DataFrame) -> dict[str, Any]:
    """What ``folder``, scanned as ``table``, holds without reading a picture, and remarks.

    Raises ``ConfigError`` as ``describe``.
    """
    chosen, remarks = _split(table)
    described = folder_numbers.describe(table, chosen)
    return described | {"remarks": film_table.passed_over(folder) + remarks}


def explore(folder: Path, sizes: pd.DataFrame | None = None, watch: Watch = iter) -> Exploration:
    """Read every film of ``folder`` once; ``sizes`` are the originals', see ``original_sizes``.

    ``watch`` as ``measure``'s. Raises ``ConfigError`` as ``film_table.scan``, where ``sizes`` are
    of other films, and where no film of a class can be read.
    """
    table = film_table.scan(folder)
    if sizes is not None and not table["name"].isin(sizes["file"]).any():
        raise ConfigError("none of these films is among the originals' sizes; leave --sizes out")
    chosen, remarks = _split(table)
    measures = measure(table, watch)
    unreadable = measures.index[measures["error"] != ""]
    described = folder_numbers.describe(table, chosen, unreadable)
    films = _with_aspects(film_tables.films(table, measures, chosen), sizes)
    document = described | {
        "remarks": film_table.passed_over(folder) + remarks,
        "measures": {name: _measured(films, name) for name in _measures(films)},
    }
    return Exploration(document, films, film_tables.patients(films))


def write(explored: Exploration, out: Path) -> Path:
    """Write the page, ``report.json`` and the tables into ``out``; the page's path.

    Raises ``ConfigError`` where ``out`` cannot be written to.
    """
    try:
        out.mkdir(parents=True, exist_ok=True)
        explored.films.to_csv(out / "films.csv", index=False)
        explored.patients.to_csv(out / "patients.csv", index=False)
        film_tables.counts(explored.document).to_csv(out / "counts.csv", index=False)
        write_atomically(out / "report.json", json.dumps(explored.document, indent=1) + "\n")
        write_atomically(out / PAGE, exploration_page.page(explored.document, explored.films))
    except OSError as error:
        raise ConfigError(f"{out}: cannot be written ({error.strerror}); give --out") from error
    return out / PAGE


def _split(table: pd.DataFrame) -> tuple[splits.Splits | None, list[str]]:
    try:
        return splits.splits_for(table), []
    except ConfigError as error:
        return None, [f"no hold-out and no folds, so nothing to train with: {error}"]


def _with_aspects(films: pd.DataFrame, sizes: pd.DataFrame | None) -> pd.DataFrame:
    films = films.assign(aspect=films["width_px"] / films["height_px"])
    if sizes is None:
        return films
    known = sizes.rename(columns={"width": "original_width_px", "height": "original_height_px"})
    joined = films.merge(
        known, how="left", left_on=["name", "label"], right_on=["file", "label"]
    ).drop(columns="file")
    joined = joined.astype({"original_width_px": "Int64", "original_height_px": "Int64"})
    aspect = joined["original_width_px"] / joined["original_height_px"]
    return joined.assign(original_aspect=aspect)


def _measures(films: pd.DataFrame) -> list[str]:
    sizes = ("width_px", "height_px", "aspect")
    names = [*sizes, *(f"original_{name}" for name in sizes), *INTENSITIES]
    return [name for name in names if name in films]


def _measured(films: pd.DataFrame, name: str) -> dict[str, Any]:
    measured: dict[str, Any] = {"auc": separation(films[name], films["label"])}
    for label in LABELS:
        known = films.loc[films["label"] == label, name].dropna()
        measured[label] = None if known.empty else [float(q) for q in known.quantile(_QUANTILES)]
    return measured
