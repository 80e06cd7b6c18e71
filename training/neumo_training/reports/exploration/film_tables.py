"""The tables that lie beside the page: films, patients, counts."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pandas as pd

from neumo_training.datasets import curation, splits
from neumo_training.reports.exploration.folder_numbers import SEED, UNREADABLE, has_both_types

KEPT = "kept"


def films(
    table: pd.DataFrame, measures: pd.DataFrame, chosen: splits.Splits | None
) -> pd.DataFrame:
    """``table`` and ``measures`` side by side, the part of the split, and each policy's verdict.

    A policy's column says ``kept``, or the step that left the film out; its ``weight`` column
    how often it is drawn, 0 where left out.
    """
    readable = table[measures["error"] == ""]
    judged = pd.concat([table, measures], axis=1)
    judged["part"] = "" if chosen is None else splits.parts(table, chosen)
    for policy in curation.POLICIES:
        steps = curation.steps(readable, policy, SEED)
        kept = steps[-1].kept
        judged[policy] = _verdicts(table, readable, steps)
        judged[f"weight {policy}"] = pd.Series(curation.weights(kept, policy), index=kept.index)
        judged[f"weight {policy}"] = judged[f"weight {policy}"].fillna(0.0)
    return judged


def patients(judged: pd.DataFrame) -> pd.DataFrame:
    """One row for each patient of ``films``' table: how many films of which type, which part."""
    counted = judged.groupby(["label", "patient"], sort=True)
    counted_patients = counted.agg(
        group=("group", "first"), series=("series", "first"), part=("part", "first")
    )
    counted_patients["films"] = counted.size()
    kinds = pd.crosstab([judged["label"], judged["patient"]], judged["type"])
    counted_patients = counted_patients.join(kinds).reset_index()
    both = has_both_types(curation.without_duplicates(judged))
    return counted_patients.assign(both_types=counted_patients["patient"].isin(both.index[both]))


def counts(described: dict[str, Any]) -> pd.DataFrame:
    """``describe``'s numbers as rows of what is counted, of what, and how many."""
    return pd.DataFrame(list(_rows("", described)), columns=["what", "of", "count"])


def _verdicts(
    table: pd.DataFrame, readable: pd.DataFrame, steps: list[curation.Step]
) -> pd.Series[str]:
    # Each step names what it takes away; what none took is kept.
    verdicts = pd.Series(UNREADABLE, index=table.index)
    before = readable.index
    for step in steps:
        verdicts[before.difference(step.kept.index)] = step.name
        before = step.kept.index
    verdicts[before] = KEPT
    return verdicts


def _rows(what: str, value: object) -> Iterator[tuple[str, str, int]]:
    """Every whole number below ``value``: the keys above it, the last key, the number."""
    if isinstance(value, dict):
        for key, inner in value.items():
            if isinstance(inner, int) and not isinstance(inner, bool):
                yield what, str(key), inner
            else:
                yield from _rows(f"{what} / {key}" if what else str(key), inner)
    elif isinstance(value, list):
        for step in value:
            if isinstance(step, dict):
                yield from _rows(f"{what} / {step['step']}", step)
