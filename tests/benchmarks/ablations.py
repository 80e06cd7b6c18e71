"""What each choice of a release is worth: a finished run without it, or with another in its place.

Out of fold on the development films, by networks that are there already; the locked hold-out is
not read. Differences to what is shipped have the 95 % interval of a paired bootstrap of whole
patients. Each variant of the members is calibrated anew and judged at its own best threshold.

    python tests/benchmarks/ablations.py CHEST_XRAY MASKS RUN --release 2 \
        --to training/neumo_training/configs/tried.csv

In the file, rows of the release in the parts that are measured here are replaced, others stay.
"""

from __future__ import annotations

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import argparse
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import keras
import numpy as np
import pandas as pd
import tensorflow as tf

from neumo import contract
from neumo_training import evaluation
from neumo_training.datasets import film_table, lung_masks, splits
from neumo_training.evaluation import ablations, intervals
from neumo_training.evaluation.ablations import Trial
from neumo_training.fitting import (
    calibration,
    lungs_training,
    member_training,
    pipeline,
    resumable_run,
)
from neumo_training.networks import batches, folded_batchnorm, framing
from neumo_training.networks.network_config import CONFIGS
from neumo_training.reports.key_names import percent
from neumo_training.whole_files import write_atomically

METRICS = ("auc", "accuracy", "balanced_accuracy", "brier", "ece")
MARGINS = (0.0, 0.03, 0.10)
MASK_THRESHOLDS = (0.4, 0.45, 0.55)
SEARCHED = ("mixup", "label_smoothing", "curation", "widths")
AS_SHIPPED, DRAWN = "as shipped", "box of the drawn masks"
MEMBERS = tuple(member.name for member in contract.MEMBERS)
LOCALISER, LUNGS = "localiser", contract.LUNGS.name

Logits = dict[str, np.ndarray]
"""Of each member, out of fold, float64 [n]."""


@dataclass(frozen=True)
class Kept:
    """Arrays that took long, as files in ``folder``: a second call need not ask the networks."""

    folder: Path | None

    def __call__(self, name: str, compute: Callable[[], np.ndarray]) -> np.ndarray:
        """What ``compute`` gives, or gave."""
        path = None if self.folder is None else self.folder / f"{name}.npy"
        if path is not None and path.exists():
            return np.load(path)
        print(f"  asking: {name}", file=sys.stderr, flush=True)
        found = compute()
        if path is not None:
            path.parent.mkdir(parents=True, exist_ok=True)
            np.save(path, found)
        return found


@dataclass(frozen=True)
class Study:
    """The development films, the finished run's folder, and what is kept of its answers."""

    films: pipeline.Films
    drawn: lung_masks.Masks
    seen: lungs_training.Seen
    small: np.ndarray
    folds: np.ndarray
    run: Path
    kept: Kept

    @property
    def labels(self) -> np.ndarray:
        """1 for PNEUMONIA, float32 [n]."""
        return self.films.labels

    @property
    def patients(self) -> np.ndarray:
        """Whose film it is, [n]."""
        return self.films.table["patient"].to_numpy(str)


def main() -> None:
    """Ask, judge, print."""
    options = _options()
    study = _study(options)
    trials = [
        *_members(study, options.release),
        *_lungs(study, options.release),
        *_search(options.release),
    ]
    _show(trials)
    if options.to:
        measured = {trial.part for trial in trials}
        others = ablations.read(options.to) if options.to.exists() else []
        others = [t for t in others if t.release != options.release or t.part not in measured]
        write_atomically(options.to, ablations.to_csv([*trials, *others]))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("films", type=Path, metavar="CHEST_XRAY", help="the films that the run was trained on")
    add("masks", type=Path, metavar="MASKS", help="drawn masks of their lungs")
    add("run", type=Path, metavar="RUN", help="the work folder of a finished neumo train")
    add("--release", type=int, default=2, help="the release that the run became (default: 2)")
    add("--to", type=Path, metavar="CSV", help="the table to bring up to date")
    add("--keep", type=Path, metavar="DIR", help="keep the networks' answers here, and use them")
    options = parser.parse_args()
    if not (options.run / pipeline.RESULTS).is_file():
        parser.error(f"{options.run}: no {pipeline.RESULTS}: not a finished run of neumo train")
    return options


def _study(options: argparse.Namespace) -> Study:
    def say(line: str) -> None:
        print(line, file=sys.stderr, flush=True)

    table = film_table.scan(options.films)
    chosen = splits.splits_for(table)
    films = pipeline.development_films(table, chosen, say)
    drawn = lung_masks.load(films.table, options.masks, say)
    small = batches.convert(framing.film, films.pixels)
    folds = pipeline.fold_numbers(films.table, chosen)
    return Study(
        films, drawn, lungs_training.see(films), small, folds, options.run, Kept(options.keep)
    )


def _network(path: Path) -> keras.Model:
    return folded_batchnorm.fold(keras.models.load_model(path / resumable_run.BEST, compile=False))


# The members


def _members(study: Study, release: int) -> Iterator[Trial]:
    """Every variant of the ensemble against the shipped one.

    Every film is asked of the CNN of its own fold, where a released member asks all of its folds'.
    """
    weights = pipeline.patient_weights(study.films.table)

    def calibrated(logits: np.ndarray) -> np.ndarray:
        scale, offset = calibration.platt(logits, study.labels, weights)
        return scale * logits + offset

    def ensemble(logits: Logits) -> np.ndarray:
        return np.mean([calibration.sigmoid(calibrated(z)) for z in logits.values()], axis=0)

    boxes = _boxes(study)
    by_box = {name: _logits(study, name, box) for name, box in boxes.items()}
    plain = by_box.pop(AS_SHIPPED)
    mirrored = _logits(study, "mirrored", boxes[AS_SHIPPED], mirror=True)
    three = [by_box[_margin(0.03)], plain, by_box[_margin(0.10)]]
    variants: dict[str, np.ndarray] = {
        "mean of the members' logits": calibration.sigmoid(
            np.mean([calibrated(z) for z in plain.values()], axis=0)
        ),
        **{f"{name} alone": ensemble({name: z}) for name, z in plain.items()},
        "no calibration": np.mean([calibration.sigmoid(z) for z in plain.values()], axis=0),
        "mean of each crop and its mirror": ensemble(_mean([plain, mirrored])),
        "mean of three crops, margins of 3, 6 and 10 %": ensemble(_mean(three)),
        **{name: ensemble(logits) for name, logits in by_box.items()},
    }
    shipped = _at_best(ensemble(plain), study.labels)
    reference = evaluation.metrics(shipped[0], study.labels, shipped[1])
    for name, scores in variants.items():
        ours = _at_best(scores, study.labels)
        values = evaluation.metrics(ours[0], study.labels, ours[1])
        less = evaluation.differences(ours, shipped, study.labels, study.patients)
        part = "limit" if name == DRAWN else "members"
        for metric in METRICS:
            yield Trial(
                release, part, name, metric, reference[metric], values[metric],
                less[metric].low, less[metric].high, kept=False,
            )  # fmt: skip


def _boxes(study: Study) -> dict[str, np.ndarray]:
    """What frames the films instead, float32 [n, 4] by name."""
    found = _found(study, LOCALISER)
    by_lungs = _found(study, LUNGS)
    human = _boxes_of(study.drawn.pixels)
    shipped = _boxes_of(found)
    whole = np.tile(np.float32(framing.WHOLE), (len(shipped), 1))
    return {
        AS_SHIPPED: shipped,
        "whole film for CNNs trained on lungs": whole,
        DRAWN: np.where(study.drawn.known[:, None], human, shipped),
        "box of the network lungs": _boxes_of(by_lungs),
        **{_margin(share): _boxes_of(found, share) for share in MARGINS},
    }


def _margin(share: float) -> str:
    return f"margin of {percent(share)}"


def _boxes_of(lungs: np.ndarray, margin: float = framing.MARGIN) -> np.ndarray:
    found = [
        framing.boxes(tf.cast(batch, tf.float32), margin).numpy() for (batch,) in batches.of(lungs)
    ]
    return np.concatenate(found)


def _found(study: Study, name: str) -> np.ndarray:
    """Probabilities of lung by the network ``name``, float16 [n, 128, 128, 1]."""

    def ask() -> np.ndarray:
        found, _ = lungs_training.predict(_network(study.run / name), study.seen.overviews)
        return found.astype(np.float16)

    return study.kept(f"found-{name}", ask)


def _logits(study: Study, name: str, boxes: np.ndarray, *, mirror: bool = False) -> Logits:
    """Both members' logits of what ``boxes`` frame, each film's by the CNN that never saw it."""

    def ask() -> np.ndarray:
        crops = batches.convert(framing.crop, study.small, boxes)
        crops = crops[:, :, ::-1] if mirror else crops
        logits = np.zeros((len(MEMBERS), len(crops)))
        for row, member in enumerate(MEMBERS):
            for fold in range(int(study.folds.max()) + 1):
                cnn = _network(pipeline.fold_folder(study.run / member, fold))
                rows = study.folds == fold
                logits[row, rows] = member_training.logits(cnn, crops[rows])
        return logits

    return dict(zip(MEMBERS, study.kept(f"logits-{name.replace(' ', '-')}", ask), strict=True))


def _mean(several: list[Logits]) -> Logits:
    return {name: np.mean([logits[name] for logits in several], axis=0) for name in MEMBERS}


def _at_best(scores: np.ndarray, labels: np.ndarray) -> tuple[np.ndarray, float]:
    return scores, evaluation.best_balanced(scores, labels).threshold


# The lungs


def _lungs(study: Study, release: int) -> Iterator[Trial]:
    """Dice of variants of ``lungs`` on patients that chose its epoch, and of the localiser."""
    rows = study.drawn.known & pipeline.held_out(study.films.table)
    truth = study.drawn.pixels[rows]
    found = _found(study, LUNGS)[rows].astype(np.float32)
    local = _found(study, LOCALISER)[rows].astype(np.float32)

    def mirrored() -> np.ndarray:
        network = _network(study.run / LUNGS)
        return lungs_training.predict(network, study.seen.overviews[rows][:, :, ::-1])[0][
            :, :, ::-1
        ]

    flipped = study.kept("found-lungs-mirrored", mirrored)
    variants = {
        "mean with its mirror": (found + flipped) / 2,
        "mean with the localiser": (found + local) / 2,
        "the localiser alone": local,
        **{f"a pixel is lung above {at}": found + (0.5 - at) for at in MASK_THRESHOLDS},
    }
    shipped = lungs_training.dice_at_half(found, truth)
    for name, lungs in variants.items():
        dice = lungs_training.dice_at_half(lungs, truth)
        less = intervals.mean_with_interval(
            dice - shipped, study.labels[rows], study.patients[rows]
        )
        yield Trial(
            release, "lungs", name, "dice", float(shipped.mean()), float(dice.mean()),
            less.low, less.high, kept=False,
        )  # fmt: skip


# The search


def _search(release: int) -> Iterator[Trial]:
    """The best trial of ``neumo tune`` with each other value of a choice, against the best."""
    trials = pd.read_csv(CONFIGS / "tuning.csv").sort_values("loss", kind="stable")
    best = trials.iloc[0]
    for choice in SEARCHED:
        for value, others in trials[trials[choice] != best[choice]].groupby(choice):
            for metric in ("auc", "loss"):
                yield Trial(
                    release, "search", f"{choice.replace('_', ' ')} {value}", metric,
                    float(best[metric]), float(others.iloc[0][metric]), None, None, kept=False,
                )  # fmt: skip


def _show(trials: list[Trial]) -> None:
    for trial in trials:
        less = trial.value - trial.reference
        told = "" if trial.low is None else f"  ({trial.low:+.4f} to {trial.high:+.4f})"
        print(
            f"{trial.part:8} {trial.tried:48} {trial.metric:18} {trial.reference:.4f} "
            f"{trial.value:.4f} {less:+.4f}{told}"
        )


if __name__ == "__main__":
    main()
