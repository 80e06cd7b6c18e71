"""What the release's ``lungs`` is worth on these films, and whether the heat lies in the lungs."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import numpy as np
import numpy.typing as npt

from neumo_training.datasets.lung_masks import dice
from neumo_training.evaluation.cohort import Cohort
from neumo_training.evaluation.in_process_models import LungsFound, MaskPixels
from neumo_training.evaluation.intervals import mean_with_interval

Document = dict[str, Any]


def refused(lungs: LungsFound, cohort: Cohort) -> Document:
    """The share of films that the SDK would refuse as no chest radiograph, by class and in all."""
    below = lungs.chest < lungs.threshold
    labels = cohort.table["label"].to_numpy(str)
    return {
        "threshold": lungs.threshold,
        "share": asdict(
            mean_with_interval(below.astype(np.float64), cohort.labels, cohort.patients)
        ),
        "films": {str(name): int(below[labels == name].sum()) for name in np.unique(labels)},
    }


def agreement(lungs: MaskPixels, drawn: MaskPixels, cohort: Cohort) -> Document:
    """Dice of the masks that the release finds against the ones that were drawn."""
    values = dice(lungs, drawn)
    return {
        "films": len(values),
        "mean": asdict(mean_with_interval(values, cohort.labels, cohort.patients)),
        "median": float(np.median(values)),
        "lowest_5_percent": float(np.quantile(values, 0.05)),
    }


def heat_inside(
    heat: npt.NDArray[np.float32], masks: MaskPixels, cohort: Cohort, drawn_by: str
) -> Document | None:
    """How much of the heat lies in the lungs, beside the lungs' share of the film."""
    share = share_inside(heat, masks)
    told = ~np.isnan(share)
    if not all((told & (cohort.labels == label)).any() for label in (0, 1)):
        return None
    labels, patients = cohort.labels[told], cohort.patients[told]
    area = masks[told].mean(axis=(1, 2), dtype=np.float64)
    return {
        "films": int(told.sum()),
        "without_heat": int((~told).sum()),
        "masks": drawn_by,
        "share": asdict(mean_with_interval(share[told], labels, patients)),
        "lungs_share_of_the_film": asdict(mean_with_interval(area, labels, patients)),
    }


def share_inside(heat: npt.NDArray[np.float32], masks: MaskPixels) -> npt.NDArray[np.float64]:
    """How much of each heat map, float32 [n, 256, 256], lies in the lungs; NaN without heat."""
    total = heat.sum(axis=(1, 2), dtype=np.float64)
    inside = (heat * masks).sum(axis=(1, 2), dtype=np.float64)
    nothing = np.full_like(total, np.nan)
    share: npt.NDArray[np.float64] = np.divide(inside, total, out=nothing, where=total > 0.0)
    return share
