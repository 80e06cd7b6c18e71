"""What a template's placeholders stand for, from the evaluation and the manifest."""

from __future__ import annotations

from functools import cache
from typing import Any

from neumo import contract
from neumo.release import Manifest
from neumo_training.datasets import splits
from neumo_training.reports.cards import citations
from neumo_training.reports.cards.markdown import counts, found, interval, number, plain, table
from neumo_training.reports.cards.wording import Words
from neumo_training.reports.key_names import percent, small

Document = dict[str, Any]


def fillings(evaluation: Document, manifest: Manifest | None, words: Words) -> dict[str, str]:
    """Every placeholder's text in the language of ``words``."""
    return {
        **_constants(),
        **_release(evaluation, manifest, words),
        **_training_data(manifest, words),
        "tried": _tried(evaluation, words),
        **_judged_films(evaluation, words),
        **_performance(evaluation, words),
        **_robustness(evaluation, words),
    }


def _constants() -> dict[str, str]:
    youngest, oldest = citations.POPULATION_YEARS
    return {
        "claim": citations.CLAIM,
        "tripod": citations.TRIPOD,
        "data_citation": citations.DATA,
        "data_licence": citations.DATA_LICENCE,
        "masks_citation": citations.MASKS,
        "code_licence": citations.CODE_LICENCE,
        "youngest_years": str(youngest),
        "oldest_years": str(oldest),
        "adult_years": str(citations.ADULT_YEARS),
        "image_px": str(contract.IMAGE_SIZE_PX),
    }


def _release(evaluation: Document, manifest: Manifest | None, words: Words) -> dict[str, str]:
    release = evaluation["release"]
    made = {} if manifest is None else manifest.environment
    return {
        "release": str(release["number"]),
        "contract": str(release["contract"]),
        "threshold": number(release["threshold"], words),
        "models": ", ".join(f"`{name}`" for name in release["models"]),
        "weights": str(release["weights_sha256"]),
        "created": words.unknown if manifest is None else manifest.created,
        "trained_with": ", ".join(f"{name} {value}" for name, value in sorted(made.items()))
        or words.unknown,
        "evaluated": str(evaluation.get("created", words.unknown)),
        "evaluated_with": ", ".join(
            f"{name} {value}" for name, value in evaluation.get("environment", {}).items()
        )
        or words.unknown,
    }


def _training_data(manifest: Manifest | None, words: Words) -> dict[str, str]:
    data = {} if manifest is None else manifest.data
    fingerprint = data.get("fingerprint")
    public = fingerprint == _public_fingerprint()
    return {
        "source": words.public_source if public else words.other_source,
        "data_films": counts(data.get("films"), words.classes, words),
        "data_types": counts(data.get("types"), words.kinds, words),
        "data_patients": counts(data.get("patients"), words.classes, words),
        "data_both_types": plain(data.get("patients_with_both_types"), words),
        "data_duplicates": plain(data.get("duplicates_left_out"), words),
        "data_development": counts(data.get("development"), words.classes, words),
        "data_curated": plain(data.get("development_curated"), words),
        "data_holdout": counts(data.get("holdout"), words.classes, words),
        "data_folds": plain(data.get("folds"), words),
        "data_fingerprint": plain(fingerprint, words),
    }


def _tried(evaluation: Document, words: Words) -> str:
    """How many choices were tried, and the most that one that was not kept would have gained.

    What no release can have is no choice.
    """
    # Older evaluations lack it.
    trials = [trial for trial in evaluation.get("tried") or () if trial["part"] != "limit"]
    gains = [
        trial["value"] - trial["reference"]
        for trial in trials
        if (trial["part"], trial["metric"], trial["kept"]) == ("members", "auc", False)
    ]
    if not gains:
        return words.unknown
    choices = {(trial["part"], trial["tried"]): trial["kept"] for trial in trials}
    return words.tried.format(
        count=len(choices), kept=sum(choices.values()), gain=small(max(gains), sign="+")
    )


@cache
def _public_fingerprint() -> str:
    return splits.read(splits.COMMITTED).fingerprint


def _judged_films(evaluation: Document, words: Words) -> dict[str, str]:
    about = evaluation["set"]
    readings = about.get("holdout_readings")
    said = [words.trained_on] if about.get("holds_training_films") else []
    if readings is None:
        said.append(words.not_holdout)
    else:
        said.append(words.once if readings == 1 else f"{words.often} {readings}.")
    return {
        "part": words.parts[about["part"]],
        "readings": " ".join(said),
        "judged_films": counts(about.get("films"), words.classes, words),
        "judged_patients": counts(about.get("patients"), words.classes, words),
        "judged_types": counts(about.get("types"), words.kinds, words),
        "judged_excluded": counts(about.get("excluded"), words.excluded, words),
        "judged_fingerprint": str(about.get("fingerprint", words.unknown)),
    }


def _performance(evaluation: Document, words: Words) -> dict[str, str]:
    how, models = evaluation["intervals"], evaluation["models"]
    ensemble = models["ensemble"]
    return {
        "level": percent(how["level"]),
        "draws": str(how["draws"]),
        **{name: interval(ensemble.get(name), words) for name in words.metrics},
        "models_table": table(
            ("", *(words.models.get(name, name) for name in models)),
            (
                (title, *(interval(values.get(name), words) for values in models.values()))
                for name, title in words.metrics.items()
            ),
            words,
        ),
        "thresholds_table": _thresholds(evaluation, words),
        "predictive_table": table(
            tuple(words.columns[name] for name in ("prevalence", "ppv", "npv")),
            (
                (percent(row["prevalence"]), *(interval(row[n], words) for n in ("ppv", "npv")))
                for row in evaluation.get("predictive_values") or ()
            ),
            words,
        ),
        "groups_table": _groups(evaluation, words),
        "baselines_table": table(
            ("", "AUC"),
            (
                (words.baselines.get(name, name), interval(auc, words))
                for name, auc in found(evaluation, "baselines", "auc", default={}).items()
            ),
            words,
        ),
        "differences_table": _differences(evaluation, words),
        "as_good": _as_good(evaluation, words),
        "together_table": _together(evaluation, words),
        "over_runs_table": table(
            ("", words.models["ensemble"]),
            (
                (title, interval(found(evaluation, "runs", "intervals_over_runs", name), words))
                for name, title in words.metrics.items()
                if evaluation.get("runs")
            ),
            words,
        ),
    }


def _as_good(evaluation: Document, words: Words) -> str:
    """The verdict of trivial baselines, where one does as well; else nothing."""
    names = found(evaluation, "baselines", "as_good_as_the_release", default=[])
    told = ", ".join(words.baselines.get(name, name) for name in names)
    return words.as_good.format(names=told) if names else ""


def _together(evaluation: Document, words: Words) -> str:
    """Where the release fails together: older evaluations lack all of it."""
    if not (runs := evaluation.get("runs")):
        return words.unknown
    rows = words.rows
    lines: list[tuple[str, ...]] = []
    for label, of in runs["classes"].items():
        title = f"{rows['worst_run']} ({runs['films_in_a_run'][label]}), {words.classes[label]}"
        lines.append((title, words.no_run if of is None else _worst_run(of["worst"], words)))
        if of is not None:
            lines.append((rows["tenth"], number(of["tenth"], words)))
    least = found(evaluation, "corruptions", "least_of_a_class", default={})
    lines += [
        (rows["matched"], number(found(evaluation, "look", "auc_at_the_same_look"), words)),
        (rows["look"], number(found(evaluation, "look", "auc_of_the_look"), words)),
        (rows["slope"], number(found(evaluation, "calibration", "slope"), words)),
        (rows["intercept"], number(found(evaluation, "calibration", "intercept"), words)),
        (rows["worst_ece"], number(runs["ece_in_worst_quarter"], words)),
    ]
    if least:
        what = f"{words.metrics[least['metric']]}, {words.corruptions[least['corruption']]}"
        lines.append(
            (
                f"{rows['least']} {least['up_to_severity']}",
                f"{number(least['value'], words)} ({what}, {least['severity']})",
            )
        )
    return table((words.columns["what"], words.columns["figure"]), lines, words)


def _worst_run(worst: Document, words: Words) -> str:
    return words.worst_run.format(**worst | {"share": number(worst["share"], words)})


def _thresholds(evaluation: Document, words: Words) -> str:
    names = ("sensitivity", "specificity")
    rows = evaluation.get("thresholds") or ()
    return table(
        ("", words.columns["threshold"], *(words.metrics[name] for name in names)),
        (
            (
                " ".join([words.thresholds[row["name"]], *_wanted(row)]),
                number(row["threshold"], words),
                *(interval(row["metrics"].get(name), words) for name in names),
            )
            for row in rows
        ),
        words,
    )


def _wanted(row: Document) -> list[str]:
    return [f"({row['sensitivity_wanted']})"] if "sensitivity_wanted" in row else []


def _groups(evaluation: Document, words: Words) -> str:
    groups = [
        (words.kinds.get(kind, kind), group)
        for kind, group in (evaluation.get("types") or {}).items()
    ]
    for group in evaluation.get("geometry") or ():
        bounds = f"{group['from']:.3f} {words.to} {group['to']:.3f}"
        groups.append((f"{words.geometry[group['by']]} {bounds}", group))
    names = ("auc", "sensitivity", "specificity")
    return table(
        ("", words.columns["films"], *(words.metrics[name] for name in names)),
        (
            (
                title,
                counts(group["films"], words.classes, words),
                *(interval((group["metrics"] or {}).get(name), words) for name in names),
            )
            for title, group in groups
        ),
        words,
    )


def _differences(evaluation: Document, words: Words) -> str:
    pairs = [
        (f"{words.rows['less']} `{model}`", values)
        for model, values in (evaluation.get("ensemble_less_member") or {}).items()
    ]
    if (other := evaluation.get("against")) is not None:
        pairs.append((f"{words.rows['release_less']} {other['release']}", other["difference"]))
    names = ("auc", "accuracy", "balanced_accuracy", "brier")
    return table(
        ("", *(words.metrics[name] for name in names)),
        ((title, *(interval(of.get(name), words, "+") for name in names)) for title, of in pairs),
        words,
    )


def _robustness(evaluation: Document, words: Words) -> dict[str, str]:
    corruptions = evaluation.get("corruptions") or {}
    shortcuts = evaluation.get("shortcuts") or {}
    severities = [str(severity) for severity in corruptions.get("severities", ())]
    severity = words.columns["severity"]
    left = {"whole": shortcuts["whole"], **shortcuts["tests"]} if shortcuts else {}
    return {
        "corruption_films": counts(corruptions.get("films"), words.classes, words),
        "corruption_clean_auc": interval(found(corruptions, "clean", "auc"), words),
        "corruption_mean_auc": number(corruptions.get("mean_auc"), words),
        "corruption_least_auc": number(corruptions.get("least_auc"), words),
        "corruptions_table": table(
            ("", *(f"AUC, {severity} {level}" for level in severities)),
            (
                (words.corruptions[name], *(interval(of[s]["auc"], words) for s in severities))
                for name, of in corruptions.get("corruptions", {}).items()
            ),
            words,
        ),
        "corrupted_classes_table": table(
            ("", *(f"{severity} {level}" for level in severities)),
            (
                (words.corruptions[name], *(_of_classes(of[s], words) for s in severities))
                for name, of in corruptions.get("corruptions", {}).items()
            ),
            words,
        ),
        "shortcut_films": counts(shortcuts.get("films"), words.classes, words),
        "shortcuts_table": table(
            ("", words.metrics["auc"], words.metrics["balanced_accuracy"]),
            (
                (
                    words.shortcuts[name],
                    interval(of["auc"], words),
                    interval(of["balanced_accuracy"], words),
                )
                for name, of in left.items()
            ),
            words,
        ),
        "looking_table": _looking(evaluation, words),
        "copy_px": plain(found(evaluation, "resolution", "copy_px"), words),
    }


def _of_classes(metrics: Document, words: Words) -> str:
    """Sensitivity / specificity."""
    both = (metrics[name]["value"] for name in ("sensitivity", "specificity"))
    return " / ".join(number(value, words) for value in both)


def _looking(evaluation: Document, words: Words) -> str:
    copies = evaluation.get("resolution") or {}
    rows = words.rows
    return table(
        (words.columns["what"], words.columns["figure"]),
        (
            (rows["moved_mean"], number(copies.get("moved_mean"), words)),
            (rows["moved_most"], number(copies.get("moved_most"), words)),
            (rows["decisions_changed"], plain(copies.get("decisions_changed"), words)),
            (rows["refused"], interval(found(evaluation, "lungs", "refused", "share"), words)),
            (rows["dice"], interval(found(evaluation, "lungs", "dice", "mean"), words)),
            (rows["heat"], interval(found(evaluation, "heat", "share"), words)),
            (
                rows["area"],
                interval(found(evaluation, "heat", "lungs_share_of_the_film"), words),
            ),
        ),
        words,
    )
