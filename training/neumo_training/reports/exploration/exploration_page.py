"""The exploration as one HTML page that needs no other file; no film and no film's name in it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape
from typing import Any

import pandas as pd

from neumo_training.datasets.classes_folder import LABELS
from neumo_training.reports import html_pieces
from neumo_training.reports.exploration import film_plots
from neumo_training.reports.exploration.film_measures import BORDERS, INTENSITIES
from neumo_training.reports.exploration.folder_numbers import statements

NOTICE = "A research tool, not a medical device: nothing here is a diagnosis."

_EFFECTS = [(key, label) for key in ("left_out", "kept") for label in LABELS]
_WHAT = {
    "width_px": "width, pixels",
    "height_px": "height, pixels",
    "aspect": "width / height",
    "brightness": "brightness: mean grey level",
    "contrast": "contrast: standard deviation of the grey levels",
    **{side: f"{side.replace('_', ', ')}: mean of its 16 of 256 pixels" for side in BORDERS},
}
_BESIDE = (
    "<p>The same numbers lie beside this page: <code>report.json</code>, <code>counts.csv</code>, "
    "and by film and patient <code>films.csv</code> and <code>patients.csv</code>, which name the "
    "files and so are to be kept like them.</p>"
)


def render(document: dict[str, Any], judged: pd.DataFrame) -> str:
    """The page about ``document`` (``report.json``) and the films' table ``judged``."""
    sections = [
        html_pieces.caution(NOTICE),
        _BESIDE,
        *_films(document),
        *_left_out(document),
        *_curation(document),
        *_splits(document),
        *_sizes(document, judged),
        *_intensities(document, judged),
    ]
    return html_pieces.document("neumo: what these films are", sections)


def _films(document: dict[str, Any]) -> Iterable[str]:
    yield "<h2>Films and patients</h2>"
    films, patients = document["films"], document["patients"]
    rows = [(label, films[label], patients.get(label, 0)) for label in LABELS]
    yield _table(("class", "films", "patients"), rows)
    yield _table(("type", "films"), sorted(document["types"].items()))
    both = document["patients_with_both_types"]
    yield f"<p>Patients with both viral and bacterial pneumonia: {both}.</p>"
    yield _plot(film_plots.per_patient(document["films_per_patient"]), "patients by their films")


def _left_out(document: dict[str, Any]) -> Iterable[str]:
    yield "<h2>What is left out, or uncertain</h2>"
    told = statements(document) + document["remarks"]
    items = "".join(f"<li>{escape(line)}</li>" for line in told)
    yield f"<ul>{items}</ul>" if told else "<p>Nothing.</p>"


def _curation(document: dict[str, Any]) -> Iterable[str]:
    yield "<h2>What curation keeps, and why</h2>"
    for policy, steps in document["curation"].items():
        yield f"<h3>{escape(policy)}</h3>"
        header = ("step", "why", *(f"{label} {key.replace('_', ' ')}" for key, label in _EFFECTS))
        rows = [
            (step["step"], step["reason"], *(step[key][label] for key, label in _EFFECTS))
            for step in steps
        ]
        yield _table(header, rows)
        yield _plot(
            film_plots.bars({s["step"]: s["kept"] for s in steps}), f"films kept by {policy}"
        )


def _splits(document: dict[str, Any]) -> Iterable[str]:
    yield "<h2>The locked hold-out and the folds</h2>"
    if "parts" not in document:
        yield "<p>These films cannot be split; see above.</p>"
        return
    origin = "the committed ones" if document["committed_splits"] else "made for these films"
    yield (
        f"<p>The splits are {origin}: by patient, the lowest numbers of each series held out. "
        "Duplicates are not counted.</p>"
    )
    rows = [
        (name, document["groups"][name], *(counts[label] for label in LABELS))
        for name, counts in document["parts"].items()
    ]
    yield _table(("part", "groups of patients", *LABELS), rows)
    yield _plot(film_plots.bars(document["parts"]), "films by part and class")


def _sizes(document: dict[str, Any], judged: pd.DataFrame) -> Iterable[str]:
    yield "<h2>Sizes and aspect ratios</h2>"
    names = ("width_px", "height_px", "aspect")
    for key, whose in (("", "of the files here"), ("original_", "of the originals")):
        columns = [f"{key}{name}" for name in names]
        if columns[0] not in judged:
            yield "<p>The originals' sizes are not known: --sizes gives them.</p>"
            continue
        yield f"<h3>Sizes {whose}</h3>"
        yield _quantiles(document, columns)
        if judged[columns[0]].nunique() > 1 or judged[columns[1]].nunique() > 1:
            x, y, aspect = (judged[column] for column in columns)
            labels = judged["label"]
            yield _plot(
                film_plots.scatter(x, y, labels, (_WHAT["width_px"], _WHAT["height_px"])),
                f"sizes {whose}",
            )
            yield _plot(film_plots.histogram(aspect, labels, _WHAT["aspect"]), f"aspect {whose}")


def _intensities(document: dict[str, Any], judged: pd.DataFrame) -> Iterable[str]:
    yield "<h2>Brightness and borders</h2>"
    yield _quantiles(document, INTENSITIES)
    for name in INTENSITIES:
        plot = film_plots.histogram(judged[name], judged["label"], _WHAT[name])
        yield _plot(plot, f"{_WHAT[name]}, by class")


def _quantiles(document: dict[str, Any], columns: Sequence[str]) -> str:
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
    return _table(("median (5 % to 95 %)", *LABELS, "AUC of it alone"), rows)


def _range(quantiles: Sequence[float] | None) -> str:
    if quantiles is None:
        return "none"
    low, median, high = (f"{value:.4g}" for value in quantiles)
    return f"{median} ({low} to {high})"


def _table(header: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    rows = list(rows)
    numeric = [all(isinstance(row[i], int) for row in rows) for i in range(len(header))]
    lines = [_line("th", header, numeric), *(_line("td", row, numeric) for row in rows)]
    return f"<table>{''.join(lines)}</table>"


def _line(tag: str, values: Sequence[object], numeric: Sequence[bool]) -> str:
    cells = []
    for value, is_number in zip(values, numeric, strict=True):
        kind = ' class="number"' if is_number else ""
        text = f"{value:,}" if isinstance(value, int) else str(value)
        cells.append(f"<{tag}{kind}>{escape(text)}</{tag}>")
    return f"<tr>{''.join(cells)}</tr>"


def _plot(svg: str, name: str) -> str:
    return html_pieces.svg(svg.encode(), name)
