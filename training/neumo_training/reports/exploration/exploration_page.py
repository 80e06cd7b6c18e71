"""The exploration as one HTML page that needs no other file; no film and no film's name in it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import pandas as pd

from neumo_training.datasets.classes_folder import LABELS
from neumo_training.evaluation.baselines import BORDER_PX
from neumo_training.reports.exploration import film_plots
from neumo_training.reports.exploration.film_measures import BORDERS, INTENSITIES
from neumo_training.reports.exploration.folder_numbers import statements
from neumo_training.reports.html_page import Table, render, svg_uri

NOTICE = "A research tool, not a medical device: nothing here is a diagnosis."

Document = dict[str, Any]

_EFFECTS = [(key, label) for key in ("left_out", "kept") for label in LABELS]
_WHAT = {
    "width_px": "width, pixels",
    "height_px": "height, pixels",
    "aspect": "width / height",
    "brightness": "brightness: mean grey level",
    "contrast": "contrast: standard deviation of the grey levels",
    **{
        side: f"{side.replace('_', ', ')}: mean of its {BORDER_PX} of 256 pixels"
        for side in BORDERS
    },
}
_SIZES = ("width_px", "height_px", "aspect")


def page(document: Document, judged: pd.DataFrame) -> str:
    """The page about ``document`` (``report.json``) and the films' table ``judged``."""
    return render(
        "exploration.html",
        title="neumo: what these films are",
        notice=NOTICE,
        document=document,
        classes=_classes(document),
        types=Table("", ("type", "films"), sorted(document["types"].items())),
        per_patient=svg_uri(film_plots.per_patient(document["films_per_patient"])),
        told=statements(document) + document["remarks"],
        policies=[_policy(name, steps) for name, steps in document["curation"].items()],
        parts=_parts(document) if "parts" in document else None,
        sizes=list(_sizes(document, judged)),
        intensities=_intensities(document, judged),
    )


def _classes(document: Document) -> Table:
    films, patients = document["films"], document["patients"]
    rows = [(label, films[label], patients.get(label, 0)) for label in LABELS]
    return Table("", ("class", "films", "patients"), rows)


def _policy(name: str, steps: list[Document]) -> Document:
    head = ("step", "why", *(f"{label} {key.replace('_', ' ')}" for key, label in _EFFECTS))
    rows = [
        (step["step"], step["reason"], *(step[key][label] for key, label in _EFFECTS))
        for step in steps
    ]
    kept = film_plots.bars({step["step"]: step["kept"] for step in steps})
    return {"name": name, "steps": Table("", head, rows), "plot": svg_uri(kept)}


def _parts(document: Document) -> Document:
    rows = [
        (name, document["groups"][name], *(counts[label] for label in LABELS))
        for name, counts in document["parts"].items()
    ]
    return {
        "table": Table("", ("part", "groups of patients", *LABELS), rows),
        "plot": svg_uri(film_plots.bars(document["parts"])),
    }


def _sizes(document: Document, judged: pd.DataFrame) -> Iterator[Document]:
    """Of the files, and of the originals where they are known."""
    for prefix, whose in (("", "of the files here"), ("original_", "of the originals")):
        columns = [f"{prefix}{name}" for name in _SIZES]
        if columns[0] not in judged:
            continue
        vary = judged[columns[0]].nunique() > 1 or judged[columns[1]].nunique() > 1
        yield {
            "whose": whose,
            "table": _quantiles(document, columns),
            "plots": _size_plots(judged, columns, whose) if vary else [],
        }


def _size_plots(judged: pd.DataFrame, columns: Sequence[str], whose: str) -> list[Document]:
    x, y, aspect = (judged[column] for column in columns)
    labels = judged["label"]
    axes = (_WHAT["width_px"], _WHAT["height_px"])
    return [
        _plot(film_plots.scatter(x, y, labels, axes), f"sizes {whose}"),
        _plot(film_plots.histogram(aspect, labels, _WHAT["aspect"]), f"aspect {whose}"),
    ]


def _intensities(document: Document, judged: pd.DataFrame) -> Document:
    plots = [
        _plot(
            film_plots.histogram(judged[name], judged["label"], _WHAT[name]),
            f"{_WHAT[name]}, by class",
        )
        for name in INTENSITIES
    ]
    return {"table": _quantiles(document, INTENSITIES), "plots": plots}


def _plot(svg: str, caption: str) -> Document:
    return {"uri": svg_uri(svg), "caption": caption}


def _quantiles(document: Document, columns: Sequence[str]) -> Table:
    """The median and the middle nine tenths by class, and the AUC of the measure alone."""
    rows = []
    for column in columns:
        measured = document["measures"][column]
        auc = measured["auc"]
        rows.append(
            (
                _WHAT[column.removeprefix("original_")],
                *(_range(measured[label]) for label in LABELS),
                "all alike" if auc is None else f"{auc:.3f}",
            )
        )
    return Table("", ("median (5 % to 95 %)", *LABELS, "AUC of it alone"), rows)


def _range(quantiles: Sequence[float] | None) -> str:
    if quantiles is None:
        return "none"
    low, median, high = (f"{value:.4g}" for value in quantiles)
    return f"{median} ({low} to {high})"
