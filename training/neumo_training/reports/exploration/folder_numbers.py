"""A table of films in numbers: what it holds, what is left out and why, how it is split."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pandas as pd

from neumo_training.datasets import classes_folder, curation, film_table, splits

# Any: it says which films balancing drops, and only how many is told.
SEED = 0
UNREADABLE = "unreadable"


def describe(
    films: pd.DataFrame, chosen: splits.Splits | None, unreadable: pd.Index[int] | None = None
) -> dict[str, Any]:
    """The numbers of ``films`` (as ``film_table.scan``'s), ready for JSON; no name of a film.

    ``chosen`` is how they are split, None where they cannot be; ``unreadable`` is the index of
    those that were found to be no images. Raises ``ConfigError`` where no film of a class is left.
    """
    readable = films if unreadable is None else films.drop(unreadable)
    unique = curation.without_duplicates(readable)
    return {
        "fingerprint": film_table.fingerprint(films),
        "content_fingerprint": film_table.content_fingerprint(films),
        "films": by_label(films),
        "types": _counts(films["type"]),
        "patients": {label: rows["patient"].nunique() for label, rows in films.groupby("label")},
        "films_per_patient": {
            label: _counts(rows["patient"].value_counts()) for label, rows in films.groupby("label")
        },
        "patients_with_both_types": int(has_both_types(unique).sum()),
        "unreadable": by_label(films.drop(readable.index)),
        "odd_names": by_label(films[film_table.has_odd_name(films)]),
        "misfiled": by_label(films[film_table.is_misfiled(films)]),
        "duplicates": _duplicates(readable, chosen),
        "duplicates_left_out": len(readable) - len(unique),
        "one_per_patient": by_label(curation.one_per_patient(unique)),
        "curation": {policy: _steps(films, readable, policy) for policy in curation.POLICIES},
        **({} if chosen is None else _splits(unique, chosen)),
    }


def by_label(films: pd.DataFrame) -> dict[str, int]:
    """How many films each class has, 0 for none."""
    return {label: int((films["label"] == label).sum()) for label in classes_folder.LABELS}


def has_both_types(films: pd.DataFrame) -> pd.Series[bool]:
    """By patient, whether films of a viral and of a bacterial pneumonia are there."""
    ill = films[films["type"].isin(["virus", "bacteria"])]
    return ill.groupby("patient")["type"].nunique() > 1


def _counts(values: pd.Series[Any]) -> dict[str, int]:
    counted = values.value_counts().sort_index()
    return {str(name): int(count) for name, count in counted.items()}


def _duplicates(films: pd.DataFrame, chosen: splits.Splits | None) -> dict[str, Any]:
    # As curation does it: what lies in test, too, is told on a line of its own.
    here = films[films["also_in"] == ""]
    alike = here[here.duplicated("sha256", keep=False)]
    parts = "" if chosen is None else splits.parts(alike, chosen)
    sets = alike.assign(part=parts).groupby("sha256")[["label", "group", "part"]].nunique()
    several = sets > 1
    contradicting = several["label"]
    return {
        "sets": len(sets),
        "contradicting_sets": int(contradicting.sum()),
        "sets_across_patients": int((several["group"] & ~contradicting).sum()),
        "sets_across_parts": int((several["part"] & ~contradicting).sum()),
        "also_in": _counts(films["also_in"][films["also_in"] != ""]),
    }


def _steps(films: pd.DataFrame, readable: pd.DataFrame, policy: str) -> list[dict[str, Any]]:
    first = curation.Step(UNREADABLE, "no image can be read from the file", readable)
    told, before = [], films
    for step in (first, *curation.steps(readable, policy, SEED)):
        told.append(
            {
                "step": step.name,
                "reason": step.reason,
                "left_out": by_label(before.drop(step.kept.index)),
                "kept": by_label(step.kept),
            }
        )
        before = step.kept
    return told


def _splits(unique: pd.DataFrame, chosen: splits.Splits) -> dict[str, Any]:
    parts = splits.parts(unique, chosen)
    held = unique[parts == splits.HOLDOUT]
    rest = unique.drop(held.index)
    return {
        "committed_splits": chosen.fingerprint == splits.read(splits.COMMITTED).fingerprint,
        "parts": {str(name): by_label(rows) for name, rows in unique.groupby(parts)},
        "groups": {str(name): rows["group"].nunique() for name, rows in unique.groupby(parts)},
        "holdout": by_label(held),
        "development": by_label(rest),
        "development_curated": len(curation.curate(rest, curation.POLICIES[0], SEED)),
        "folds": len(chosen.folds),
    }


def summary(described: dict[str, Any]) -> list[str]:
    """``describe``'s numbers as lines for people."""
    lines = [
        f"films: {_text(described['films'])}; types: {_text(described['types'])}",
        f"patients: {_text(described['patients'])}; "
        f"{described['patients_with_both_types']} with both types",
        *statements(described),
    ]
    for policy, steps in described["curation"].items():
        lines.append(f"training keeps, {policy}: {_text(steps[-1]['kept'])}")
    if "parts" in described:
        lines += [
            f"locked hold-out: {_text(described['holdout'])}",
            f"development, in {described['folds']} folds: {_text(described['development'])}; "
            f"curated and balanced: {described['development_curated']}",
        ]
    return lines


def statements(described: dict[str, Any]) -> list[str]:
    """What is left out, or taken for something else than it may be: a line each, none in silence.

    ``described`` is ``describe``'s.
    """
    return [*_about_files(described), *_about_duplicates(described["duplicates"], described)]


def _about_files(described: dict[str, Any]) -> Iterator[str]:
    unreadable, odd, misfiled = (
        sum(described[key].values()) for key in ("unreadable", "odd_names", "misfiled")
    )
    if unreadable:
        yield f"unreadable: {_text(described['unreadable'])}: left out"
    if odd:
        yield (
            f"names that tell no patient: {_text(described['odd_names'])}: each film counts as a "
            "patient of its own, so films of one child may lie in two parts"
        )
    if misfiled:
        yield (
            f"names that tell the other class: {_text(described['misfiled'])}: "
            "the folder counts, not the name"
        )


def _about_duplicates(duplicates: dict[str, Any], described: dict[str, Any]) -> Iterator[str]:
    if also_in := duplicates["also_in"]:
        yield f"in a folder beside train, too: {_text(also_in)}: left out of training"
    if both := duplicates["contradicting_sets"]:
        yield f"identical files under both labels: {_plural(both, 'set')}: none of them is used"
    if sets := duplicates["sets"] - both:
        yield f"identical files: {_plural(sets, 'set')}: of each the first by name stays"
    if torn := duplicates["sets_across_patients"]:
        yield f"of these, under several patients: {torn}: the first film's patient stays"
    if split := duplicates["sets_across_parts"]:
        yield f"of these, in several parts of the split: {split}: the first film's part stays"
    if count := described["duplicates_left_out"]:
        yield f"left out for these reasons: {_plural(count, 'film')}"


def _text(counts: dict[str, int]) -> str:
    return ", ".join(f"{count} {name}" for name, count in sorted(counts.items()))


def _plural(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"
