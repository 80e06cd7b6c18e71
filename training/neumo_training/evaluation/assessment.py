"""Everything that ``neumo evaluate`` measures, as one document of plain numbers and texts.

The document holds no film, no path and no file's name; the examples beside it are films.
"""

from __future__ import annotations

import platform
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from functools import partial
from importlib.metadata import version
from typing import Any

import numpy as np
import numpy.typing as npt

from neumo import contract, release
from neumo_training.evaluation import (
    ablations,
    baselines,
    by_look,
    curves,
    geometry,
    lungs_figures,
    performance,
    robustness,
    worst_errors,
)
from neumo_training.evaluation.calibration_line import calibration_line
from neumo_training.evaluation.cohort import Cohort, described
from neumo_training.evaluation.corruptions import CORRUPTIONS, SEVERITIES
from neumo_training.evaluation.document_header import NOTICE, SCHEMA
from neumo_training.evaluation.estimates import DRAWS, LEVEL, Estimate
from neumo_training.evaluation.in_process_models import (
    Answers,
    Ensemble,
    LungsFound,
    MaskPixels,
    Pixels,
    answer,
    explain,
    find_lungs,
)
from neumo_training.evaluation.intervals import auc_with_interval
from neumo_training.evaluation.net_benefit import net_benefit
from neumo_training.evaluation.scoring import Scores
from neumo_training.evaluation.worst_errors import Example
from neumo_training.stage_progress import StageProgress

Document = dict[str, Any]

_SEED = 1905
_EXPLAINING = 3
"""A heat map takes about as long as this many answers."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """How many films the parts take that ask about each film many times; half of each class."""

    # 13 corruptions at 3 severities: 7,800 answers of each member.
    corrupted: int = 200
    shortcuts: int = 600
    copied: int = 200
    explained: int = 200


@dataclass(frozen=True, slots=True, eq=False)
class Subject:
    """What is judged on what.

    ``fitted_on`` are the films that the trivial baselines are fitted on; None where they are
    cross-validated within ``cohort``. ``masked`` are the rows of ``cohort`` that have a drawn
    mask, and those masks.
    """

    ensemble: Ensemble
    cohort: Cohort
    part: str
    holds_training_films: bool
    against: Ensemble | None = None
    fitted_on: Cohort | None = None
    masked: tuple[npt.NDArray[np.int_], MaskPixels] | None = None
    names: bool = False
    bounds: Bounds = Bounds()

    @property
    def work(self) -> int:
        """About how many films will be asked about, each time counted."""
        films, bounds = len(self.cohort.labels), self.bounds
        asked = films * (1 + (self.against is not None) + self.ensemble.has_lungs)
        asked += min(films, bounds.corrupted) * len(CORRUPTIONS) * len(SEVERITIES)
        asked += min(films, bounds.shortcuts) * (5 if self._has_masks else 1)
        return asked + min(films, bounds.copied) + _EXPLAINING * min(films, bounds.explained)

    @property
    def _has_masks(self) -> bool:
        return self.masked is not None or self.ensemble.has_lungs


@dataclass(frozen=True, slots=True)
class Assessment:
    """The document, and the pictures that only the page shows."""

    document: Document
    examples: tuple[Example, ...]


def assess(
    subject: Subject, progress: StageProgress, answered: Callable[[], int | None], films: bool
) -> Assessment:
    """Judge ``subject``; ``answered`` is called once the scores are known, before they are told.

    It returns how many times the hold-out was read, None where it is none. ``films`` says
    whether examples are drawn.
    """
    ensemble, cohort = subject.ensemble, subject.cohort
    progress.stage(f"release {ensemble.manifest.release} on {len(cohort.labels)} films")
    answers = answer(ensemble, cohort.pixels, progress.tick)
    # Before a figure is told: a crash later on must not leave a reading uncounted.
    readings = answered()
    document = _heading(subject, readings)
    document |= _performance(answers, cohort)
    document["against"] = _against(subject, answers, progress)
    document["baselines"] = _baselines(subject, answers)
    document["geometry"] = geometry.subgroups(answers, cohort)
    lungs = _lungs(subject, progress)
    masks = None if lungs is None else lungs.masks
    document["look"] = by_look.at_the_same_look(answers, cohort, masks)
    document |= _robustness(subject, answers, lungs, progress)
    document |= _looking(subject, lungs, progress)
    document["tried"] = _tried(subject)
    if subject.names:
        document["per_film"] = _per_film(answers, cohort)
    drawn = _examples(subject, answers, progress) if films else ()
    document["not_measured"] = _not_measured(document, subject)
    return Assessment(document, drawn)


def _heading(subject: Subject, readings: int | None) -> Document:
    manifest = subject.ensemble.manifest
    return {
        "schema": SCHEMA,
        "notice": NOTICE,
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "release": {
            "number": manifest.release,
            "contract": manifest.contract,
            "threshold": manifest.threshold,
            "models": sorted(manifest.models),
            "weights_sha256": subject.ensemble.weights_sha256,
        },
        "set": {
            "part": subject.part,
            "holdout_readings": readings,
            "holds_training_films": subject.holds_training_films,
            **described(subject.cohort),
        },
        "intervals": {"level": LEVEL, "draws": DRAWS, "by": "patient, within each class"},
        "environment": {
            **{name: version(name) for name in ("neumo", "tensorflow", "numpy", "pillow")},
            "python": platform.python_version(),
        },
    }


def _performance(answers: Answers, cohort: Cohort) -> Document:
    scores, labels, patients = answers.ensemble, cohort.labels, cohort.patients
    return {
        "models": performance.models(answers, cohort),
        "thresholds": performance.thresholds(answers, cohort),
        "predictive_values": performance.predictive_values(answers, cohort),
        "types": performance.types(answers, cohort),
        "ensemble_less_member": performance.less_members(answers, cohort),
        "runs": by_look.of_runs(answers, cohort),
        "calibration": asdict(calibration_line(scores, labels)),
        "net_benefit": net_benefit(scores, labels),
        "confusion": curves.confusion(scores, labels, answers.threshold),
        "curves": {
            "roc": curves.roc_band(scores, labels, patients),
            "precision_recall": curves.precision_recall(scores, labels),
            "reliability": curves.reliability(scores, labels, patients),
            "histogram": curves.histogram(scores, labels),
        },
    }


def _against(subject: Subject, answers: Answers, progress: StageProgress) -> Document | None:
    if subject.against is None:
        return None
    other_release = subject.against.manifest.release
    progress.stage(f"release {other_release} on the same films")
    other = answer(subject.against, subject.cohort.pixels, progress.tick)
    return performance.against(answers, other, other_release, subject.cohort)


def _baselines(subject: Subject, answers: Answers) -> Document:
    cohort, train = subject.cohort, subject.fitted_on
    if train is None:
        scores = baselines.cross_validated(cohort, cohort.patients, cohort.sizes_px)
        how = f"cross-validated by patient within these films, {baselines.FOLDS} folds"
    else:
        scores = baselines.scores(train, cohort, train.sizes_px, cohort.sizes_px)
        how = f"fitted on {len(train.labels)} films that are not in the hold-out"
    auc = {name: _auc_where_told(v, cohort) for name, v in scores.items()}
    ours = auc_with_interval(answers.ensemble, cohort.labels, cohort.patients)
    return {
        "fitted": how,
        "films_of_known_size": int((cohort.sizes_px.min(axis=1) > 0).sum()),
        "auc": {name: asdict(found) for name, found in auc.items()},
        # By the interval: what the release cannot be told from, it does not beat on these films.
        "as_good_as_the_release": [name for name, of in auc.items() if of.high >= ours.value],
    }


def _auc_where_told(values: Scores, cohort: Cohort) -> Estimate:
    told = ~np.isnan(values)
    return auc_with_interval(values[told], cohort.labels[told], cohort.patients[told])


def _lungs(subject: Subject, progress: StageProgress) -> LungsFound | None:
    if not subject.ensemble.has_lungs:
        return None
    progress.stage("the lungs")
    return find_lungs(subject.ensemble, subject.cohort.pixels, progress.tick)


def _robustness(
    subject: Subject, answers: Answers, lungs: LungsFound | None, progress: StageProgress
) -> Document:
    cohort, bounds = subject.cohort, subject.bounds

    def ask(pixels: Pixels) -> Answers:
        return answer(subject.ensemble, pixels, progress.tick)

    progress.stage("corruptions")
    rows = cohort.balanced(bounds.corrupted, _SEED)
    corrupted = robustness.under_corruptions(ask, cohort.at(rows), _at(answers, rows), _SEED)
    progress.stage("shortcuts")
    rows, masks = _with_masks(subject, lungs, bounds.shortcuts)
    shortcuts = robustness.without_parts(ask, cohort.at(rows), _at(answers, rows), masks)
    shortcuts["masks"] = None if masks is None else _drawn_by(subject)
    progress.stage("copies of less resolution")
    rows = cohort.balanced(bounds.copied, _SEED)
    copies = robustness.as_small_copies(ask, cohort.at(rows), _at(answers, rows))
    return {"corruptions": corrupted, "shortcuts": shortcuts, "resolution": copies}


def _looking(subject: Subject, lungs: LungsFound | None, progress: StageProgress) -> Document:
    cohort = subject.cohort
    document: Document = {"lungs": None, "heat": None}
    if lungs is not None:
        document["lungs"] = {"refused": lungs_figures.refused(lungs, cohort), "dice": None}
        if subject.masked is not None:
            rows, drawn = subject.masked
            agreement = lungs_figures.agreement(lungs.masks[rows], drawn, cohort.at(rows))
            document["lungs"]["dice"] = agreement
    rows, masks = _with_masks(subject, lungs, subject.bounds.explained)
    if masks is not None:
        progress.stage("heat maps")
        heat = explain(subject.ensemble, cohort.pixels[rows], partial(_heavier, progress))
        document["heat"] = lungs_figures.heat_inside(
            heat, masks, cohort.at(rows), _drawn_by(subject)
        )
    return document


def _with_masks(
    subject: Subject, lungs: LungsFound | None, films: int
) -> tuple[npt.NDArray[np.int_], MaskPixels | None]:
    """At most ``films`` rows, balanced, and their masks: drawn ones before those found."""
    cohort = subject.cohort
    if subject.masked is not None:
        with_mask, drawn = subject.masked
        # Drawn by people where there are any: a release must not be judged by its own masks.
        chosen = cohort.at(with_mask).balanced(films, _SEED)
        return with_mask[chosen], drawn[chosen]
    rows = cohort.balanced(films, _SEED)
    return rows, None if lungs is None else lungs.masks[rows]


def _drawn_by(subject: Subject) -> str:
    return "given" if subject.masked is not None else "found by the release"


def _tried(subject: Subject) -> list[Document]:
    """What was tried for the release, where it is one that neumo ships."""
    return [asdict(trial) for trial in ablations.of(subject.ensemble.manifest, release.shipped())]


def _examples(subject: Subject, answers: Answers, progress: StageProgress) -> tuple[Example, ...]:
    rows = worst_errors.rows(answers, subject.cohort)
    if not len(rows):
        return ()
    progress.stage("examples")
    heat = explain(subject.ensemble, subject.cohort.pixels[rows], partial(_heavier, progress))
    return worst_errors.draw(answers, subject.cohort, rows, heat)


def _per_film(answers: Answers, cohort: Cohort) -> list[Document]:
    return [
        {
            "name": str(name),
            "label": str(label),
            **{model: float(scores[row]) for model, scores in answers.models.items()},
        }
        for row, (name, label) in enumerate(
            zip(cohort.table["name"], cohort.table["label"], strict=True)
        )
    ]


def _not_measured(document: Document, subject: Subject) -> dict[str, str]:
    """Which parts are absent, and why."""
    reasons = {
        "against": "no other release was named (--against)",
        "geometry": "the films have one size, or an unknown one (--sizes lists the originals')",
        "look": f"release {subject.ensemble.manifest.release} finds no lungs to look at",
        "lungs": f"release {subject.ensemble.manifest.release} has no model {contract.LUNGS.name}",
        "heat": "no masks were given (--masks), or there is no heat in one of the classes",
    }
    return {name: reason for name, reason in reasons.items() if not document[name]}


def _at(answers: Answers, rows: npt.NDArray[np.int_]) -> Answers:
    return Answers({n: scores[rows] for n, scores in answers.members.items()}, answers.threshold)


def _heavier(progress: StageProgress, films: int) -> None:
    progress.tick(_EXPLAINING * films)
