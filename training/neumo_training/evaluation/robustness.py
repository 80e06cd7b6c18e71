"""How far the answers move when the film, not the patient, changes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from neumo import image
from neumo_training.evaluation.cohort import Cohort, film_counts
from neumo_training.evaluation.corruptions import CORRUPTIONS, SEVERITIES, compressed, corrupted
from neumo_training.evaluation.in_process_models import Answers, MaskPixels, Pixels
from neumo_training.evaluation.intervals import with_intervals
from neumo_training.evaluation.performance import as_document
from neumo_training.evaluation.shortcuts import inputs

Document = dict[str, Any]
Ask = Callable[[Pixels], Answers]

COPY_PX = 224
COPY_QUALITY = 90
USUAL_SEVERITY = 3
"""Beyond it a film is spoilt so that people would take it anew."""
_TOLD = ("auc", "sensitivity", "specificity", "balanced_accuracy")


def under_corruptions(ask: Ask, cohort: Cohort, clean: Answers, seed: int) -> Document:
    """The ensemble's metrics on ``cohort`` clean, and under each corruption and severity."""
    by_corruption: dict[str, Document] = {}
    for rank, name in enumerate(CORRUPTIONS):
        by_corruption[name] = {
            str(severity): _judged(
                # A seed of its own for each: the same noise 39 times would be one test.
                ask(corrupted(name, severity, cohort.pixels, seed + 10 * rank + severity)),
                cohort,
            )
            for severity in SEVERITIES
        }
    every = [of["auc"]["value"] for levels in by_corruption.values() for of in levels.values()]
    usual = [
        (of[metric]["value"], metric, name, severity)
        for name, levels in by_corruption.items()
        for severity, of in levels.items()
        for metric in ("sensitivity", "specificity")
        if int(severity) <= USUAL_SEVERITY
    ]
    least, *what = min(usual)
    return {
        "films": film_counts(cohort.labels),
        "seed": seed,
        "severities": list(SEVERITIES),
        "clean": _judged(clean, cohort),
        "mean_auc": float(np.mean(every)),
        "least_auc": float(np.min(every)),
        # The AUC forgives what moves all films alike; the threshold does not.
        "least_of_a_class": {
            "value": least,
            "up_to_severity": USUAL_SEVERITY,
            **dict(zip(("metric", "corruption", "severity"), what, strict=True)),
        },
        "corruptions": by_corruption,
    }


def without_parts(ask: Ask, cohort: Cohort, clean: Answers, masks: MaskPixels | None) -> Document:
    """The ensemble's metrics on films with the lungs, or all but them, filled by the mean."""
    tests = {name: ask(pixels) for name, pixels in inputs(cohort.pixels, masks).items()}
    return {
        "films": film_counts(cohort.labels),
        "whole": _judged(clean, cohort),
        "tests": {name: _judged(answers, cohort) for name, answers in tests.items()},
    }


def as_small_copies(ask: Ask, cohort: Cohort, clean: Answers) -> Document:
    """How far the probability moves between a file and its 224 x 224 JPEG copy."""
    copies = [_small_copy(Path(path)) for path in cohort.table["path"]]
    after = ask(np.stack([pixels for pixels, _ in copies])).ensemble
    moved = np.abs(after - clean.ensemble)
    flipped = (after > clean.threshold) != (clean.ensemble > clean.threshold)
    return {
        "films": len(copies),
        "larger_than_the_copy": sum(larger for _, larger in copies),
        "copy_px": COPY_PX,
        "copy_quality": COPY_QUALITY,
        "moved_mean": float(moved.mean()),
        "moved_median": float(np.median(moved)),
        "moved_95_percent": float(np.quantile(moved, 0.95)),
        "moved_most": float(moved.max()),
        "decisions_changed": int(flipped.sum()),
    }


def _small_copy(path: Path) -> tuple[Pixels, bool]:
    """The pixels of the copy, and whether the file is larger than it."""
    film, _ = image.decode(path)
    # Squashed and compressed as the public copies were, so the question is a user's.
    small = film.convert("L").resize((COPY_PX, COPY_PX), Image.Resampling.BICUBIC)
    return image.read(compressed(small, COPY_QUALITY)).pixels, min(film.size) > COPY_PX


def _judged(answers: Answers, cohort: Cohort) -> Document:
    found = with_intervals(answers.ensemble, cohort.labels, cohort.patients, answers.threshold)
    return as_document(found, _TOLD)
