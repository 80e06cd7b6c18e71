"""Films with a part taken away: what a model still says then shows where it looks.

Each function takes uint8 [n, 256, 256, 1] and fills what it takes with the film's own mean.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from neumo.contract import IMAGE_SIZE_PX
from neumo_training.evaluation.baselines import BORDER_PX
from neumo_training.evaluation.in_process_models import MaskPixels, Pixels
from neumo_training.networks import framing

Kept = npt.NDArray[np.bool_]
"""bool [n, 256, 256]."""


def keeping(pixels: Pixels, kept: Kept) -> Pixels:
    """``pixels`` where ``kept``, the film's mean elsewhere."""
    # The film's own mean: black or grey would be a new border for the model to read.
    mean = np.rint(pixels.mean(axis=(1, 2, 3), keepdims=True)).astype(np.uint8)
    return np.where(kept[..., None], pixels, mean)


def boxes(masks: MaskPixels) -> Kept:
    """What the members are shown: the lungs' box with its margin, all of a film without lungs."""
    box = framing.boxes(masks[..., None].astype(np.float32)).numpy()
    top, left, bottom, right = (box * IMAGE_SIZE_PX).T[:, :, None]
    # A pixel belongs to the box that its centre lies in.
    middle = np.arange(IMAGE_SIZE_PX) + 0.5
    rows, columns = (top < middle) & (middle < bottom), (left < middle) & (middle < right)
    inside: Kept = rows[:, :, None] & columns[:, None, :]
    return inside


def borders(films: int) -> Kept:
    """The outer 16 pixels of each of ``films``."""
    kept = np.ones((films, IMAGE_SIZE_PX, IMAGE_SIZE_PX), bool)
    kept[:, BORDER_PX:-BORDER_PX, BORDER_PX:-BORDER_PX] = False
    return kept


def inputs(pixels: Pixels, masks: MaskPixels | None) -> dict[str, Pixels]:
    """Every test's films by its name; those that need lungs only where ``masks`` are given."""
    only_borders = {"borders_only": keeping(pixels, borders(len(pixels)))}
    if masks is None:
        return only_borders
    lungs, box = masks > 0, boxes(masks)
    return {
        "lungs_only": keeping(pixels, lungs),
        "lungs_removed": keeping(pixels, ~lungs),
        "lungs_box_only": keeping(pixels, box),
        "lungs_box_removed": keeping(pixels, ~box),
        **only_borders,
    }
