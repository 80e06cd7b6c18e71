"""The outlines of what a mask marks. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

Point: TypeAlias = tuple[int, int]
Contour: TypeAlias = list[Point]


def trace(mask: npt.NDArray[np.uint8]) -> list[Contour]:
    """The closed outlines of the non-zero pixels of ``mask`` [h, w].

    Each is its corners (x, y) along the pixels' edges, not repeated at the end, so that pixel
    (0, 0) has the corners (0, 0), (1, 0), (1, 1), (0, 1). What is marked lies to the right, in
    the direction of the path as seen on the screen: holes run the other way round. Pixels that
    touch by a corner only are apart.
    """
    leaving = _edges(mask)
    contours = []
    while leaving:
        start = next(iter(leaving))
        contours.append(_corners(list(_follow(leaving, start))))
    return contours


def _edges(mask: npt.NDArray[np.uint8]) -> dict[Point, list[Point]]:
    """The steps of one pixel's side between marked and unmarked, by the point they leave."""
    # A border of unmarked pixels: what touches the edge has an outline there, too.
    inside = np.pad(mask != 0, 1)
    here = inside[1:-1, 1:-1]
    leaving: dict[Point, list[Point]] = defaultdict(list)
    sides = (
        (inside[:-2, 1:-1], (0, 0), (1, 0)),
        (inside[1:-1, 2:], (1, 0), (0, 1)),
        (inside[2:, 1:-1], (1, 1), (-1, 0)),
        (inside[1:-1, :-2], (0, 1), (0, -1)),
    )
    for beside, (dx, dy), step in sides:
        for y, x in np.argwhere(here & ~beside).tolist():
            leaving[x + dx, y + dy].append(step)
    return dict(leaving)


def _follow(leaving: dict[Point, list[Point]], start: Point) -> Iterator[Point]:
    """The points of one outline, whose steps are taken away."""
    point, came = start, leaving[start][0]
    while point in leaving:
        steps = leaving[point]
        # Where two pixels touch by a corner, turning right stays with the same one.
        right = (-came[1], came[0])
        came = right if right in steps else steps[0]
        steps.remove(came)
        if not steps:
            del leaving[point]
        yield point
        point = (point[0] + came[0], point[1] + came[1])
        if point == start:
            return


def _corners(points: Contour) -> Contour:
    """``points`` without those on a straight line between their neighbours."""
    before, after = [points[-1], *points[:-1]], [*points[1:], points[0]]
    return [
        point
        for a, point, b in zip(before, points, after, strict=True)
        if a[0] != b[0] and a[1] != b[1]
    ]
