"""How a shipped release does out of fold, by the figures that judge one, without training it anew.

Its fold CNNs are taken from the SavedModels; each development film is asked of the one that never
saw its patient. The locked hold-out is not read.

    python tests/benchmarks/out_of_fold.py CHEST_XRAY --release 2
    python tests/benchmarks/out_of_fold.py CHEST_XRAY --release 2 --mirrored --margin 0.03

Members are calibrated by patient each, as training does, and with ``--mean-calibrated`` by film so
that the mean of their probabilities is.
"""

from __future__ import annotations

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import argparse
import sys
from pathlib import Path

import numpy as np

from neumo import contract
from neumo_training import evaluation
from neumo_training.datasets import film_table, splits
from neumo_training.datasets.decoded_films import Films
from neumo_training.evaluation import look, runs, thresholds
from neumo_training.evaluation.calibration_line import calibration_line
from neumo_training.fitting import (
    calibration,
    lungs_training,
    member_training,
    pipeline,
    shipped_networks,
)
from neumo_training.networks import band_energies, batches, framing
from neumo_training.networks.network_config import CONFIGS, MemberConfig, read


def main() -> None:
    """Ask, judge, print."""
    options = _options()
    table = film_table.scan(options.films)
    chosen = splits.splits_for(table)
    films = pipeline.development_films(table, chosen, lambda line: print(line, file=sys.stderr))
    folds = pipeline.fold_numbers(films.table, chosen)
    lungs, _ = lungs_training.predict(
        shipped_networks.load(shipped_networks.LOCALISER), lungs_training.overviews(films.pixels)
    )
    small = batches.convert(framing.film, films.pixels)
    usual = framing.boxes(lungs).numpy()
    as_seen = batches.convert(framing.crop, small, usual)
    if options.levelled:
        small = batches.convert(band_energies.levelled, small, usual)
    crops = batches.convert(framing.crop, small, framing.boxes(lungs, options.margin).numpy())
    logits = np.stack([_logits(m.name, crops, folds, options) for m in contract.MEMBERS])
    scores = _ensemble(logits, films, is_mean=options.mean_calibrated)
    _show(scores, films)
    alone = look.propensity(look.numbers(as_seen), films.labels, _patients(films))
    same = look.matched_auc(scores, films.labels, alone)
    print(f"AUC at the same look {same:.4f}, of the look alone "
          f"{evaluation.area(alone, films.labels):.4f}")  # fmt: skip


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("films", type=Path, metavar="CHEST_XRAY", help="the films that the release was trained on")
    add("--release", type=int, default=2, help="a shipped release (default: 2)")
    add("--margin", type=float, default=framing.MARGIN, help="around the lungs (default: 0.06)")
    add("--mirrored", action="store_true", help="the mean of each crop and its mirror")
    add("--levelled", action="store_true", help="band energies made usual first")
    add("--mean-calibrated", action="store_true", help="calibrate the members' mean, by film")
    return parser.parse_args()


def _logits(
    name: str, crops: np.ndarray, folds: np.ndarray, options: argparse.Namespace
) -> np.ndarray:
    """Of each film by the CNN that never saw it, float64 [n]."""
    config = read(CONFIGS / f"{name}.toml", MemberConfig)
    logits = np.zeros(len(folds))
    for fold, cnn in enumerate(shipped_networks.load_folds(config, options.release)):
        rows = folds == fold
        asked = [crops[rows], crops[rows][:, :, ::-1]] if options.mirrored else [crops[rows]]
        logits[rows] = np.mean([member_training.logits(cnn, one) for one in asked], axis=0)
    return logits


def _ensemble(logits: np.ndarray, films: Films, *, is_mean: bool) -> np.ndarray:
    if is_mean:
        fitted = calibration.platt_of_the_mean(logits, films.labels)
    else:
        weights = pipeline.patient_weights(films.table)
        fitted = [calibration.platt(z, films.labels, weights) for z in logits]
    pairs = zip(logits, fitted, strict=True)
    means: np.ndarray = np.mean([calibration.sigmoid(a * z + b) for z, (a, b) in pairs], axis=0)
    return means


def _patients(films: Films) -> np.ndarray:
    patients: np.ndarray = films.table["patient"].to_numpy(str)
    return patients


def _show(scores: np.ndarray, films: Films) -> None:
    labels, table = films.labels, films.table
    rules = {
        "sensitivity .96": thresholds.at_sensitivity(scores, labels, 0.96),
        "sensitivity .94": thresholds.at_sensitivity(scores, labels, 0.94),
        "balanced accuracy": thresholds.best_balanced(scores, labels),
        "equal errors": thresholds.equal_errors(scores, labels),
        "worst run": thresholds.best_worst_run(scores, labels, table),
    }
    for rule, chosen in rules.items():
        if chosen is None:
            continue
        right = (scores > chosen.threshold) == (labels > 0)
        worst = [runs.worst(right, table, label) for label in runs.RUN_FILMS]
        told = ", ".join(f"{run.share:.2f} ({run.series} from {run.first})" for run in worst if run)
        print(f"{rule:18} threshold {chosen.threshold:.3f}: sensitivity {chosen.sensitivity:.3f}, "
              f"specificity {chosen.specificity:.3f}; worst runs {told}")  # fmt: skip
    threshold = rules["equal errors"].threshold  # type: ignore[union-attr]
    for by, clusters in (("patients", _patients(films)), ("runs", runs.clusters(table))):
        found = evaluation.with_intervals(scores, labels, clusters, threshold)
        metrics = ("auc", "sensitivity", "specificity", "brier", "ece")
        print(f"over {by}: " + ", ".join(f"{n} {found[n].value:.4f} ({found[n].low:.4f} to "
              f"{found[n].high:.4f})" for n in metrics))  # fmt: skip
    line = calibration_line(scores, labels)
    print(f"calibration: slope {line.slope:.2f}, intercept {line.intercept:.2f}")


if __name__ == "__main__":
    main()
