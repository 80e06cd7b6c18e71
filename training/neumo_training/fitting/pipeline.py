"""From a folder of films to everything a release needs, in one resumable run.

The lungs' network comes first: it frames every film. Then each member's CNN is trained once per
ordered fold, and every film is scored by the one that never saw its patient: on those scores the
members are calibrated and the ensemble's threshold is taken. A member of the release is all of
its folds' CNNs together. The locked hold-out is not read here, see ``neumo evaluate``.
"""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from neumo.errors import ConfigError
from neumo_training import evaluation
from neumo_training.datasets import curation, film_table, lung_masks, splits
from neumo_training.datasets.decoded_films import Films, load
from neumo_training.fitting import (
    calibration,
    lungs_training,
    member_training,
    resumable_run,
    shipped_networks,
)
from neumo_training.networks import framing
from neumo_training.networks.network_config import Configs, LungsConfig, MemberConfig
from neumo_training.reports.exploration import folder_numbers
from neumo_training.whole_files import write_atomically

RESULTS = "results.json"
FIRST = "first-pass"
"""The folder of a member's first pass, in the member's."""
CHEST_QUANTILE = 0.002
"""So many of the training films may score below the threshold that a chest radiograph needs."""
CHEST_THRESHOLD_MAX = 0.5
SENSITIVITY_GOAL = 0.96
"""What the ensemble's threshold reaches out of fold: a missed pneumonia is the worse mistake."""


@dataclass(frozen=True, slots=True)
class Trained:
    """One member's scores of the development films, out of fold: logits float64 [n]."""

    logits: npt.NDArray[np.float64]
    epochs: list[int]


@dataclass(frozen=True, slots=True)
class Development:
    """The films that may be learned from, framed; ``folds`` as numbers per film."""

    framed: member_training.Framed
    folds: npt.NDArray[np.int64]
    emphases: Mapping[int, npt.NDArray[np.float64]] = field(default_factory=dict)
    """By fold, how many times as often the CNN that never sees it draws each of the others."""

    @property
    def count(self) -> int:
        """How many folds there are."""
        return int(self.folds.max()) + 1

    def training(self, fold: int) -> member_training.Framed:
        """What the CNN that never sees ``fold`` is trained on."""
        kept = self.framed.where(self.folds != fold)
        return replace(kept, emphasis=self.emphases.get(fold, kept.emphasis))

    def emphasising(self, fold: int, emphasis: npt.NDArray[np.float64]) -> Development:
        """The same with the ``emphasis`` of the films outside ``fold``."""
        return replace(self, emphases={**self.emphases, fold: emphasis})


def train(
    folder: Path, mask_folder: Path | None, workdir: Path, say: resumable_run.Say, configs: Configs
) -> Path:
    """Run everything in ``workdir``; returns the path of its ``results.json``.

    Without ``mask_folder`` the lungs are found by the network of the shipped release. Goes on
    where an earlier run in ``workdir`` stopped. Raises ``ConfigError`` for data or a work folder
    that cannot be used.
    """
    results = workdir / RESULTS
    table = film_table.scan(folder)
    chosen = splits.splits_for(table)
    data = folder_numbers.describe(table, chosen)
    for line in folder_numbers.summary(data) + film_table.passed_over(folder):
        say(line)
    # After the summary: whoever asks again sees what the run was made of.
    if results.exists():
        say(f"{results} is there already: nothing left to train")
        return results
    # Before anything is trained: neumo evaluate --splits judges by this file.
    write_atomically(workdir / "splits.json", chosen.to_json())
    films = development_films(table, chosen, say)
    seen, drawn = lungs_training.see(films), masks_of(films, mask_folder, say)
    localiser, localiser_told = lungs_network(seen, drawn, configs.localiser, workdir, say)
    lungs, lungs_told = lungs_network(seen, drawn, configs.lungs, workdir, say)
    # On all of them, learned from or not: what the threshold must do is let films pass.
    _, chest = lungs_training.predict(lungs, seen.overviews)
    # By the small one, which each member carries: training must frame as the release will.
    development = frame(films, seen, localiser, chosen)
    trained = {c.model: _member(c, development, workdir / c.model, say) for c in configs.members}
    document = _results(development, trained) | {
        "localiser": localiser_told,
        "lungs": lungs_told | {"chest_threshold": chest_threshold(chest)},
        "data": data,
        "environment": environment(),
        "configs": configs.by_model(),
    }
    write_atomically(results, json.dumps(document, indent=1) + "\n")
    return results


def environment() -> dict[str, str]:
    """What the run ran on, for the manifest."""
    names = ("tensorflow", "keras", "numpy", "pillow", "scikit-learn")
    return {name: version(name) for name in names} | {
        "python": platform.python_version(),
        "machine": f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores",
    }


def masks_of(
    films: Films, mask_folder: Path | None, say: resumable_run.Say
) -> lung_masks.Masks | None:
    """The lung masks of ``films``, None without a folder of them."""
    return None if mask_folder is None else lung_masks.load(films.table, mask_folder, say)


def lungs_network(
    seen: lungs_training.Seen,
    drawn: lung_masks.Masks | None,
    config: LungsConfig,
    workdir: Path,
    say: resumable_run.Say,
) -> tuple[Any, dict[str, Any]]:
    """A network that finds the lungs, and how well it does on patients it never saw.

    Those of ``held_out`` are not trained on and choose its epoch. Without
    ``drawn`` masks it is the shipped release's. Raises ``ConfigError`` where either part has none.
    """
    if drawn is None:
        say(f"no --masks: {config.model} is the shipped release's")
        return shipped_networks.load(config.model), {"source": "shipped"}
    held = held_out(seen.table)
    tested = drawn.known & held
    if not tested.any() or not (drawn.known & ~held).any():
        raise ConfigError(
            f"--masks: too few, {int(drawn.known.sum())} of these films: some are learned from and "
            "some, of other patients, choose the epoch; give more masks, or leave --masks out"
        )
    model = lungs_training.fit(
        config, seen, drawn, held, workdir / config.model,
        lambda line: say(f"{config.model}: {line}"),
    )  # fmt: skip
    lungs, _ = lungs_training.predict(model, seen.overviews[tested])
    dice = float(np.mean(lungs_training.dice_at_half(lungs, drawn.pixels[tested])))
    say(f"{config.model}: Dice {dice:.4f} on {int(tested.sum())} films of patients held out")
    return model, {"source": "masks", "masks": int(drawn.known.sum()), "dice": dice}


def held_out(table: pd.DataFrame) -> npt.NDArray[np.bool_]:
    """Which films the lungs' networks are not trained on: every twelfth group of patients."""
    # Sorted as text, so that twelfths are spread over both classes and all numbers.
    groups = sorted(set(table["group"]))
    return np.asarray(table["group"].isin(groups[::12]), np.bool_)


def frame(
    films: Films, seen: lungs_training.Seen, localiser: Any, chosen: splits.Splits
) -> Development:
    """The films with the boxes that ``localiser`` finds, and their folds."""
    lungs, _ = lungs_training.predict(localiser, seen.overviews)
    framed = member_training.frame(films, framing.boxes(lungs).numpy())
    return Development(framed, fold_numbers(films.table, chosen))


def fold_numbers(table: pd.DataFrame, chosen: splits.Splits) -> npt.NDArray[np.int64]:
    """The fold of each film outside the hold-out, from 0."""
    fold = {group: number for number, groups in enumerate(chosen.folds) for group in groups}
    return np.asarray(table["group"].map(fold), np.int64)


def chest_threshold(chest: npt.NDArray[np.float32]) -> float:
    """Below it a film is no chest radiograph."""
    lowest = float(np.quantile(chest, CHEST_QUANTILE))
    # As the servable holds it: what is told in results.json is what decides.
    return float(np.float32(min(CHEST_THRESHOLD_MAX, lowest)))


def development_films(table: pd.DataFrame, chosen: splits.Splits, say: resumable_run.Say) -> Films:
    """The films outside the locked hold-out, without duplicates."""
    unique = curation.without_duplicates(table)
    return load(unique[~unique["group"].isin(chosen.holdout)], say)


def _member(
    settings: MemberConfig, parts: Development, folder: Path, say: resumable_run.Say
) -> Trained:
    """One CNN for each fold; with an ``error_weight`` after a first pass that finds what is hard.

    "Just train twice" (Liu et al. 2021): the films that the first pass misses, out of fold, are
    drawn more often in the second, because a mean over all films hides a group of few.
    """
    # Out of fold, pneumonia_tuned gains by it: AUC .9810 to .9825, drawn four times as often
    # (tried.csv).
    if settings.error_weight == 1.0:
        return _folds(settings, parts, folder, say)
    plain = replace(settings, error_weight=1.0)
    emphasised = parts
    for fold in range(parts.count):
        # Inside a CNN's own training folds: with the others' labels it would be told of its own.
        seen = parts.folds != fold
        inner = Development(parts.framed.where(seen), _from_zero(parts.folds[seen]))
        label = f"first pass without fold {fold + 1}"
        first = _folds(
            plain,
            inner,
            folder / FIRST / f"without-{fold + 1}",
            lambda line, label=label: say(f"{label}, {line}"),  # type: ignore[misc]
        )
        missed = _missed(first.logits, inner.framed.films.labels)
        say(f"{settings.model}: {int(missed.sum())} films missed by the {label}")
        emphasised = emphasised.emphasising(fold, np.where(missed, settings.error_weight, 1.0))
    return _folds(settings, emphasised, folder, say)


def _from_zero(folds: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    return np.unique(folds, return_inverse=True)[1].astype(np.int64)


def _missed(
    logits: npt.NDArray[np.float64], labels: npt.NDArray[np.float32]
) -> npt.NDArray[np.bool_]:
    """On the wrong side of the threshold of best balanced accuracy."""
    scores = calibration.sigmoid(logits)
    best = evaluation.best_balanced(scores, labels).threshold
    return np.asarray((scores >= best) != (labels > 0.5), np.bool_)


def _folds(
    settings: MemberConfig, parts: Development, folder: Path, say: resumable_run.Say
) -> Trained:
    count = parts.count
    logits = np.zeros(len(parts.folds))
    best = []
    for fold in range(count):
        held = parts.framed.where(parts.folds == fold)
        label = f"{settings.model}, fold {fold + 1} of {count}"
        model, state = member_training.fit(
            settings,
            parts.training(fold),
            held,
            fold_folder(folder, fold),
            lambda line, label=label: say(f"{label}: {line}"),  # type: ignore[misc]
        )
        # A film is scored by the CNN that never saw its patient; the release will use all of them.
        logits[parts.folds == fold] = member_training.logits(model, held.crops())
        best.append(state.best_epoch)
        auc = evaluation.area(logits[parts.folds == fold], held.films.labels)
        say(f"{label}: best epoch {state.best_epoch}, AUC {auc:.4f} on the fold's films")
    return Trained(logits, best)


def fold_folder(member_folder: Path, fold: int) -> Path:
    """Where the CNN that never saw fold number ``fold`` is trained."""
    return member_folder / f"fold-{fold + 1}"


def _results(parts: Development, trained: dict[str, Trained]) -> dict[str, Any]:
    table, labels = parts.framed.films.table, parts.framed.films.labels
    patients = table["patient"].to_numpy(str)
    weights = patient_weights(table)
    # On out-of-fold logits: on films that a CNN has seen it would be made sure of everything.
    fitted = {n: calibration.platt(m.logits, labels, weights) for n, m in trained.items()}
    scores = {n: calibration.sigmoid(a * trained[n].logits + b) for n, (a, b) in fitted.items()}
    # After calibration: the SDK takes the mean of what members answer, and they answer
    # probabilities.
    ensemble = np.mean(list(scores.values()), axis=0)
    chosen = evaluation.at_sensitivity(ensemble, labels, SENSITIVITY_GOAL)
    return {
        "threshold": chosen.threshold,
        "calibration": {n: {"scale": a, "offset": b} for n, (a, b) in fitted.items()},
        "roc": evaluation.roc(ensemble, labels, chosen.threshold),
        "epochs": {name: member.epochs for name, member in trained.items()},
        "metrics": {
            "out_of_fold": {
                **{
                    name: evaluation.metrics(values, labels, chosen.threshold)
                    for name, values in {"ensemble": ensemble, **scores}.items()
                },
                "ensemble_intervals": {
                    name: asdict(estimate)
                    for name, estimate in evaluation.with_intervals(
                        ensemble, labels, patients, chosen.threshold
                    ).items()
                },
                "threshold_best_balanced_accuracy": asdict(
                    evaluation.best_balanced(ensemble, labels)
                ),
                "threshold_at_sensitivity": asdict(chosen) | {"goal": SENSITIVITY_GOAL},
            }
        },
    }


def patient_weights(table: pd.DataFrame) -> npt.NDArray[np.float64]:
    """Every patient the same weight, however many films there are of them; they sum to 1."""
    count = table.groupby("patient")["name"].transform("size").to_numpy(np.float64)
    return np.asarray(1.0 / count / np.sum(1.0 / count), np.float64)
