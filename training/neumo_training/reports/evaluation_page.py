"""The document as a self-contained HTML page."""

from __future__ import annotations

from typing import Any

from neumo_training.evaluation.assessment import Assessment
from neumo_training.evaluation.worst_errors import Example
from neumo_training.reports import evaluation_plots
from neumo_training.reports.evaluation_summary import cautions
from neumo_training.reports.html_pieces import (
    caution,
    document,
    paragraph,
    picture,
    plots,
    section,
    svg,
    table,
)
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
    "lungs": "lungs",
    "heat": "heat in the lungs",
}


def page(assessment: Assessment, *, with_names: bool) -> str:
    """The whole report; files' names only ``with_names``."""
    found = assessment.document
    return document(
        f"neumo: release {found['release']['number']} judged",
        [
            caution(found["notice"]),
            *([caution(_SHOWS_FILMS)] if assessment.examples else []),
            *(caution(text) for text in cautions(found)),
            _films(found),
            _models(found),
            _plots(found),
            _thresholds(found),
            _compared(found),
            _subgroups(found),
            _corruptions(found),
            _shortcuts(found),
            _looking(found),
            _errors(assessment.examples, with_names=with_names),
            _tried(found),
            _absent(found),
            _made(found),
        ],
    )


_SHOWS_FILMS = (
    "This report shows patients' films. It must not be shared, sent or committed; "
    "neumo evaluate --no-films makes one that shows none."
)


def _films(found: Document) -> str:
    about = found["set"]
    kinds = sorted(about["films"])
    return section(
        "Films",
        table(
            f"Part: {about['part']}",
            ("", *kinds),
            (
                ("films", *(str(about["films"][k]) for k in kinds)),
                ("patients", *(str(about["patients"][k]) for k in kinds)),
            ),
        ),
        paragraph(f"By type: {counts(about['types'])}. Left out: {counts(about['excluded'])}."),
        paragraph(
            "Patients are told by Kermany's file names; a file with another name counts as a "
            "patient of its own."
        ),
    )


def _models(found: Document) -> str:
    release, how = found["release"], found["intervals"]
    baselines = found["baselines"]
    return section(
        "Performance",
        paragraph(
            f"Release {release['number']} at its shipped threshold {number(release['threshold'])}; "
            f"in brackets the {percent(how['level'])} interval from {how['draws']} bootstrap draws "
            "of whole patients. The ensemble is the mean of the two members."
        ),
        table(
            "Models",
            ("", *found["models"]),
            (
                (title, *(interval(values[name]) for values in found["models"].values()))
                for name, title in METRICS.items()
            ),
        ),
        table(
            f"Trivial baselines, {baselines['fitted']}; those of shape and size on "
            f"{baselines['films_of_known_size']} films: what a model must beat",
            ("", "AUC"),
            ((name, interval(auc)) for name, auc in baselines["auc"].items()),
        ),
    )


def _plots(found: Document) -> str:
    return section(
        "Curves of the ensemble",
        plots(
            svg(evaluation_plots.roc(found), "ROC curve with its interval"),
            svg(evaluation_plots.precision_recall(found), "Precision and recall"),
            svg(evaluation_plots.reliability(found), "Calibration, with the interval of each bin"),
            svg(evaluation_plots.confusion(found), "Confusion at the shipped threshold"),
            svg(evaluation_plots.histogram(found), "Probabilities by class"),
        ),
    )


def _thresholds(found: Document) -> str:
    names = list(found["thresholds"][0]["metrics"])
    return section(
        "Thresholds and what a result would mean",
        table(
            "Thresholds of the ensemble",
            ("", "threshold", *(METRICS[name] for name in names)),
            (
                (
                    _threshold(t),
                    number(t["threshold"]),
                    *(interval(t["metrics"][name]) for name in names),
                )
                for t in found["thresholds"]
            ),
        ),
        paragraph(
            "A threshold fitted on these films flatters itself on them: it is here to show what "
            "the shipped one leaves, not to be used."
        ),
        table(
            "Predictive values at the shipped threshold, by how common pneumonia is",
            ("prevalence", "PPV", "NPV"),
            (
                (percent(row["prevalence"]), interval(row["ppv"]), interval(row["npv"]))
                for row in found["predictive_values"]
            ),
        ),
    )


def _threshold(row: Document) -> str:
    name = THRESHOLDS[row["name"]]
    wanted = row.get("sensitivity_wanted")
    return name if wanted is None else f"{name}: {wanted}"


def _compared(found: Document) -> str:
    names = list(next(iter(found["ensemble_less_member"].values())))
    rows = [
        (f"ensemble less {model}", *(signed(values[name]) for name in names))
        for model, values in found["ensemble_less_member"].items()
    ]
    if found["against"] is not None:
        other = found["against"]
        rows.append(
            (
                f"this release less release {other['release']}",
                *(signed(other["difference"][name]) for name in names),
            )
        )
    return section(
        "Paired differences",
        table(
            "Each pair on the same draws of patients; a Brier score is better where it is lower",
            ("", *(METRICS[name] for name in names)),
            rows,
        ),
    )


def _subgroups(found: Document) -> str:
    rows = [
        (f"{KINDS.get(kind, kind)} against all normal films", found["types"][kind])
        for kind in found["types"]
    ]
    rows += [
        (f"{GEOMETRY[g['by']]} {number(g['from'])} to {number(g['to'])}", g)
        for g in found["geometry"]
    ]
    names = ("auc", "sensitivity", "specificity")
    return section(
        "Subgroups",
        table(
            "The ensemble at the shipped threshold",
            ("", "films", *(METRICS[name] for name in names)),
            ((name, counts(group["films"]), *_metrics(group, names)) for name, group in rows),
        ),
        paragraph(
            "By thirds of the file's aspect ratio and size, which no disease changes: a difference "
            "there is a shortcut."
        )
        if found["geometry"]
        else "",
    )


def _metrics(group: Document, names: tuple[str, ...]) -> list[str]:
    if group["metrics"] is None:
        return ["too few patients", *([""] * (len(names) - 1))]
    return [interval(group["metrics"][name]) if name in group["metrics"] else "" for name in names]


def _corruptions(found: Document) -> str:
    about = found["corruptions"]
    severities = about["severities"]
    return section(
        "Corruptions",
        paragraph(
            "MedMNIST-C's list for pneumoniamnist, applied to the 256 x 256 film, at severities "
            f"{', '.join(map(str, severities))} of 5, on {counts(about['films'])} drawn by a seed. "
            f"Clean AUC on these films {interval(about['clean']['auc'])}; mean AUC under "
            f"corruption {number(about['mean_auc'])}, least {number(about['least_auc'])}."
        ),
        svg(
            evaluation_plots.corruptions(found),
            "AUC and balanced accuracy by corruption and severity",
        ),
        table(
            "AUC, and balanced accuracy at the shipped threshold",
            ("", *(f"severity {s}" for s in severities)),
            (
                (name.replace("_", " "), *(_pair(levels[str(s)]) for s in severities))
                for name, levels in about["corruptions"].items()
            ),
        ),
    )


def _pair(metrics: Document) -> str:
    return f"{number(metrics['auc']['value'])}, {number(metrics['balanced_accuracy']['value'])}"


def _shortcuts(found: Document) -> str:
    about = found["shortcuts"]
    names = ("auc", "balanced_accuracy", "sensitivity", "specificity")
    rows = {"whole": about["whole"], **about["tests"]}
    masks = f"Masks: {about['masks']}." if about["masks"] else "Without masks: borders alone."
    return section(
        "Shortcuts",
        paragraph(
            "What is taken from the film is filled with its mean. A model that reads lungs keeps "
            "its AUC on the lungs and loses it without them. "
            f"On {counts(about['films'])}. {masks}"
        ),
        table(
            "The ensemble on what is left of the film",
            ("", *(METRICS[name] for name in names)),
            (
                (SHORTCUTS[name], *(interval(values[n]) for n in names))
                for name, values in rows.items()
            ),
        ),
    )


def _looking(found: Document) -> str:
    copies = found["resolution"]
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
    if (lungs := found["lungs"]) is not None:
        refused = lungs["refused"]
        rows += [
            ("share of films refused as no chest radiograph", interval(refused["share"])),
            ("refused, by class", counts(refused["films"])),
        ]
        if lungs["dice"] is not None:
            dice = lungs["dice"]
            rows.append((f"Dice of the lungs on {dice['films']} masks", interval(dice["mean"])))
    if (heat := found["heat"]) is not None:
        rows += [
            (f"share of the heat in the lungs, {heat['films']} films", interval(heat["share"])),
            ("the lungs' share of the film", interval(heat["lungs_share_of_the_film"])),
        ]
    body = table("What is asked, and the answer", ("", ""), rows)
    return section("Resolution, lungs and heat", body)


def _errors(shown: tuple[Example, ...], *, with_names: bool) -> str:
    if not shown:
        return section("Errors", paragraph("No film is shown."))
    return section(
        "Errors",
        paragraph(
            "The false alarms and the overlooked films that the ensemble was surest about: the "
            "film, and the film under its heat map. Bright colours moved the score, which need "
            "not be disease."
        ),
        plots(*(picture(one.picture, _caption(one, with_names=with_names)) for one in shown)),
    )


def _caption(one: Example, *, with_names: bool) -> str:
    members = ", ".join(f"{name} {number(value)}" for name, value in one.members.items())
    name = f"{one.name}: " if with_names else ""
    return f"{name}{one.label} called {one.called}, {number(one.probability)} ({members})"


def _tried(found: Document) -> str:
    if not found["tried"]:
        return ""
    return section(
        "What was tried for this release",
        paragraph(
            "The metric with the choice, and in brackets how it differs from what it is compared "
            f"with, and where it was measured the {percent(found['intervals']['level'])} interval "
            "of that, paired, by patient. A Brier score, a calibration error, a cross-entropy and "
            "a time are better where they are lower. What was not kept is compared with what is "
            "shipped, what was kept with what there was without it. None of it was measured on "
            "the hold-out."
        ),
        *(_tried_table(part, found["tried"]) for part in TRIED),
    )


def _tried_table(part: str, trials: list[Document]) -> str:
    rows: dict[str, Document] = {}
    for trial in trials:
        if trial["part"] == part:
            row = rows.setdefault(trial["tried"], {"kept": "yes" if trial["kept"] else "no"})
            row[trial["metric"]] = _trial(trial)
    if not rows:
        return ""
    metrics = [name for name in TRIED_METRICS if any(name in row for row in rows.values())]
    return table(
        TRIED[part],
        ("", *(TRIED_METRICS[name] for name in metrics), "kept"),
        (
            (tried, *(row.get(name, "") for name in metrics), row["kept"])
            for tried, row in rows.items()
        ),
    )


def _trial(trial: Document) -> str:
    less = small(trial["value"] - trial["reference"], sign="+")
    if trial["low"] is None:
        return f"{small(trial['value'])} ({less})"
    low, high = (small(trial[key], sign="+") for key in ("low", "high"))
    return f"{small(trial['value'])} ({less}: {low} to {high})"


def _absent(found: Document) -> str:
    rows = [(_PARTS[name], reason) for name, reason in found["not_measured"].items()]
    if not rows:
        return ""
    return section("Not measured", table("What is absent, and why", ("", ""), rows))


def _made(found: Document) -> str:
    versions = ", ".join(f"{name} {value}" for name, value in found["environment"].items())
    return section(
        "How this was made",
        paragraph(
            f"neumo evaluate on {found['created']}; {versions}. Films' fingerprint "
            f"{found['set']['fingerprint']}, weights {found['release']['weights_sha256']}."
        ),
    )
