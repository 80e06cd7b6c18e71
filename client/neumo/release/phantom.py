"""Drawn stand-ins for films: golden and warm-up inputs, tests, examples. Never a patient's.

Only the frozen stream of ``numpy.random.RandomState`` and IEEE-exact arithmetic are used, so a
seed draws the same bytes on every machine and NumPy.
"""

from __future__ import annotations

import hashlib

import numpy as np
import numpy.typing as npt

from neumo.contract import IMAGE_SIZE_PX


def draw(seed: int, count: int) -> npt.NDArray[np.uint8]:
    """``count`` images, uint8 [count, 256, 256, 1]: chest-like phantoms, every fourth one noise."""
    # RandomState: NumPy froze its stream; default_rng's may change with a version.
    random = np.random.RandomState(seed)
    return np.stack([_noise(random) if i % 4 == 3 else _chest(random) for i in range(count)])


def chests(seed: int, count: int) -> npt.NDArray[np.uint8]:
    """``count`` images as ``draw``'s, none of them noise: ``lungs`` takes each for a chest."""
    random = np.random.RandomState(seed)
    return np.stack([_chest(random) for _ in range(count)])


def sha256(images: npt.NDArray[np.uint8]) -> str:
    """SHA-256 of the images' bytes in C order."""
    return hashlib.sha256(np.ascontiguousarray(images).tobytes()).hexdigest()


def _noise(random: np.random.RandomState) -> npt.NDArray[np.uint8]:
    shape = (IMAGE_SIZE_PX, IMAGE_SIZE_PX, 1)
    return random.randint(0, 256, size=shape).astype(np.uint8)


def _chest(random: np.random.RandomState) -> npt.NDArray[np.uint8]:
    """A bright body with two dark lungs, ribs, a heart's shadow and grain."""
    axis = (np.arange(IMAGE_SIZE_PX) + 0.5) / IMAGE_SIZE_PX
    y, x = axis[:, None], axis[None, :]
    shift_y, shift_x = random.uniform(-0.05, 0.05, size=2)
    scale = random.uniform(0.85, 1.1)

    def ellipse(cy: float, cx: float, ry: float, rx: float) -> npt.NDArray[np.float64]:
        dy = (y - 0.5 - (cy - 0.5) * scale - shift_y) / (ry * scale)
        dx = (x - 0.5 - (cx - 0.5) * scale - shift_x) / (rx * scale)
        inside: npt.NDArray[np.float64] = np.clip((1.0 - dy * dy - dx * dx) * 4.0, 0.0, 1.0)
        return inside

    image = 25.0 + 135.0 * ellipse(0.55, 0.5, 0.62, 0.47)
    for cx in (0.31, 0.69):
        image -= random.uniform(70.0, 100.0) * ellipse(0.48, cx, 0.33, 0.155)
    image += 70.0 * ellipse(0.6, 0.55, 0.2, 0.13)
    image += 40.0 * ellipse(0.5, 0.5, 0.5, 0.05)
    phase = (y * 11.0 + (x - 0.5) * (x - 0.5) * 5.0 + random.uniform(0.0, 1.0)) % 1.0
    image += 14.0 * np.clip(1.0 - np.abs(phase - 0.5) * 6.0, 0.0, 1.0)
    if random.randint(0, 2):
        cy, cx = random.uniform(0.4, 0.65), random.choice([0.31, 0.69])
        image += random.uniform(30.0, 70.0) * ellipse(cy, cx, 0.14, 0.11)
    image += random.uniform(-8.0, 8.0, size=image.shape)
    return np.clip(np.floor(image + 0.5), 0, 255).astype(np.uint8)[:, :, None]
