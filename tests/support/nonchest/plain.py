"""Noise of many kinds, and films on which there is nothing."""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageFilter

from support.nonchest.pictures import Random

SIDE_PX = 320


def _image(values: np.ndarray) -> Image.Image:
    return Image.fromarray(np.clip(values, 0, 255).astype(np.uint8))


def gaussian(random: Random) -> Image.Image:
    """Around one grey."""
    size = (SIDE_PX, SIDE_PX)
    return _image(random.normal(random.uniform(20, 235), random.uniform(5, 90), size))


def salt_and_pepper(random: Random) -> Image.Image:
    """Black and white dots on grey."""
    values = np.full((SIDE_PX, SIDE_PX), random.uniform(0, 255))
    dots = random.rand(SIDE_PX, SIDE_PX)
    share = random.uniform(0.01, 0.5)
    values[dots < share / 2] = 0
    values[dots > 1 - share / 2] = 255
    return _image(values)


def speckle(random: Random) -> Image.Image:
    """An exponential's, smoothed: a coherent source without an echo."""
    values = random.exponential(random.uniform(20, 90), (SIDE_PX, SIDE_PX))
    return _image(values).filter(ImageFilter.GaussianBlur(random.uniform(0, 3)))


def static(random: Random) -> Image.Image:
    """A screen without a signal: rows of different brightness, displaced."""
    values = random.uniform(0, 255, (SIDE_PX, SIDE_PX)) * random.uniform(0.3, 1.2, (SIDE_PX, 1))
    return _image(np.stack([np.roll(row, random.randint(30)) for row in values]))


def blobs(random: Random) -> Image.Image:
    """Smooth noise of a few octaves, each half of the one before."""
    values = np.zeros((SIDE_PX, SIDE_PX))
    for octave in range(random.randint(1, 6)):
        cells = 2 ** (octave + 1) + 1
        coarse = Image.fromarray(random.rand(cells, cells).astype(np.float32))
        size = (SIDE_PX, SIDE_PX)
        values += np.asarray(coarse.resize(size, Image.Resampling.BICUBIC)) / 2**octave
    return _image((values - values.min()) / np.ptp(values) * 255)


def one_grey(random: Random) -> Image.Image:
    """Nothing at all."""
    return Image.new("L", (SIDE_PX, SIDE_PX), int(random.randint(0, 256)))


def ramp(random: Random) -> Image.Image:
    """From one side to the other."""
    left, right = random.uniform(0, 255, 2)
    row = np.linspace(left, right, SIDE_PX)
    return _image(np.tile(row, (SIDE_PX, 1))).rotate(90 * random.randint(4))


def vignette(random: Random) -> Image.Image:
    """Bright in the middle, or dark."""
    y, x = np.mgrid[-1 : 1 : SIDE_PX * 1j, -1 : 1 : SIDE_PX * 1j]
    middle, edge = random.uniform(0, 255, 2)
    share = np.clip(np.hypot(x, y) / 1.4, 0, 1) ** random.uniform(0.7, 3)
    return _image(middle + (edge - middle) * share)


def exposed_plate(random: Random) -> Image.Image:
    """A detector that nobody stood before: black inside the collimator's edges."""
    values = random.normal(random.uniform(0, 40), 3, (SIDE_PX, SIDE_PX))
    top, left = random.randint(5, 60, 2)
    inside = np.zeros_like(values, bool)
    inside[top : SIDE_PX - top, left : SIDE_PX - left] = True
    values[~inside] += random.uniform(120, 210)
    return _image(values).filter(ImageFilter.GaussianBlur(1))


NOISE = (gaussian, salt_and_pepper, speckle, static, blobs)
BLANK = (one_grey, ramp, vignette, exposed_plate)
