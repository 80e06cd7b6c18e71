"""From a folder and options to what is judged: films read, hold-out respected, masks found."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import TextIO

import numpy as np
import numpy.typing as npt
import pandas as pd

from neumo import release
from neumo.commands.film_paths import shown
from neumo.errors import ConfigError
from neumo_training.datasets import classes_folder, curation, film_table, lung_masks, splits
from neumo_training.evaluation import cohort, holdout, in_process_models
from neumo_training.evaluation.assessment import Subject
from neumo_training.evaluation.cohort import Cohort, Exclusion
from neumo_training.stage_progress import StageProgress

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

    def say(line: str) -> None:
        stream.write(f"neumo: {line}\n")

    store = request.models or release.shipped()
    ensemble = in_process_models.load(store, request.release)
    judged_release = ensemble.manifest.release
    out = request.out or Path(f"runs/evaluate/release-{judged_release}")
    _make_writable(out)
    if request.against == judged_release:
        raise ConfigError(
            f"--against {judged_release}: that is the release that is judged; name another"
        )
    against = None if request.against is None else in_process_models.load(store, request.against)
    sizes = None if request.sizes is None else cohort.read_sizes(request.sizes)
    root = _root(request)
    for line in film_table.passed_over(root):
        say(line)
    whole = film_table.scan(root)
    fingerprint = film_table.fingerprint(whole)

    def read(films: pd.DataFrame, stage: str) -> Cohort:
        return _read(films, whole, sizes, StageProgress(len(films), stream), stage)

    films, fitted_on = whole, None
    if request.part == HOLDOUT:
        held = holdout.held(whole, splits.read(request.splits or splits.COMMITTED))
        if not request.again:
            holdout.refuse_second(out, ensemble, fingerprint)
        # One each: baselines must not learn a patient by his many films.
        others = curation.one_per_patient(whole[~held])
        fitted_on = read(others, "reading films for the trivial baselines")
        films = whole[held]
    judged = read(films, "reading the films")
    masked = None if request.masks is None else _masked(request.masks, judged.table, say)

    def answered() -> int | None:
        if request.part != HOLDOUT:
            return None
        if against is not None:
            # The release compared with has read these films as well.
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


def _read(
    films: pd.DataFrame,
    whole: pd.DataFrame,
    sizes: dict[str, tuple[int, int]] | None,
    progress: StageProgress,
    stage: str,
) -> Cohort:
    progress.stage(stage)
    try:
        return cohort.read(films, whole, progress.tick, lambda e: progress.say(_left_out(e)), sizes)
    finally:
        progress.close()


def _make_writable(out: Path) -> None:
    """Before anything is measured, so that no result is lost for want of a place."""
    try:
        out.mkdir(parents=True, exist_ok=True)
        # A real file: permission bits say nothing on a read-only mount.
        with NamedTemporaryFile(dir=out):
            pass
    except OSError as error:
        reason = error.strerror or error
        raise ConfigError(f"{out}: cannot be written ({reason}); choose another --out") from error


def _root(request: Request) -> Path:
    """The folder with the two classes; the hold-out is part of the training folder."""
    train = request.folder / classes_folder.TRAIN
    return classes_folder.find(
        train if request.part == HOLDOUT and train.is_dir() else request.folder,
        classes_folder.PARTS,
    )


def _masked(
    folder: Path, table: pd.DataFrame, say: Callable[[str], None]
) -> tuple[npt.NDArray[np.int_], in_process_models.MaskPixels]:
    """The rows of ``table`` that have a drawn mask in ``folder``, and those masks."""
    drawn = lung_masks.load(table, folder, say)
    cohort.require_patients(table[drawn.known], "films with a mask")
    return np.flatnonzero(drawn.known), drawn.pixels[drawn.known, :, :, 0]


def _left_out(excluded: Exclusion) -> str:
    why = f"{excluded.reason} {excluded.detail}".strip()
    return f"neumo: left out: {shown(excluded.path)}: {why}"


def _trained_on(ensemble: in_process_models.Ensemble, fingerprint: str) -> bool:
    return bool(ensemble.manifest.data.get("fingerprint") == fingerprint)
