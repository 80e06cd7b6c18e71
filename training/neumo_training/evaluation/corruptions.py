"""MedMNIST-C's corruptions of its ``pneumoniamnist`` (Di Salvo et al. 2024), on 256 x 256 films.

The strengths are that list's five severities; it applies them at 224 x 224. Each function takes
and returns uint8 [n, 256, 256, 1].
"""

from __future__ import annotations

import io
from collections.abc import Callable

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageEnhance

Pixels = npt.NDArray[np.uint8]
Unit = npt.NDArray[np.float64]
"""Grey levels in 0..1."""
Random = np.random.RandomState
Corrupt = Callable[[Pixels, float, Random], Pixels]

SEVERITIES = (1, 3, 5)
"""Of the list's 1 to 5, those that are measured."""


def corrupted(name: str, severity: int, pixels: Pixels, seed: int) -> Pixels:
    """``pixels`` under the corruption ``name`` at ``severity`` (1 to 5), reproducibly."""
    corrupt, strengths = CORRUPTIONS[name]
    return corrupt(pixels, strengths[severity - 1], Random(seed))


def _pixelate(pixels: Pixels, share: float, _: Random) -> Pixels:
    def coarse(film: Image.Image) -> Image.Image:
        small = film.resize([int(side * share) for side in film.size], Image.Resampling.BOX)
        return small.resize(film.size, Image.Resampling.BOX)

    return _each(pixels, coarse)


def _jpeg(pixels: Pixels, quality: float, _: Random) -> Pixels:
    return _each(pixels, lambda film: compressed(film, int(quality)))


def compressed(film: Image.Image, quality: int) -> Image.Image:
    """``film`` after a JPEG file of ``quality``."""
    file = io.BytesIO()
    film.save(file, "JPEG", quality=quality)
    return Image.open(file)


def _gaussian_noise(pixels: Pixels, scale: float, random: Random) -> Pixels:
    film = pixels / 255.0
    return _levels(film + random.normal(scale=scale, size=film.shape))


def _speckle_noise(pixels: Pixels, scale: float, random: Random) -> Pixels:
    film = pixels / 255.0
    return _levels(film + film * random.normal(scale=scale, size=film.shape))


def _shot_noise(pixels: Pixels, photons: float, random: Random) -> Pixels:
    return _levels(random.poisson(pixels / 255.0 * photons) / photons)


def _impulse_noise(pixels: Pixels, share: float, random: Random) -> Pixels:
    # Two draws: which pixels, and salt or pepper.
    hit = random.uniform(size=pixels.shape) < share
    white = random.uniform(size=pixels.shape) < 0.5
    return np.where(hit, np.where(white, 255, 0), pixels).astype(np.uint8)


def _gaussian_blur(pixels: Pixels, kernel_px: float, _: Random) -> Pixels:
    size = int(kernel_px)
    # OpenCV's rule where only the kernel's size is given.
    sigma_px = 0.3 * ((size - 1) * 0.5 - 1.0) + 0.8
    offsets = np.arange(size) - size // 2
    kernel = np.exp(-((offsets / sigma_px) ** 2) / 2.0)
    kernel /= kernel.sum()
    film = pixels.astype(np.float32)
    for axis in (1, 2):
        edge = [(0, 0)] * film.ndim
        edge[axis] = (size // 2, size // 2)
        padded = np.pad(film, edge, mode="reflect")
        length = film.shape[axis]
        film = sum(  # type: ignore[assignment]
            np.float32(weight) * padded.take(range(first, first + length), axis)
            for first, weight in enumerate(kernel)
        )
    return np.rint(film).astype(np.uint8)


def _brightness(pixels: Pixels, factor: float, _: Random) -> Pixels:
    return _each(pixels, lambda film: ImageEnhance.Brightness(film).enhance(factor))


def _contrast(pixels: Pixels, factor: float, _: Random) -> Pixels:
    return _each(pixels, lambda film: ImageEnhance.Contrast(film).enhance(factor))


def _gamma(pixels: Pixels, exponent: float, _: Random) -> Pixels:
    table = (np.arange(256) / 255.0) ** exponent * 255.0
    return np.rint(table).astype(np.uint8)[pixels]


def _each(pixels: Pixels, change: Callable[[Image.Image], Image.Image]) -> Pixels:
    films = (Image.fromarray(film[:, :, 0]) for film in pixels)
    return np.stack([np.asarray(change(film), np.uint8) for film in films])[..., None]


def _levels(film: Unit) -> Pixels:
    return (np.clip(film, 0.0, 1.0) * 255.0).astype(np.uint8)


CORRUPTIONS: dict[str, tuple[Corrupt, tuple[float, ...]]] = {
    "pixelate": (_pixelate, (0.8, 0.7, 0.6, 0.5, 0.4)),
    "jpeg_compression": (_jpeg, (50, 30, 15, 10, 7)),
    "gaussian_noise": (_gaussian_noise, (0.04, 0.05, 0.06, 0.07, 0.08)),
    "speckle_noise": (_speckle_noise, (0.05, 0.07, 0.10, 0.15, 0.20)),
    "impulse_noise": (_impulse_noise, (0.005, 0.01, 0.013, 0.017, 0.02)),
    "shot_noise": (_shot_noise, (300, 200, 150, 100, 80)),
    "gaussian_blur": (_gaussian_blur, (3, 5, 7, 9, 11)),
    "brightness_up": (_brightness, (1.1, 1.2, 1.3, 1.4, 1.5)),
    "brightness_down": (_brightness, (0.9, 0.8, 0.7, 0.6, 0.5)),
    "contrast_up": (_contrast, (1.1, 1.2, 1.3, 1.4, 1.6)),
    "contrast_down": (_contrast, (0.9, 0.8, 0.7, 0.6, 0.4)),
    "gamma_up": (_gamma, (1.1, 1.2, 1.3, 1.4, 1.6)),
    "gamma_down": (_gamma, (0.9, 0.8, 0.7, 0.6, 0.4)),
}
"""By name: the corruption, and its strength at each severity."""
