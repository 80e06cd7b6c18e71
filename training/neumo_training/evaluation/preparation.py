"""From a folder and options to what is judged: films read, hold-out respected, masks found."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import TextIO

import pandas as pd

from neumo import release
from neumo.commands.film_paths import shown
from neumo.errors import ConfigError
from neumo_training.datasets import curation, film_table, splits
from neumo_training.evaluation import cohort, found_masks, holdout, in_process_models
from neumo_training.evaluation.assessment import Subject
from neumo_training.evaluation.cohort import Cohort, Exclusion
from neumo_training.evaluation.stage_progress import Progress

ALL, HOLDOUT = "all", "holdout"


@dataclass(frozen=True, slots=True)
class Request:
    """What ``neumo evaluate`` was asked for; None means the default that its help names."""

    folder: Path
    out: Path | None = None
    models: Path | None = None
    release: int | None = None
    against: int | None = None
    part: str = ALL
    splits: Path | None = None
    again: bool = False
    masks: Path | None = None
    sizes: Path | None = None
    names: bool = False


@dataclass(frozen=True, slots=True)
class Prepared:
    """``subject``, the folder for the report, and what to call once the scores are known.

    ``answered`` records the reading of the hold-out and returns how many there were; None where
    the films are not the hold-out.
    """

    subject: Subject
    out: Path
    answered: Callable[[], int | None]


def prepare(request: Request, stream: TextIO) -> Prepared:
    """Read everything that ``request`` names; progress goes to ``stream``.

    Raises ``ConfigError`` for what cannot be used, before a film is read where that can be told.
    """
    store = request.models or release.shipped()
    ensemble = in_process_models.load(store, request.release)
    number = ensemble.manifest.release
    out = request.out or Path(f"runs/evaluate/release-{number}")
    _make_writable(out)
    if request.against == number:
        raise ConfigError(f"--against {number}: that is the release that is judged; name another")
    against = None if request.against is None else in_process_models.load(store, request.against)
    sizes = None if request.sizes is None else cohort.read_sizes(request.sizes)
    whole = film_table.scan(_root(request))
    fingerprint = film_table.fingerprint(whole)

    def read(films: pd.DataFrame, stage: str) -> Cohort:
        progress = Progress(len(films), stream)
        progress.stage(stage)
        try:
            return cohort.read(
                films, whole, progress.tick, lambda e: progress.say(_left_out(e)), sizes
            )
        finally:
            progress.close()

    films, fitted_on = whole, None
    if request.part == HOLDOUT:
        held = holdout.held(whole, splits.read(request.splits or splits.COMMITTED))
        if not request.again:
            holdout.refuse_second(out, ensemble, fingerprint)
        others = curation.one_per_patient(whole[~held])
        fitted_on = read(others, "reading films for the trivial baselines")
        films = whole[held]
    judged = read(films, "reading the films")
    masked = None if request.masks is None else found_masks.read(request.masks, judged.table)
    if masked is not None:
        cohort.require_patients(judged.table.iloc[masked[0]], "films with a mask")

    def answered() -> int | None:
        if request.part != HOLDOUT:
            return None
        if against is not None:
            holdout.record(out, against, fingerprint)
        return holdout.record(out, ensemble, fingerprint)

    subject = Subject(
        ensemble,
        judged,
        request.part,
        holds_training_films=request.part == ALL and _trained_on(ensemble, fingerprint),
        against=against,
        fitted_on=fitted_on,
        masked=masked,
        names=request.names,
    )
    return Prepared(subject, out, answered)


def _make_writable(out: Path) -> None:
    """Before anything is measured, so that no result is lost for want of a place."""
    try:
        out.mkdir(parents=True, exist_ok=True)
        with NamedTemporaryFile(dir=out):
            pass
    except OSError as error:
        reason = error.strerror or error
        raise ConfigError(f"{out}: cannot be written ({reason}); choose another --out") from error


def _root(request: Request) -> Path:
    """The folder with the two classes; the hold-out is part of the training folder."""
    train = request.folder / film_table.TRAIN
    return cohort.classes_folder(
        train if request.part == HOLDOUT and train.is_dir() else request.folder
    )


def _left_out(excluded: Exclusion) -> str:
    why = f"{excluded.reason} {excluded.detail}".strip()
    return f"neumo: left out: {shown(excluded.path)}: {why}"


def _trained_on(ensemble: in_process_models.Ensemble, fingerprint: str) -> bool:
    return bool(ensemble.manifest.data.get("fingerprint") == fingerprint)
