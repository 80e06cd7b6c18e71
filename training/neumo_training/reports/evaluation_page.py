"""The document of ``neumo evaluate`` as a self-contained HTML page.

The template holds the words; here are the tables' rows.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from neumo_training.evaluation.assessment import Assessment
from neumo_training.evaluation.worst_errors import Example
from neumo_training.reports import evaluation_plots
from neumo_training.reports.evaluation_summary import cautions, worst_run
from neumo_training.reports.html_page import Table, render, svg_uri
from neumo_training.reports.key_names import (
    GEOMETRY,
    KINDS,
    METRICS,
    SHORTCUTS,
    THRESHOLDS,
    TRIED,
    TRIED_METRICS,
    counts,
    interval,
    number,
    percent,
    signed,
    small,
)

Document = dict[str, Any]

_PARTS = {
    "against": "comparison with another release",
    "geometry": "subgroups by geometry",
    "look": "look",
    "lungs": "lungs",
    "heat": "heat in the lungs",
}
_SHOWS_FILMS = (
    "This report shows patients' films. It must not be shared, sent or committed; "
    "neumo evaluate --no-films makes one that shows none."
)


def page(assessment: Assessment, *, with_names: bool) -> str:
    """The whole report; files' names only ``with_names``."""
    document, examples = assessment.document, assessment.examples
    return render(
        "evaluation.html",
        title=f"neumo: release {document['release']['number']} judged",
        document=document,
        cautions=[document["notice"], *([_SHOWS_FILMS] if examples else []), *cautions(document)],
        plots=_plots(document),
        tables=_tables(document),
        examples=[(example, _caption(example, with_names=with_names)) for example in examples],
        tried=[table for part in TRIED if (table := _tried(part, document["tried"])).rows],
    )


def _plots(document: Document) -> dict[str, str]:
    plots = (
        evaluation_plots.roc,
        evaluation_plots.precision_recall,
        evaluation_plots.reliability,
        evaluation_plots.confusion,
        evaluation_plots.histogram,
        evaluation_plots.corruptions,
        evaluation_plots.by_place,
        evaluation_plots.net_benefit,
    )
    return {draw.__name__: svg_uri(draw(document)) for draw in plots}


def _tables(document: Document) -> dict[str, Table]:
    return {
        "films": _films(document["set"]),
        "models": _models(document),
        "together": _table("Runs, look and calibration", ("", ""), _together(document)),
        "over_runs": _over_runs(document),
        "baselines": _baselines(document["baselines"]),
        "thresholds": _thresholds(document),
        "predictive_values": _predictive_values(document),
        "differences": _differences(document),
        "subgroups": _subgroups(document),
        "corruptions": _corruptions(document["corruptions"]),
        "shortcuts": _shortcuts(document["shortcuts"]),
        "looking": _table("What is asked, and the answer", ("", ""), _looking(document)),
        "absent": _table(
            "What is absent, and why",
            ("", ""),
            ((_PARTS[name], reason) for name, reason in document["not_measured"].items()),
        ),
    }


def _table(caption: str, head: Iterable[str], rows: Iterable[tuple[str, ...]]) -> Table:
    return Table(caption, tuple(head), list(rows))


def _films(about: Document) -> Table:
    kinds = sorted(about["films"])
    rows = ((what, *(str(about[what][k]) for k in kinds)) for what in ("films", "patients"))
    return _table(f"Part: {about['part']}", ("", *kinds), rows)


def _models(document: Document) -> Table:
    return _table(
        "Models",
        ("", *document["models"]),
        (
            (title, *(interval(values[name]) for values in document["models"].values()))
            for name, title in METRICS.items()
        ),
    )


def _together(document: Document) -> list[tuple[str, str]]:
    runs, line = document["runs"], document["calibration"]
    least = document["corruptions"]["least_of_a_class"]
    rows = [
        (
            f"worst run of {runs['films_in_a_run'][label]} films in a row, {label}",
            "no series is as long" if of is None else worst_run(of),
        )
        for label, of in runs["classes"].items()
    ]
    if (look := document["look"]) is not None:
        rows += [
            ("AUC at the same look", number(look["auc_at_the_same_look"])),
            ("AUC of the look alone, which knows nothing else", number(look["auc_of_the_look"])),
        ]
    return [
        *rows,
        ("calibration: slope", number(line["slope"])),
        ("calibration: intercept", number(line["intercept"])),
        ("calibration error in the worst quarter of runs", number(runs["ece_in_worst_quarter"])),
        (
            f"least sensitivity or specificity, corruptions up to severity "
            f"{least['up_to_severity']}",
            f"{number(least['value'])} ({METRICS[least['metric']]}, "
            f"{least['corruption'].replace('_', ' ')}, severity {least['severity']})",
        ),
    ]


def _over_runs(document: Document) -> Table:
    by_patient = document["models"]["ensemble"]
    return _table(
        "The ensemble: intervals over patients, and over runs of neighbouring numbers",
        ("", "over patients", "over runs"),
        (
            (METRICS[name], interval(by_patient[name]), interval(of))
            for name, of in document["runs"]["intervals_over_runs"].items()
        ),
    )


def _baselines(baselines: Document) -> Table:
    return _table(
        f"Trivial baselines, {baselines['fitted']}; those of shape and size on "
        f"{baselines['films_of_known_size']} films: what a model must beat",
        ("", "AUC"),
        ((name, interval(auc)) for name, auc in baselines["auc"].items()),
    )


def _thresholds(document: Document) -> Table:
    names = list(document["thresholds"][0]["metrics"])
    return _table(
        "Thresholds of the ensemble",
        ("", "threshold", *(METRICS[name] for name in names)),
        (
            (
                _threshold(t),
                number(t["threshold"]),
                *(interval(t["metrics"][name]) for name in names),
            )
            for t in document["thresholds"]
        ),
    )


def _threshold(row: Document) -> str:
    name = THRESHOLDS[row["name"]]
    wanted = row.get("sensitivity_wanted")
    return name if wanted is None else f"{name}: {wanted}"


def _predictive_values(document: Document) -> Table:
    return _table(
        "Predictive values at the shipped threshold, by how common pneumonia is",
        ("prevalence", "PPV", "NPV"),
        (
            (percent(row["prevalence"]), interval(row["ppv"]), interval(row["npv"]))
            for row in document["predictive_values"]
        ),
    )


def _differences(document: Document) -> Table:
    names = list(next(iter(document["ensemble_less_member"].values())))
    pairs = {f"ensemble less {model}": of for model, of in document["ensemble_less_member"].items()}
    if (other := document["against"]) is not None:
        pairs[f"this release less release {other['release']}"] = other["difference"]
    return _table(
        "Each pair on the same draws of patients; a Brier score is better where it is lower",
        ("", *(METRICS[name] for name in names)),
        ((pair, *(signed(values[name]) for name in names)) for pair, values in pairs.items()),
    )


def _subgroups(document: Document) -> Table:
    groups = [
        (f"{KINDS.get(kind, kind)} against all normal films", group)
        for kind, group in document["types"].items()
    ]
    groups += [
        (f"{GEOMETRY[g['by']]} {number(g['from'])} to {number(g['to'])}", g)
        for g in document["geometry"]
    ]
    names = ("auc", "sensitivity", "specificity")
    return _table(
        "The ensemble at the shipped threshold",
        ("", "films", *(METRICS[name] for name in names)),
        ((name, counts(group["films"]), *_metrics(group, names)) for name, group in groups),
    )


def _metrics(group: Document, names: tuple[str, ...]) -> list[str]:
    if group["metrics"] is None:
        return ["too few patients", *([""] * (len(names) - 1))]
    return [interval(group["metrics"][name]) if name in group["metrics"] else "" for name in names]


def _corruptions(about: Document) -> Table:
    severities = about["severities"]
    return _table(
        "AUC; sensitivity and specificity at the shipped threshold",
        ("", *(f"severity {s}" for s in severities)),
        (
            (name.replace("_", " "), *(_triple(levels[str(s)]) for s in severities))
            for name, levels in about["corruptions"].items()
        ),
    )


def _triple(metrics: Document) -> str:
    auc, sick, well = (metrics[name]["value"] for name in ("auc", "sensitivity", "specificity"))
    return f"{number(auc)}; {number(sick)}, {number(well)}"


def _shortcuts(about: Document) -> Table:
    names = ("auc", "balanced_accuracy", "sensitivity", "specificity")
    left = {"whole": about["whole"], **about["tests"]}
    return _table(
        "The ensemble on what is left of the film",
        ("", *(METRICS[name] for name in names)),
        ((SHORTCUTS[name], *(interval(values[n]) for n in names)) for name, values in left.items()),
    )


def _looking(document: Document) -> list[tuple[str, str]]:
    copies = document["resolution"]
    what = f"{copies['copy_px']}-pixel JPEG copy (quality {copies['copy_quality']})"
    rows = [
        (f"films compared with their {what}", str(copies["films"])),
        ("of them larger than the copy", str(copies["larger_than_the_copy"])),
        ("the probability moves by, mean", small(copies["moved_mean"])),
        ("median", small(copies["moved_median"])),
        ("95 % move by at most", small(copies["moved_95_percent"])),
        ("most", small(copies["moved_most"])),
        ("decisions that change", str(copies["decisions_changed"])),
    ]
    if (lungs := document["lungs"]) is not None:
        refused = lungs["refused"]
        rows += [
            ("share of films refused as no chest radiograph", interval(refused["share"])),
            ("refused, by class", counts(refused["films"])),
        ]
        if (dice := lungs["dice"]) is not None:
            rows.append((f"Dice of the lungs on {dice['films']} masks", interval(dice["mean"])))
    if (heat := document["heat"]) is not None:
        rows += [
            (f"share of the heat in the lungs, {heat['films']} films", interval(heat["share"])),
            ("the lungs' share of the film", interval(heat["lungs_share_of_the_film"])),
        ]
    return rows


def _caption(example: Example, *, with_names: bool) -> str:
    members = ", ".join(f"{name} {number(value)}" for name, value in example.members.items())
    name = f"{example.name}: " if with_names else ""
    called = f"{example.label} called {example.called}"
    return f"{name}{called}, {number(example.probability)} ({members})"


def _tried(part: str, trials: list[Document]) -> Table:
    """A line for each choice in ``part``, which may have none; a column for each metric of them."""
    choices: dict[str, Document] = {}
    for trial in trials:
        if trial["part"] == part:
            kept = {"kept": "yes" if trial["kept"] else "no"}
            choices.setdefault(trial["tried"], kept)[trial["metric"]] = _trial(trial)
    metrics = [name for name in TRIED_METRICS if any(name in row for row in choices.values())]
    return _table(
        TRIED[part],
        ("", *(TRIED_METRICS[name] for name in metrics), "kept"),
        (
            (tried, *(row.get(name, "") for name in metrics), row["kept"])
            for tried, row in choices.items()
        ),
    )


def _trial(trial: Document) -> str:
    less = small(trial["value"] - trial["reference"], sign="+")
    if trial["low"] is None:
        return f"{small(trial['value'])} ({less})"
    low, high = (small(trial[key], sign="+") for key in ("low", "high"))
    return f"{small(trial['value'])} ({less}: {low} to {high})"
