"""From a folder of films to everything a release needs, in one resumable run.

Each member is trained once per fold, which scores every film by a model that never saw its
patient (for the threshold), and once on all folds together (for the release). The locked
hold-out is read at the end, once.
"""

from __future__ import annotations

import json
import os
import platform
import statistics
from collections.abc import Callable
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from neumo_training import baselines, curation, dataset, evaluation, splits, training
from neumo_training.config import MemberConfig
from neumo_training.files import write_atomically
from neumo_training.films import Films, inputs, load

RESULTS = "results.json"
FINAL = "final"
Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Parts:
    """The films by the part that the splits give them; ``folds`` as numbers per film."""

    development: Films
    folds: npt.NDArray[np.int64]
    holdout: Films


@dataclass(frozen=True, slots=True)
class Trained:
    """One member: its scores of the development films, out of fold, and of the hold-out."""

    out_of_fold: evaluation.Scores
    holdout: evaluation.Scores
    epochs: int


def train(folder: Path, workdir: Path, say: Say, configs: tuple[MemberConfig, ...]) -> Path:
    """Run everything in ``workdir``; returns the path of its ``results.json``.

    Goes on where an earlier run in ``workdir`` stopped. Raises ``ConfigError`` for data or a
    work folder that cannot be used.
    """
    results = workdir / RESULTS
    table = dataset.scan(folder)
    data = describe(table)
    for line in summary(data):
        say(line)
    if results.exists():
        say(f"{results} is there already: nothing left to train")
        return results
    chosen = splits.splits_for(table)
    write_atomically(workdir / "splits.json", chosen.to_json())
    parts = _parts(table, chosen, say)
    trained = {c.model: _member(c, parts, workdir / c.model, say) for c in configs}
    say("reading the locked hold-out, once, with 2,000 bootstrap draws for each model")
    document = _results(parts, trained) | {
        "data": data,
        "environment": environment(),
        "configs": {c.model: asdict(c) for c in configs},
    }
    write_atomically(results, json.dumps(document, indent=1) + "\n")
    return results


def describe(table: pd.DataFrame) -> dict[str, Any]:
    """What the films are and what curation keeps of them, as plain numbers."""
    unique = curation.without_duplicates(table)
    types = unique[unique["label"] == "PNEUMONIA"].groupby("patient")["type"].nunique()
    chosen = splits.splits_for(table)
    held = unique["group"].isin(chosen.holdout)
    return {
        "fingerprint": dataset.fingerprint(table),
        "content_fingerprint": dataset.content_fingerprint(table),
        "films": table["label"].value_counts().to_dict(),
        "types": table["type"].value_counts().to_dict(),
        "patients": table.groupby("label")["patient"].nunique().to_dict(),
        "patients_with_both_types": int((types > 1).sum()),
        "duplicates_left_out": len(table) - len(unique),
        "one_per_patient": curation.one_per_patient(unique)["label"].value_counts().to_dict(),
        "holdout": unique[held]["label"].value_counts().to_dict(),
        "development": unique[~held]["label"].value_counts().to_dict(),
        "development_curated": len(curation.curate(unique[~held], 0)),
        "folds": len(chosen.folds),
    }


def summary(data: dict[str, Any]) -> list[str]:
    """``describe``'s numbers as lines for people."""

    def counts(values: dict[str, int]) -> str:
        return ", ".join(f"{count} {name}" for name, count in sorted(values.items()))

    return [
        f"films: {counts(data['films'])}; types: {counts(data['types'])}",
        f"patients: {counts(data['patients'])}; {data['patients_with_both_types']} with both types",
        f"left out as duplicates: {data['duplicates_left_out']}",
        f"one per patient and type: {counts(data['one_per_patient'])}",
        f"locked hold-out: {counts(data['holdout'])}",
        f"development, in {data['folds']} folds: {counts(data['development'])}; "
        f"curated and balanced: {data['development_curated']}",
    ]


def environment() -> dict[str, str]:
    """What the run ran on, for the manifest."""
    names = ("tensorflow", "keras", "numpy", "pillow", "scikit-learn")
    return {name: version(name) for name in names} | {
        "python": platform.python_version(),
        "machine": f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores",
    }


def _parts(table: pd.DataFrame, chosen: splits.Splits, say: Say) -> Parts:
    unique = curation.without_duplicates(table)
    films = load(unique, say)
    held = films.table["group"].isin(chosen.holdout).to_numpy()
    development = films.where(~held)
    fold = {group: number for number, groups in enumerate(chosen.folds) for group in groups}
    numbers = np.asarray(development.table["group"].map(fold), np.int64)
    return Parts(development, numbers, films.where(held))


def _curated(films: Films, seed: int) -> Films:
    kept = curation.curate(films.table, seed).index
    return films.where(films.table.index.isin(kept))


def _member(settings: MemberConfig, parts: Parts, folder: Path, say: Say) -> Trained:
    films, count = parts.development, int(parts.folds.max()) + 1
    scores = np.zeros(len(films.table))
    best = []
    for fold in range(count):
        held = parts.folds == fold
        label = f"{settings.model}, fold {fold + 1} of {count}"
        model, progress = training.run(
            settings,
            _curated(films.where(~held), settings.seed),
            _curated(films.where(held), settings.seed),
            settings.epochs,
            folder / f"fold-{fold + 1}",
            lambda line, label=label: say(f"{label}: {line}"),  # type: ignore[misc]
        )
        scores[held] = training.probabilities(model, inputs(films.where(held).pixels))
        best.append(progress.best_epoch)
        auc = evaluation.metrics(scores[held], films.where(held).labels, 0.5)["auc"]
        say(f"{label}: best epoch {progress.best_epoch}, AUC {auc:.4f} on the fold's films")
    epochs = round(statistics.median(best))
    model, _ = training.run(
        settings,
        _curated(films, settings.seed),
        None,
        epochs,
        folder / FINAL,
        lambda line: say(f"{settings.model}, all folds: {line}"),
    )
    holdout = training.probabilities(model, inputs(parts.holdout.pixels))
    return Trained(scores, holdout, epochs)


def _results(parts: Parts, trained: dict[str, Trained]) -> dict[str, Any]:
    labels = parts.development.labels
    scores = np.mean([member.out_of_fold for member in trained.values()], axis=0)
    chosen = evaluation.best_balanced(scores, labels)
    return {
        "threshold": chosen.threshold,
        "roc": evaluation.roc(scores, labels),
        "epochs": {name: member.epochs for name, member in trained.items()},
        "metrics": {
            "out_of_fold": {
                "ensemble": evaluation.metrics(scores, labels, chosen.threshold),
                "threshold_best_balanced_accuracy": asdict(chosen),
                "threshold_at_sensitivity_.97": asdict(evaluation.at_sensitivity(scores, labels)),
            },
            "holdout": _holdout(parts, trained, chosen.threshold),
        },
    }


def _holdout(parts: Parts, trained: dict[str, Trained], threshold: float) -> dict[str, Any]:
    held = parts.holdout
    patients = held.table["patient"].to_numpy(str)
    ensemble = np.mean([member.holdout for member in trained.values()], axis=0)
    models = {"ensemble": ensemble} | {name: m.holdout for name, m in trained.items()}
    judged = {
        name: evaluation.with_intervals(scores, held.labels, patients, threshold)
        for name, scores in models.items()
    }
    trivial = baselines.scores(_curated(parts.development, 0), held)
    return {
        "films": held.table["label"].value_counts().to_dict(),
        "models": {n: {k: asdict(e) for k, e in found.items()} for n, found in judged.items()},
        "ensemble_auc_less_member": {
            name: asdict(evaluation.difference(ensemble, m.holdout, held.labels, patients))
            for name, m in trained.items()
        },
        "baselines_auc": {
            name: asdict(evaluation.auc_with_interval(scores, held.labels, patients))
            for name, scores in trivial.items()
        },
    }
