"""Films with a part taken away: what a model still says then shows where it looks.

Each function takes uint8 [n, 256, 256, 1] and fills what it takes with the film's own mean.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from neumo.contract import IMAGE_SIZE_PX
from neumo_training.evaluation.found_masks import Masks

Pixels = npt.NDArray[np.uint8]
Kept = npt.NDArray[np.bool_]
"""bool [n, 256, 256]."""

BORDER_PX = 32
BOX_MARGIN = 0.06
"""Of the lungs' box, on each side, as a share of its height and width."""


def keeping(pixels: Pixels, kept: Kept) -> Pixels:
    """``pixels`` where ``kept``, the film's mean elsewhere."""
    mean = np.rint(pixels.mean(axis=(1, 2, 3), keepdims=True)).astype(np.uint8)
    return np.where(kept[..., None], pixels, mean)


def boxes(masks: Masks) -> Kept:
    """The lungs' bounding boxes with their margin; nothing where a mask is empty."""
    rows, columns = (_span(masks.max(axis=axis) > 0) for axis in (2, 1))
    inside: Kept = rows[:, :, None] & columns[:, None, :]
    return inside


def borders(films: int) -> Kept:
    """The outer 32 pixels of each of ``films``."""
    kept = np.ones((films, IMAGE_SIZE_PX, IMAGE_SIZE_PX), bool)
    kept[:, BORDER_PX:-BORDER_PX, BORDER_PX:-BORDER_PX] = False
    return kept


def inputs(pixels: Pixels, masks: Masks | None) -> dict[str, Pixels]:
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


def _span(used: Kept) -> Kept:
    """From ``used`` [n, 256], the stretch from its first to its last, widened by the margin."""
    place = np.arange(IMAGE_SIZE_PX)
    first = np.argmax(used, axis=1)
    last = IMAGE_SIZE_PX - 1 - np.argmax(used[:, ::-1], axis=1)
    margin = BOX_MARGIN * (last - first + 1)
    span: Kept = (place >= (first - margin)[:, None]) & (place <= (last + margin)[:, None])
    somewhere: Kept = (used.sum(axis=1) > 0)[:, None]
    return span & somewhere
