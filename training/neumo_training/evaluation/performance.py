"""How well the scores tell the classes apart: models, thresholds, prevalences, types, pairs."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import numpy as np
import numpy.typing as npt

from neumo_training.evaluation.cohort import MIN_PATIENTS, Cohort, film_counts
from neumo_training.evaluation.estimates import Estimate, estimate
from neumo_training.evaluation.in_process_models import Answers
from neumo_training.evaluation.intervals import differences, drawn_metrics, with_intervals
from neumo_training.evaluation.resampling import resample
from neumo_training.evaluation.scoring import Labels, Scores, metrics
from neumo_training.evaluation.thresholds import (
    at_sensitivity,
    best_balanced,
    best_worst_run,
    equal_errors,
)

Document = dict[str, Any]

PREVALENCES = (0.02, 0.05, 0.10, 0.20)
"""Of pneumonia among the children whose chest is radiographed: from a screening to a sick ward."""
SENSITIVITY_WANTED = 0.95
COMPARED = ("auc", "accuracy", "balanced_accuracy", "brier")
"""The metrics of which a difference is told."""


def models(answers: Answers, cohort: Cohort) -> Document:
    """Every metric with its interval, of the ensemble and of each member."""
    return {
        name: as_document(with_intervals(scores, cohort.labels, cohort.patients, answers.threshold))
        for name, scores in answers.models.items()
    }


def thresholds(answers: Answers, cohort: Cohort) -> list[Document]:
    """What the shipped threshold gives the ensemble, and what rules fitted on this set would."""
    scores, labels = answers.ensemble, cohort.labels
    chosen = {
        "shipped": answers.threshold,
        "best_balanced": best_balanced(scores, labels).threshold,
        "at_sensitivity": at_sensitivity(scores, labels, SENSITIVITY_WANTED).threshold,
        "equal_errors": equal_errors(scores, labels).threshold,
    }
    # Only where there are runs to be judged by.
    if (by_runs := best_worst_run(scores, labels, cohort.table)) is not None:
        chosen["best_worst_run"] = by_runs.threshold
    return [
        {
            "name": name,
            "threshold": threshold,
            "fitted_on_these_films": name != "shipped",
            **({"sensitivity_wanted": SENSITIVITY_WANTED} if name == "at_sensitivity" else {}),
            "metrics": as_document(
                with_intervals(scores, labels, cohort.patients, threshold),
                ("sensitivity", "specificity", "accuracy", "balanced_accuracy"),
            ),
        }
        for name, threshold in chosen.items()
    ]


def predictive_values(answers: Answers, cohort: Cohort) -> list[Document]:
    """PPV and NPV of the ensemble at the shipped threshold, at each of four prevalences."""
    scores, labels = answers.ensemble, cohort.labels
    value = metrics(scores, labels, answers.threshold)
    drawn = drawn_metrics(
        scores, labels, answers.threshold, resample(cohort.patients, cohort.labels)
    )
    rows = []
    for prevalence in PREVALENCES:
        values = _predictive(
            np.array([value["sensitivity"]]), np.array([value["specificity"]]), prevalence
        )
        draws = _predictive(drawn["sensitivity"], drawn["specificity"], prevalence)
        rows.append(
            {"prevalence": prevalence}
            | {name: _or_none(values[name][0], draws[name]) for name in values}
        )
    return rows


def types(answers: Answers, cohort: Cohort) -> Document:
    """The ensemble on each type of pneumonia against all normal films."""
    names = sorted(set(cohort.table["type"]) - {"normal"})
    kinds = cohort.table["type"].to_numpy(str)
    return {
        name: subset(
            answers,
            cohort,
            (kinds == name) | (cohort.labels == 0),
            ("auc", "sensitivity", "brier"),
        )
        for name in names
    }


def subset(
    answers: Answers,
    cohort: Cohort,
    films: npt.NDArray[np.bool_],
    names: tuple[str, ...] = ("auc", "sensitivity", "specificity", "balanced_accuracy"),
) -> Document:
    """The ensemble's metrics ``names`` on some ``films``; None with too few patients of a class."""
    labels, patients = cohort.labels[films], cohort.patients[films]
    counted: Document = {"films": film_counts(labels)}
    # Patients, not films: resamples draw patients.
    few = min(len(np.unique(patients[labels == label])) for label in (0, 1)) < MIN_PATIENTS
    judged = (
        None
        if few
        else as_document(
            with_intervals(answers.ensemble[films], labels, patients, answers.threshold), names
        )
    )
    return {**counted, "metrics": judged}


def less_members(answers: Answers, cohort: Cohort) -> Document:
    """The ensemble less each member, by a paired bootstrap."""
    ours = (answers.ensemble, answers.threshold)
    return {
        name: _difference(ours, (scores, answers.threshold), cohort.labels, cohort.patients)
        for name, scores in answers.members.items()
    }


def against(answers: Answers, other: Answers, other_release: int, cohort: Cohort) -> Document:
    """The ensemble less that of release ``other_release``, each at its own threshold, paired."""
    return {
        "release": other_release,
        "threshold": other.threshold,
        "metrics": as_document(
            with_intervals(other.ensemble, cohort.labels, cohort.patients, other.threshold)
        ),
        "difference": _difference(
            (answers.ensemble, answers.threshold),
            (other.ensemble, other.threshold),
            cohort.labels,
            cohort.patients,
        ),
    }


def as_document(estimates: dict[str, Estimate], names: tuple[str, ...] | None = None) -> Document:
    """Estimates as plain numbers, those called ``names`` only where given."""
    return {name: asdict(e) for name, e in estimates.items() if names is None or name in names}


def _difference(
    ours: tuple[Scores, float],
    theirs: tuple[Scores, float],
    labels: Labels,
    patients: npt.NDArray[np.str_],
) -> Document:
    return as_document(differences(ours, theirs, labels, patients), COMPARED)


def _predictive(
    sensitivity: Scores, specificity: Scores, prevalence: float
) -> dict[str, npt.NDArray[np.float64]]:
    """``ppv`` and ``npv``; NaN where nothing is called that."""
    sick, well = prevalence, 1.0 - prevalence
    called, passed = sensitivity * sick, specificity * well
    alarms = called + (1.0 - specificity) * well
    clear = passed + (1.0 - sensitivity) * sick
    nothing = np.full_like(called, np.nan)
    return {
        "ppv": np.divide(called, alarms, out=nothing.copy(), where=alarms > 0.0),
        "npv": np.divide(passed, clear, out=nothing.copy(), where=clear > 0.0),
    }


def _or_none(value: float, drawn: npt.NDArray[np.float64]) -> Document | None:
    """The estimate, None where it cannot be told."""
    if np.isnan(value):
        return None
    return asdict(estimate(value, drawn[~np.isnan(drawn)]))
