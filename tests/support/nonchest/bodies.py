"""Other parts of the body, drawn: what X-rays, CT, MR and ultrasound show of them.

Radiographs are projections: the thickness of each part along the ray adds up, and what is thick
is bright.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFilter

from support.nonchest.pictures import Random

Field = npt.NDArray[np.float64]
SIDE_PX = 384
_Y, _X = np.mgrid[0 : 1 : SIDE_PX * 1j, 0 : 1 : SIDE_PX * 1j]
_BONE, _FLESH = 9.0, 1.6
"""How much a part takes of the beam, per unit of its thickness (sides are 1 long)."""


@dataclass(frozen=True, slots=True)
class _Ball:
    """An ellipsoid: centre (x, y), half axes, turned by ``angle``."""

    x: float
    y: float
    a: float
    b: float
    angle: float = 0.0

    def radius(self) -> Field:
        """1 at its border, 0 at its centre."""
        u, v = _X - self.x, _Y - self.y
        c, s = np.cos(self.angle), np.sin(self.angle)
        return np.hypot((u * c + v * s) / self.a, (v * c - u * s) / self.b)

    def thickness(self) -> Field:
        """Along the ray; as deep as its smaller half axis."""
        return min(self.a, self.b) * np.sqrt(np.maximum(1 - self.radius() ** 2, 0))

    def mask(self, softness: float = 0.04) -> Field:
        """1 inside, 0 outside."""
        return np.clip((1 - self.radius()) / softness, 0, 1)


def _rod(start: tuple[float, float], end: tuple[float, float], wide: float, tip: float) -> Field:
    """The thickness of a cylinder whose half width goes from ``wide`` to ``tip``."""
    (x0, y0), (x1, y1) = start, end
    dx, dy = x1 - x0, y1 - y0
    along = np.clip(((_X - x0) * dx + (_Y - y0) * dy) / (dx * dx + dy * dy), 0, 1)
    away = np.hypot(_X - x0 - along * dx, _Y - y0 - along * dy)
    half = wide + (tip - wide) * along
    return np.sqrt(np.maximum(half**2 - away**2, 0))


def _long_bone(start: tuple[float, float], end: tuple[float, float], half: float) -> Field:
    """A shaft with marrow and two broader ends."""
    cortex = _rod(start, end, half, half) - 0.75 * _rod(start, end, half * 0.6, half * 0.6)
    (x0, y0), (x1, y1) = start, end
    angle = np.arctan2(y1 - y0, x1 - x0)
    ends = [_Ball(x, y, half * 1.3, half * 1.7, angle) for x, y in (start, end)]
    return np.maximum(cortex, 0.7 * np.maximum(ends[0].thickness(), ends[1].thickness()))


def _radiograph(bone: Field, flesh: Field, random: Random) -> Image.Image:
    """Developed, with grain, perhaps collimated, marked, inverted or turned a little."""
    beam = random.uniform(0.6, 1.4) * (_BONE * bone + _FLESH * flesh)
    light = 1 - np.exp(-beam)
    light = light / max(light.max(), 1e-6) * random.uniform(0.75, 1.0)
    light = (
        light + random.uniform(0, 0.12) + random.normal(0, random.uniform(0.005, 0.03), _X.shape)
    )
    image = Image.fromarray((np.clip(light, 0, 1) * 255).astype(np.uint8))
    image = image.rotate(random.uniform(-12, 12), Image.Resampling.BILINEAR, fillcolor=10)
    image = image.filter(ImageFilter.GaussianBlur(random.uniform(0, 1.5)))
    if random.rand() < 0.3:
        side = int(random.randint(5, 50))
        framed = Image.new("L", image.size, int(random.choice([0, 255])))
        framed.paste(image.crop((side, 0, SIDE_PX - side, SIDE_PX)), (side, 0))
        image = framed
    if random.rand() < 0.5:
        ImageDraw.Draw(image).text((20, 20), str(random.choice(["L", "R"])), 255, font_size=28)
    if random.rand() < 0.15:
        image = image.point(lambda v: 255 - v)
    return image


def hand(random: Random) -> Image.Image:
    """Wrist, palm and five fingers."""
    bone, flesh = np.zeros_like(_X), np.zeros_like(_X)
    flesh += 1.5 * _Ball(0.5, 0.68, 0.2, 0.17).thickness()
    spread = random.uniform(0.06, 0.13)
    for finger in range(5):
        side = finger - 2 if finger else -3.2
        x, y, angle = 0.5 + 0.06 * side * 0.9, 0.74, spread * side
        length = (0.15, 0.19, 0.2, 0.19, 0.16)[finger] * random.uniform(0.9, 1.05)
        for part in range(3 if finger == 0 else 4):
            end = (x + length * np.sin(angle), y - length * np.cos(angle))
            half = (0.016, 0.014, 0.012, 0.01)[part]
            bone += _long_bone((x, y), end, half)
            flesh = np.maximum(flesh, _rod((x, y), end, half * 2.4, half * 2.2))
            x, y, length = end[0] + 0.012 * np.sin(angle), end[1] - 0.012, length * 0.62
    for _ in range(8):
        bone += _Ball(*random.uniform([0.42, 0.77], [0.58, 0.83]), 0.025, 0.02).thickness()
    for x in (0.46, 0.55):
        bone += _long_bone((x, 0.87), (x, 1.2), 0.025)
    flesh = np.maximum(flesh, _rod((0.5, 0.75), (0.5, 1.2), 0.12, 0.11))
    return _radiograph(bone, flesh, random)


def foot(random: Random) -> Image.Image:
    """From the side: shin, heel, arch and toes."""
    heel = random.uniform(0.68, 0.76)
    bone = _long_bone((0.3, -0.2), (0.31, 0.55), 0.05) + _long_bone(
        (0.22, -0.2), (0.24, 0.56), 0.02
    )
    bone += _Ball(0.32, 0.64, 0.09, 0.06, 0.2).thickness()
    bone += _Ball(0.2, heel, 0.11, 0.06, -0.3).thickness()
    for k in range(5):
        bone += _long_bone((0.48, 0.68 + 0.01 * k), (0.7, 0.76 + 0.01 * k), 0.014)
        bone += _long_bone((0.73, 0.77 + 0.01 * k), (0.82, 0.79 + 0.01 * k), 0.012)
    bone += _Ball(0.43, 0.68, 0.06, 0.05).thickness()
    flesh = np.maximum(
        _rod((0.28, -0.2), (0.29, 0.6), 0.13, 0.1), _rod((0.2, 0.72), (0.88, 0.8), 0.12, 0.05)
    )
    return _radiograph(bone, flesh, random)


def forearm(random: Random) -> Image.Image:
    """Two shafts side by side, perhaps broken, perhaps in plaster."""
    gap = random.uniform(0.05, 0.1)
    flesh = _rod((0.5, -0.2), (0.5, 1.2), random.uniform(0.14, 0.2), 0.12)
    bone = _long_bone((0.5 - gap, 0.05), (0.5 - gap, 0.93), 0.035)
    if random.rand() < 0.4:
        bend = random.uniform(-0.05, 0.05)
        bone += _long_bone((0.5 + gap, 0.05), (0.5 + gap + bend, 0.5), 0.03)
        bone += _long_bone((0.51 + gap + bend, 0.52), (0.5 + gap, 0.93), 0.03)
    else:
        bone += _long_bone((0.5 + gap, 0.05), (0.5 + gap, 0.93), 0.03)
    if random.rand() < 0.3:
        flesh += 1.3 * (_rod((0.5, -0.2), (0.5, 1.2), 0.24, 0.2) - flesh)
    return _radiograph(bone, flesh, random)


def knee(random: Random) -> Image.Image:
    """From the front; both knees now and then."""
    bone, flesh = np.zeros_like(_X), np.zeros_like(_X)
    middles = (0.28, 0.72) if random.rand() < 0.5 else (0.5,)
    for x in middles:
        half = random.uniform(0.05, 0.07)
        bone += _long_bone((x, -0.3), (x, 0.42), half) + _long_bone((x, 0.58), (x, 1.3), half)
        bone += 0.8 * _Ball(x, 0.42, half * 2, half * 1.2).thickness()
        bone += 0.8 * _Ball(x, 0.57, half * 2, half * 0.9).thickness()
        bone += 0.5 * _Ball(x, 0.4, half, half).thickness()
        bone += _long_bone((x + half * 2.1, 0.64), (x + half * 1.8, 1.3), half * 0.35)
        flesh = np.maximum(flesh, _rod((x, -0.2), (x, 1.2), half * 3.4, half * 2.6))
    return _radiograph(bone, flesh, random)


def shoulder(random: Random) -> Image.Image:
    """Upper arm, shoulder blade, collar bone and a few ribs at the edge."""
    bone = _long_bone((0.3, 0.36), (0.22, 1.3), 0.06) + _Ball(0.32, 0.34, 0.1, 0.1).thickness()
    bone += _long_bone((0.3, 0.2), (1.0, 0.28), 0.03)
    bone += 0.3 * _Ball(0.55, 0.5, 0.12, 0.25, -0.2).thickness()
    for k in range(random.randint(2, 5)):
        bone += 0.5 * _rod((0.7, 0.35 + 0.13 * k), (1.1, 0.5 + 0.13 * k), 0.02, 0.02)
    flesh = np.maximum(
        _Ball(0.55, 0.9, 0.6, 0.7).thickness(), _rod((0.28, 0.3), (0.2, 1.2), 0.18, 0.13)
    )
    return _radiograph(bone, flesh, random)


def skull(random: Random) -> Image.Image:
    """From the front: vault, eyes, nose, jaw, teeth."""
    wide = random.uniform(0.26, 0.33)
    bone = (
        _Ball(0.5, 0.4, wide, 0.36).thickness()
        - 0.93 * _Ball(0.5, 0.4, wide * 0.93, 0.34).thickness()
    )
    bone += 0.25 * _Ball(0.5, 0.68, wide * 0.75, 0.25).thickness()
    for side in (-1, 1):
        bone -= 0.25 * _Ball(0.5 + side * wide * 0.42, 0.48, 0.085, 0.07).thickness()
        bone += 0.3 * _rod((0.5 + side * wide * 0.8, 0.6), (0.5 + side * 0.08, 0.93), 0.04, 0.04)
    bone -= 0.2 * _Ball(0.5, 0.61, 0.04, 0.08).thickness()
    for k in range(8):
        for y in (0.77, 0.83):
            bone += 0.6 * _rod(
                (0.41 + 0.026 * k, y - 0.02), (0.41 + 0.026 * k, y + 0.02), 0.01, 0.01
            )
    flesh = np.maximum(
        _Ball(0.5, 0.45, wide * 1.1, 0.42).thickness(), _rod((0.5, 0.7), (0.5, 1.2), 0.2, 0.25)
    )
    return _radiograph(np.maximum(bone, 0), flesh, random)


def pelvis(random: Random) -> Image.Image:
    """Two wings, two hips, the sacrum and what lies between."""
    bone, size = np.zeros_like(_X), random.uniform(0.85, 1.1)
    for side in (-1, 1):
        x = 0.5 + side * 0.22 * size
        wing = _Ball(x, 0.3, 0.19 * size, 0.13, side * 0.7)
        bone += (
            0.35 * wing.thickness() + 0.15 * np.exp(-((wing.radius() - 0.95) ** 2) / 0.004) * 0.2
        )
        ring = _Ball(0.5 + side * 0.11 * size, 0.72, 0.08, 0.07)
        bone += 0.06 * np.exp(-((ring.radius() - 1) ** 2) / 0.05)
        bone += 0.8 * _Ball(x + side * 0.02, 0.55, 0.075, 0.075).thickness()
        bone += 0.7 * _long_bone((x + side * 0.03, 0.56), (x + side * 0.14, 0.68), 0.045)
        bone += 0.8 * _long_bone((x + side * 0.14, 0.68), (x + side * 0.1, 1.3), 0.05)
    bone += 0.4 * _rod((0.5, 0.2), (0.5, 0.5), 0.1, 0.03)
    for k in range(3):
        bone += 0.4 * _Ball(0.5, 0.02 + 0.1 * k, 0.07, 0.045).thickness()
    flesh = 1.2 * np.maximum(
        _Ball(0.5, 0.4, 0.52, 0.65).thickness(), _rod((0.5, 0.6), (0.5, 1.2), 0.4, 0.4)
    )
    return _radiograph(bone, flesh, random)


def spine(random: Random) -> Image.Image:
    """From the side: a bent column of blocks."""
    bone, flesh = np.zeros_like(_X), np.zeros_like(_X)
    bend, count = random.uniform(0.04, 0.12), random.randint(5, 10)
    for k in range(count):
        y = (k + 0.5) / count
        x = 0.5 + bend * np.sin(2 * np.pi * y + random.uniform(-0.1, 0.1))
        corner = np.maximum(np.abs(_X - x) / 0.085, np.abs(_Y - y) / (0.38 / count))
        bone += 0.09 * np.clip((1 - corner) * 8, 0, 1)
        bone += 0.4 * _rod((x + 0.1, y), (x + 0.25, y + 0.06), 0.02, 0.012)
    flesh += _Ball(0.42, 0.5, 0.42, 0.9).thickness()
    return _radiograph(bone, flesh, random)


def abdomen(random: Random) -> Image.Image:
    """Lumbar spine, liver, and gas in the bowel."""
    bone = np.zeros_like(_X)
    for k in range(7):
        bone += 0.45 * _Ball(0.5, 0.05 + 0.125 * k, 0.075, 0.055).thickness()
        bone += 0.4 * _rod((0.38, 0.05 + 0.125 * k), (0.62, 0.05 + 0.125 * k), 0.015, 0.015)
    for side in (-1, 1):
        for k in range(2):
            bone += 0.4 * _rod(
                (0.5 + side * 0.1, 0.03 + 0.09 * k),
                (0.5 + side * 0.45, 0.15 + 0.12 * k),
                0.018,
                0.014,
            )
        bone += 0.3 * _Ball(0.5 + side * 0.28, 1.0, 0.2, 0.15).thickness()
    flesh = (
        1.5 * _Ball(0.5, 0.5, 0.5, 0.8).thickness()
        + 0.5 * _Ball(0.28, 0.25, 0.25, 0.18).thickness()
    )
    for _ in range(random.randint(4, 16)):
        x, y = random.uniform([0.15, 0.3], [0.85, 0.9])
        gas = _Ball(
            x, y, random.uniform(0.03, 0.1), random.uniform(0.02, 0.06), random.uniform(0, 3)
        )
        flesh -= 1.6 * gas.thickness()
    return _radiograph(bone, np.maximum(flesh, 0), random)


def jaws(random: Random) -> Image.Image:
    """A dentist's panorama: two bent rows of teeth."""
    bone = 0.1 * np.exp(-((_Y - 0.85 + 0.9 * (_X - 0.5) ** 2) ** 2) / 0.004)
    count = random.randint(12, 17)
    for k in range(count):
        x = 0.1 + 0.8 * k / (count - 1)
        dip = 0.55 * (x - 0.5) ** 2
        for low, high in ((0.36, 0.5), (0.54, 0.7)):
            bone += random.uniform(0.7, 1.1) * _rod((x, low - dip), (x, high - dip), 0.016, 0.019)
    flesh = 0.8 * _Ball(0.5, 0.5, 0.62, 0.48).thickness()
    return _radiograph(bone, flesh, random)


def breast(random: Random) -> Image.Image:
    """A mammogram: half an oval at the film's edge with strands in it."""
    half = _Ball(
        0.0, random.uniform(0.45, 0.55), random.uniform(0.5, 0.8), random.uniform(0.35, 0.45)
    )
    strands = np.zeros_like(_X)
    for _ in range(30):
        x, y = random.uniform([0, 0.3], [0.4, 0.7])
        strands += _rod(
            (x, y), (x + random.uniform(0, 0.25), y + random.uniform(-0.1, 0.1)), 0.008, 0.004
        )
    flesh = 2 * half.thickness() + 1.5 * strands * half.mask()
    return _radiograph(np.zeros_like(_X), flesh, random)


def _slice(values: Field, random: Random) -> Image.Image:
    grain = random.normal(0, random.uniform(0.01, 0.05), _X.shape)
    image = Image.fromarray((np.clip(values + grain, 0, 1) * 255).astype(np.uint8))
    return image.filter(ImageFilter.GaussianBlur(random.uniform(0.3, 1.5)))


def ct_head(random: Random) -> Image.Image:
    """A ring of bone, grey brain, dark ventricles."""
    a, b = random.uniform(0.27, 0.34), random.uniform(0.34, 0.42)
    values = _Ball(0.5, 0.5, a, b).mask() - 0.6 * _Ball(0.5, 0.5, a * 0.9, b * 0.92).mask()
    for side in (-1, 1):
        values -= 0.3 * _Ball(
            0.5 + side * 0.05, 0.47, 0.03, random.uniform(0.06, 0.12), side * 0.25
        ).mask(0.3)
    values += random.uniform(0, 0.2) * _Ball(*random.uniform(0.35, 0.65, 2), 0.06, 0.05).mask(0.5)
    return _slice(values, random)


def ct_abdomen(random: Random) -> Image.Image:
    """A broad body with liver, spine and kidneys, on a table."""
    values = 0.35 * _Ball(0.5, 0.5, 0.44, 0.32).mask() + 0.15 * _Ball(0.5, 0.5, 0.4, 0.28).mask()
    values += (
        0.2 * _Ball(0.33, 0.43, 0.2, 0.16, 0.4).mask() + 0.45 * _Ball(0.5, 0.66, 0.06, 0.05).mask()
    )
    for side in (-1, 1):
        values += 0.25 * _Ball(0.5 + side * 0.17, 0.62, 0.05, 0.065).mask()
    for _ in range(6):
        values -= 0.4 * _Ball(*random.uniform([0.5, 0.3], [0.75, 0.5]), 0.03, 0.02).mask(0.3)
    values += 0.4 * np.exp(-((_Y - 0.9 + 0.3 * (_X - 0.5) ** 2) ** 2) / 0.0001)
    return _slice(values, random)


def ct_thorax(random: Random) -> Image.Image:
    """Across the chest: two dark lungs, yet no radiograph."""
    values = 0.6 * _Ball(0.5, 0.5, 0.43, 0.3).mask()
    for side in (-1, 1):
        values -= 0.52 * _Ball(0.5 + side * 0.2, 0.5, 0.14, 0.2, side * 0.15).mask()
        for _ in range(40):
            x, y = random.uniform([0.08, 0.35], [0.3, 0.65])
            values += 0.3 * _Ball(0.5 + side * x, y, 0.006, 0.006).mask(0.5)
    values += (
        0.1 * _Ball(0.55, 0.45, 0.12, 0.11).mask() + 0.35 * _Ball(0.5, 0.7, 0.05, 0.045).mask()
    )
    for k in range(12):
        angle = 2 * np.pi * k / 12
        values += (
            0.3
            * _Ball(
                0.5 + 0.38 * np.cos(angle), 0.5 + 0.255 * np.sin(angle), 0.03, 0.012, angle + 1.57
            ).mask()
        )
    return _slice(values, random)


def mr_knee(random: Random) -> Image.Image:
    """From the side: bright marrow, dark ligaments."""
    values = 0.35 * _rod((0.5, -0.2), (0.5, 1.2), 0.36, 0.3) / 0.36
    values += 0.45 * _Ball(0.52, 0.3, 0.18, 0.16).mask(0.1) + 0.4 * (
        _rod((0.5, -0.2), (0.52, 0.3), 0.1, 0.12) > 0
    )
    values += 0.45 * _Ball(0.5, 0.62, 0.19, 0.1).mask(0.1) + 0.4 * (
        _rod((0.5, 0.62), (0.5, 1.2), 0.14, 0.1) > 0
    )
    values -= 0.5 * (_rod((0.44, 0.4), (0.6, 0.55), 0.015, 0.015) > 0)
    values += 0.4 * _Ball(0.25, 0.4, 0.045, 0.08).mask(0.1)
    return _slice(values * random.uniform(0.6, 1.1), random)


def mr_back(random: Random) -> Image.Image:
    """From the side: vertebrae, discs and the cord."""
    bend = 0.06 * np.sin(2 * np.pi * (_Y + random.rand()))
    values = 0.2 + 0.5 * np.exp(-((_X - 0.62 - bend) ** 2) / 0.0008)
    values += (
        0.35
        * (np.abs(_X - 0.47 - bend) < 0.09)
        * (np.sin(2 * np.pi * _Y * random.randint(5, 9)) > -0.6)
    )
    values += 0.5 * np.clip((_X - 0.85) * 8, 0, 1)
    return _slice(values * random.uniform(0.7, 1.1), random)


def ultrasound(random: Random) -> Image.Image:
    """A fan of speckle with cysts, a scale and letters."""
    radius, angle = np.hypot(_X - 0.5, _Y + 0.1), np.arctan2(_X - 0.5, _Y + 0.1)
    fan = (radius > 0.2) & (radius < 1.0) & (np.abs(angle) < random.uniform(0.5, 0.8))
    field = random.exponential(0.3, _X.shape) * np.exp(-radius)
    for _ in range(random.randint(1, 5)):
        field *= 1 - 0.9 * _Ball(*random.uniform([0.3, 0.3], [0.7, 0.8]), 0.08, 0.05).mask(0.3)
    image = _slice(field * fan, random)
    ImageDraw.Draw(image).text((8, 8), "2D 5.0 MHz\nGn 60", 200, font_size=16)
    return image


LIMBS = (hand, foot, forearm, knee, shoulder)
PARTS = (skull, pelvis, spine, abdomen, jaws, breast)
SLICES = (ct_head, ct_abdomen, ct_thorax, mr_knee, mr_back, ultrasound)
