"""Where a release fails together: its worst runs, and what is left of it at the same look."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import numpy as np

from neumo_training.evaluation import look, runs
from neumo_training.evaluation.cohort import Cohort
from neumo_training.evaluation.in_process_models import Answers, MaskPixels
from neumo_training.evaluation.intervals import with_intervals
from neumo_training.evaluation.performance import as_document
from neumo_training.evaluation.scoring import Scores, area, calibration_error
from neumo_training.networks import batches, framing

Document = dict[str, Any]

_WORST_SHARE = 0.25
_STEP = 5


def of_runs(answers: Answers, cohort: Cohort) -> Document:
    """The ensemble at its threshold: worst run of each class, its tenth, intervals over runs.

    ``ece_in_worst_quarter`` is of the films of the quarter of runs with the largest Brier score.
    """
    right = (answers.ensemble > answers.threshold) == (cohort.labels > 0)
    clusters = runs.clusters(cohort.table)
    return {
        "films_in_a_run": dict(runs.RUN_FILMS),
        "classes": {label: _of_class(right, cohort, label) for label in runs.RUN_FILMS},
        "intervals_over_runs": as_document(
            with_intervals(answers.ensemble, cohort.labels, clusters, answers.threshold)
        ),
        "ece_in_worst_quarter": _ece_in_worst_quarter(answers, cohort, clusters),
        "by_place": _by_place(answers.ensemble, cohort),
    }


def at_the_same_look(answers: Answers, cohort: Cohort, masks: MaskPixels | None) -> Document | None:
    """AUC of the ensemble among films of one look, and of the look alone; None without lungs."""
    if masks is None:
        return None
    boxes = framing.boxes(masks[..., None].astype(np.float32)).numpy()
    small = batches.convert(framing.film, cohort.pixels)
    looks = look.numbers(batches.convert(framing.crop, small, boxes))
    alone = look.propensity(looks, cohort.labels, cohort.patients)
    return {
        "numbers": list(look.NUMBERS),
        "auc_of_the_look": area(alone, cohort.labels),
        "auc": area(answers.ensemble, cohort.labels),
        "auc_at_the_same_look": look.matched_auc(answers.ensemble, cohort.labels, alone),
    }


def _of_class(right: np.typing.NDArray[np.bool_], cohort: Cohort, label: str) -> Document | None:
    worst = runs.worst(right, cohort.table, label)
    if worst is None:
        return None
    every = runs.shares(right, cohort.table, label)
    return {"worst": asdict(worst), "tenth": float(np.quantile(every, 0.1)), "runs": len(every)}


def _ece_in_worst_quarter(
    answers: Answers, cohort: Cohort, clusters: np.typing.NDArray[np.str_]
) -> float:
    wrong = (answers.ensemble - cohort.labels) ** 2
    names, of = np.unique(clusters, return_inverse=True)
    brier = np.bincount(of, wrong) / np.bincount(of)
    worst = np.argsort(-brier)[: max(1, round(_WORST_SHARE * len(names)))]
    inside = np.isin(of, worst)
    return calibration_error(answers.ensemble[inside], cohort.labels[inside])


def _by_place(scores: Scores, cohort: Cohort) -> list[Document]:
    """The mean probability of each run, every fifth, along its series: what the plot shows."""
    found = []
    for label, size in runs.RUN_FILMS.items():
        for series, rows in runs.in_order(cohort.table, label).items():
            if len(rows) >= size:
                means = runs.means(scores[rows], size)[::_STEP]
                middle = (np.arange(len(means)) * _STEP + size / 2.0) / len(rows)
                found.append(
                    {
                        "label": label,
                        "series": series,
                        "place": [round(float(v), 4) for v in middle],
                        "mean_probability": [round(float(v), 4) for v in means],
                    }
                )
    return found
