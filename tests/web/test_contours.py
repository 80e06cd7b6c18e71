"""The outlines of masks, on drawn shapes."""

from __future__ import annotations

import numpy as np
import pytest

from neumo_serving.gateway import contours

RNG = np.random.default_rng(7)


def mask(*rows):
    """A mask by its rows: # is marked."""
    return np.array([[pixel == "#" for pixel in row] for row in rows], np.uint8)


def area(contour):
    """By the shoelace formula: positive where it runs as outlines do, negative for holes."""
    x, y = np.array(contour).T
    return float(np.dot(x, np.roll(y, -1)) - np.dot(y, np.roll(x, -1))) / 2


def test_a_pixel_is_a_square():
    """Its four corners, one after the other, not closed by a fifth."""
    assert contours.trace(mask("#")) == [[(0, 0), (1, 0), (1, 1), (0, 1)]]


def test_points_on_straight_lines_are_left_out():
    """A rectangle has four corners whatever its size."""
    drawn = np.zeros((256, 256), np.uint8)
    drawn[10:200, 20:60] = 1
    (contour,) = contours.trace(drawn)
    assert sorted(contour) == [(20, 10), (20, 200), (60, 10), (60, 200)]


def test_two_lungs_are_two_outlines():
    """Each its own."""
    assert len(contours.trace(mask("##.##", "##.##"))) == 2


def test_a_hole_runs_the_other_way_round():
    """So that drawing by either rule leaves it out."""
    found = contours.trace(mask("###", "#.#", "###"))
    assert sorted(map(area, found)) == [-1.0, 9.0]


def test_pixels_that_touch_by_a_corner_are_apart():
    """Neither outline crosses itself."""
    found = contours.trace(mask("#.", ".#"))
    assert sorted(map(area, found)) == [1.0, 1.0]


def test_nothing_has_no_outline():
    """An empty mask is an empty list."""
    assert contours.trace(np.zeros((256, 256), np.uint8)) == []


def test_the_whole_frame_is_outlined_by_its_corners():
    """The outermost pixels have edges, too."""
    assert contours.trace(np.ones((256, 256), np.uint8)) == [
        [(0, 0), (256, 0), (256, 256), (0, 256)]
    ]


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
def test_outlines_hold_exactly_what_is_marked(share):
    """Their areas, holes taken off, are the marked pixels; every edge is on one outline."""
    drawn = (RNG.random((40, 30)) < share).astype(np.uint8)
    found = contours.trace(drawn)
    assert sum(map(area, found)) == drawn.sum()
    around = np.pad(drawn.astype(int), 1)
    edges = np.abs(np.diff(around, axis=0)).sum() + np.abs(np.diff(around, axis=1)).sum()
    steps = [np.abs(np.diff([*one, one[0]], axis=0)).sum() for one in found]
    assert sum(steps) == edges
