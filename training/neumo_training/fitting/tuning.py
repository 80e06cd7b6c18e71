"""The search of ``pneumonia_tuned``'s hyperparameters with keras-tuner: resumable, tabulated.

Every trial trains one CNN for a short schedule on the films outside the first ordered fold and is
scored on that fold by its balanced cross-entropy, in which an ordered fold ranks models; the AUC
is noted beside it. Trials are chosen by Gaussian-process Bayesian optimisation.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import keras_tuner

from neumo import contract
from neumo_training import evaluation
from neumo_training.datasets import curation, film_table, splits
from neumo_training.fitting import (
    lungs_training,
    member_training,
    pipeline,
    resumable_run,
    tuning_table,
)
from neumo_training.networks.network_config import Configs, MemberConfig
from neumo_training.whole_files import write_atomically

FOLDER = "tuning"
WINNER = "winner.toml"
# One fold of three: a search has 90 minutes at most.
FOLD = 0
EPOCHS = 8
SEED = 17
WIDTHS = {
    "narrow": (16, 32, 64, 128),
    "even": (32, 48, 96, 160),
    "deep": (16, 32, 64, 96, 160),
    "wide": (32, 64, 128, 192),
}
BLOCKS = {4: (1, 2, 2, 2), 5: (1, 2, 2, 2, 1)}


def suggested(hp: Any, base: MemberConfig) -> MemberConfig:
    """The search space: ``base`` with the values that ``hp`` (HyperParameters) chooses."""
    # By name: keras-tuner takes numbers and texts, no tuples.
    widths = WIDTHS[hp.Choice("widths", list(WIDTHS))]
    return replace(
        base,
        widths=widths,
        blocks=BLOCKS[len(widths)],
        curation=hp.Choice("curation", list(curation.POLICIES)),
        dropout=round(hp.Float("dropout", 0.1, 0.6, step=0.1), 1),
        learning_rate=_short(hp.Float("learning_rate", 5e-4, 4e-3, sampling="log")),
        weight_decay=_short(hp.Float("weight_decay", 3e-3, 0.1, sampling="log")),
        label_smoothing=hp.Choice("label_smoothing", [0.0, 0.05, 0.1]),
        crop_area_min=hp.Choice("crop_area_min", [0.25, 0.4, 0.6]),
        gamma=hp.Choice("gamma", [0.2, 0.4, 0.6]),
        cutouts=hp.Int("cutouts", 0, 3),
        mixup=hp.Choice("mixup", [0.0, 0.2, 0.4]),
    )


def tune(
    folder: Path,
    mask_folder: Path | None,
    workdir: Path,
    say: resumable_run.Say,
    configs: Configs,
    count: int,
) -> Path:
    """Search in ``workdir``; returns the folder with the trials' table, plot and the winner.

    Goes on where an earlier search stopped. Raises ``ConfigError`` as ``pipeline.train``.
    """
    table = film_table.scan(folder)
    for line in film_table.passed_over(folder):
        say(line)
    chosen = splits.splits_for(table)
    films = pipeline.development_films(table, chosen, say)
    seen, drawn = lungs_training.see(films), pipeline.masks_of(films, mask_folder, say)
    localiser, _ = pipeline.lungs_network(seen, drawn, configs.localiser, workdir, say)
    parts = pipeline.frame(films, seen, localiser, chosen)
    (base,) = (c for c in configs.members if c.model == contract.MEMBERS[0].name)
    to = workdir / FOLDER
    search = _Search(base, parts, to, say, count)
    search.search()
    write_atomically(to / WINNER, tuning_table.to_toml(search.best()))
    return to


class _Search(keras_tuner.Tuner):  # type: ignore[misc]  # keras-tuner has no types
    """keras-tuner's loop around one of our resumable runs a trial."""

    def __init__(
        self,
        base: MemberConfig,
        parts: pipeline.Development,
        folder: Path,
        say: resumable_run.Say,
        count: int,
    ) -> None:
        oracle = keras_tuner.oracles.BayesianOptimizationOracle(
            objective=keras_tuner.Objective(tuning_table.LOSS, "min"), max_trials=count, seed=SEED
        )
        self._whole = base
        # Never stopped early: every trial has the same schedule.
        self._base = replace(base, epochs=EPOCHS, patience_epochs=EPOCHS)
        self._held = parts.framed.where(parts.folds == FOLD)
        self._train = parts.framed.where(parts.folds != FOLD)
        self._folder, self._say = folder, say
        super().__init__(
            oracle,
            hypermodel=lambda hp: suggested(hp, self._base),
            directory=str(folder),
            project_name="search",
            # Its own trials are read back: that is how a search goes on.
            overwrite=False,
        )

    def run_trial(self, trial: Any, *_: Any, **__: Any) -> dict[str, float]:
        """Train the trial's CNN and score it on the fold."""
        config = suggested(trial.hyperparameters, self._base)
        label = f"trial {trial.trial_id}"
        folder = self._folder / f"trial-{trial.trial_id}"
        model, state = member_training.fit(
            config,
            self._train,
            self._held,
            folder,
            _silent,
        )
        auc = evaluation.area(
            member_training.logits(model, self._held.crops()), self._held.films.labels
        )
        tuning_table.note(self._folder, trial.trial_id, config, state.best_loss, auc, state.seconds)
        self._say(f"{label}: loss {state.best_loss:.4f}, AUC {auc:.4f}")
        # Not the AUC: an ordered fold ranks models by their loss.
        return {tuning_table.LOSS: state.best_loss}

    def best(self) -> MemberConfig:
        """The winner, with the committed configuration's full schedule."""
        (hp,) = self.get_best_hyperparameters(1)
        # What was searched in 8 epochs is trained for as many as the committed file says.
        return suggested(hp, self._whole)


def _short(value: float) -> float:
    """Three digits say enough."""
    return float(f"{value:.3g}")


def _silent(_: str) -> None:
    """A trial's epochs are in its folder."""
