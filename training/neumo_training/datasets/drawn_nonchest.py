"""Drawn images that are no chest radiograph: what ``lungs`` learns to refuse.

Every kind is drawn from a seed; none needs a data set. The evaluation has other kinds and other
sources besides these, see ``evaluation``.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFilter, ImageFont

from neumo.contract import IMAGE_SIZE_PX

Random = np.random.RandomState
WORDS = (
    "Paciente", "Informe", "Fecha", "Edad", "Sexo", "Dosis", "radiology", "report", "result",
    "normal", "total", "page", "date", "name", "value", "file", "edit", "view", "help", "invoice",
    "amount", "12", "2024", "37.5", "mg", "cm", "%", "error", "save", "table", "figure", "of",
)  # fmt: skip


def draw(seed: int, count: int) -> npt.NDArray[np.uint8]:
    """``count`` images, uint8 [count, 256, 256, 1], every kind in turn."""
    random = Random(seed)
    # In turn, not at random: each kind has its share of however few.
    return np.stack([_finished(KINDS[i % len(KINDS)](random), random) for i in range(count)])


def _finished(image: Image.Image, random: Random) -> npt.NDArray[np.uint8]:
    """Now and then inverted, softened, of less contrast, or in a frame."""
    pixels = np.asarray(image.convert("L"), np.float32)
    if random.rand() < 0.3:
        pixels = 255.0 - pixels
    low, high = random.uniform(0, 90), random.uniform(150, 256)
    if random.rand() < 0.5:
        pixels = low + pixels / 255.0 * (high - low)
    image = Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8))
    if random.rand() < 0.25:
        image = image.filter(ImageFilter.GaussianBlur(random.uniform(0.5, 4.0)))
    if random.rand() < 0.2:
        framed = Image.new("L", image.size, int(random.choice([0, 255])))
        side = random.randint(120, 230)
        x, y = random.randint(0, IMAGE_SIZE_PX - side, 2)
        framed.paste(image.resize((side, side)), (int(x), int(y)))
        image = framed
    return np.asarray(image, np.uint8)[:, :, None]


def _canvas(grey: int) -> tuple[Image.Image, ImageDraw.ImageDraw]:
    image = Image.new("L", (IMAGE_SIZE_PX, IMAGE_SIZE_PX), grey)
    return image, ImageDraw.Draw(image)


def _grey(random: Random, low: int = 0, high: int = 256) -> int:
    return int(random.randint(low, high))


def blank(random: Random) -> Image.Image:
    """One grey, or a gradient."""
    y, x = np.mgrid[0:1:256j, 0:1:256j]
    # Two zeros of four: half are of one grey.
    slope = random.uniform(-1, 1, 2) * random.choice([0.0, 0.0, 100.0, 255.0])
    plane = random.uniform(0, 255) + slope[0] * (y - 0.5) + slope[1] * (x - 0.5)
    return Image.fromarray(np.clip(plane, 0, 255).astype(np.uint8))


def noise(random: Random) -> Image.Image:
    """White noise, whole or upscaled from fewer pixels."""
    side = int(random.choice([8, 16, 32, 64, 128, 256]))
    image = Image.fromarray(random.randint(0, 256, (side, side)).astype(np.uint8))
    return image.resize((IMAGE_SIZE_PX, IMAGE_SIZE_PX), Image.Resampling.BICUBIC)


def clouds(random: Random) -> Image.Image:
    """Noise whose power falls with its frequency, as in photographs of nature."""
    y, x = np.fft.fftfreq(IMAGE_SIZE_PX)[:, None], np.fft.fftfreq(IMAGE_SIZE_PX)[None, :]
    falling = np.hypot(y, x) + 1.0 / IMAGE_SIZE_PX
    waves = np.exp(2j * np.pi * random.rand(IMAGE_SIZE_PX, IMAGE_SIZE_PX))
    # Photographs of nature are near 1: amplitudes that fall as one over the frequency.
    field = np.real(np.fft.ifft2(waves / falling ** random.uniform(0.8, 2.2)))
    field = (field - field.mean()) / field.std()
    return Image.fromarray(np.clip(128 + field * random.uniform(20, 70), 0, 255).astype(np.uint8))


def shapes(random: Random) -> Image.Image:
    """Overlapping ellipses, boxes, polygons and lines."""
    image, pen = _canvas(_grey(random))
    for _ in range(random.randint(2, 30)):
        x0, y0 = random.randint(-60, 256, 2)
        box = [int(x0), int(y0), int(x0 + random.randint(5, 180)), int(y0 + random.randint(5, 180))]
        fill = _grey(random)
        kind = random.randint(4)
        if kind == 0:
            pen.ellipse(box, fill=fill)
        elif kind == 1:
            pen.rectangle(box, fill=fill)
        elif kind == 2:
            corners = random.randint(0, 256, 2 * random.randint(3, 7))
            pen.polygon([int(v) for v in corners], fill=fill)
        else:
            pen.line(box, fill=fill, width=_grey(random, 1, 12))
    return image


def ellipses(random: Random) -> Image.Image:
    """A bright body with one to five dark or bright ovals, none of them where lungs lie."""
    image, pen = _canvas(_grey(random, 0, 60))
    cx, cy, rx, ry = random.uniform([90, 90, 50, 50], [166, 166, 130, 130])
    pen.ellipse([cx - rx, cy - ry, cx + rx, cy + ry], fill=_grey(random, 90, 230))
    for _ in range(random.randint(1, 6)):
        x, y = cx + random.uniform(-0.7, 0.7) * rx, cy + random.uniform(-0.7, 0.7) * ry
        w, h = random.uniform(0.05, 0.45) * rx, random.uniform(0.05, 0.45) * ry
        pen.ellipse([x - w, y - h, x + w, y + h], fill=_grey(random))
    grain = random.normal(0, random.uniform(0, 12), (IMAGE_SIZE_PX, IMAGE_SIZE_PX))
    pixels = np.clip(
        np.asarray(image.filter(ImageFilter.GaussianBlur(3)), np.float32) + grain, 0, 255
    )
    return Image.fromarray(pixels.astype(np.uint8))


def limb(random: Random) -> Image.Image:
    """A soft limb with one to five long bones across it, some of them jointed."""
    image, pen = _canvas(_grey(random, 0, 40))
    middle, width = random.uniform(80, 176), random.uniform(40, 110)
    soft = _grey(random, 60, 130)
    pen.polygon(
        [(middle - width / 2, 0), (middle + width / 2, 0), (middle + width / 2.4, 256),
         (middle - width / 2.4, 256)], fill=soft)  # fmt: skip
    count = random.randint(1, 6)
    joint = random.uniform(60, 200)
    for k in range(count):
        x = middle + (k - (count - 1) / 2) * width / (count + 0.5)
        wide = width / (count + 1) * random.uniform(0.35, 0.7)
        bright = _grey(random, 150, 256)
        for top, bottom in ((-20, joint - 4), (joint + 4, 280)):
            pen.rounded_rectangle([x - wide / 2, top, x + wide / 2, bottom], wide / 2, fill=bright)
            pen.rounded_rectangle(
                [x - wide / 4, top + 9, x + wide / 4, bottom - 9], wide / 4, fill=bright - 50
            )
            pen.ellipse([x - wide * 0.8, joint - 12, x + wide * 0.8, joint + 12], fill=bright - 15)
    image = image.filter(ImageFilter.GaussianBlur(random.uniform(0.5, 2.5)))
    grain = random.normal(0, random.uniform(1, 9), (IMAGE_SIZE_PX, IMAGE_SIZE_PX))
    pixels = np.clip(np.asarray(image, np.float32) + grain, 0, 255).astype(np.uint8)
    return Image.fromarray(pixels).rotate(random.uniform(0, 360), fillcolor=10)


def document(random: Random) -> Image.Image:
    """Lines of words, with a heading, perhaps a box or two columns."""
    image, pen = _canvas(_grey(random, 225, 256))
    size = random.randint(7, 22)
    font = ImageFont.load_default(size)
    y = random.randint(2, 30)
    columns = random.randint(1, 3)
    while y < IMAGE_SIZE_PX:
        for column in range(columns):
            text = " ".join(random.choice(WORDS, random.randint(1, 12)))
            wide = IMAGE_SIZE_PX // columns
            room = int(wide / (size * 0.55))
            pen.text((8 + column * wide, y), text[:room], fill=_grey(random, 0, 90), font=font)
        y += size + random.randint(1, 9)
        if random.rand() < 0.06:
            pen.rectangle([8, y, _grey(random, 60, 250), y + 20], outline=60, fill=_grey(random))
            y += 24
    return image


def chart(random: Random) -> Image.Image:
    """Axes with bars, dots or curves."""
    image, pen = _canvas(_grey(random, 220, 256))
    pen.line([30, 10, 30, 226, 250, 226], fill=20, width=2)
    kind, count = random.randint(3), random.randint(4, 26)
    xs = np.linspace(36, 240, count)
    ys = 226 - random.uniform(5, 200, count)
    for x, y in zip(xs, ys, strict=True):
        if kind == 0:
            pen.rectangle([x, y, x + 150 / count, 226], fill=_grey(random, 0, 200))
        elif kind == 1:
            pen.ellipse([x - 3, y - 3, x + 3, y + 3], fill=_grey(random, 0, 160))
    if kind == 2:
        for _ in range(random.randint(1, 4)):
            walk = 120 + np.cumsum(random.normal(0, 14, count))
            pen.line([(float(x), float(y)) for x, y in zip(xs, walk, strict=True)],
                     fill=_grey(random, 0, 150), width=random.randint(1, 4))  # fmt: skip
    pen.text((90, 238), str(random.choice(WORDS)), fill=0, font=ImageFont.load_default(11))
    return image


def screen(random: Random) -> Image.Image:
    """A window with bars, panes and labels."""
    image, pen = _canvas(_grey(random, 20, 240))
    font = ImageFont.load_default(9)
    pen.rectangle([0, 0, 256, random.randint(10, 30)], fill=_grey(random))
    for _ in range(random.randint(3, 14)):
        x, y = random.randint(0, 220, 2)
        w, h = random.randint(20, 140, 2)
        pen.rectangle([int(x), int(y), int(x + w), int(y + h)], fill=_grey(random), outline=0)
        pen.text((int(x) + 3, int(y) + 3), str(random.choice(WORDS)), fill=_grey(random), font=font)
    return image


def tiles(random: Random) -> Image.Image:
    """A pattern that repeats: stripes, checks, rings."""
    y, x = np.mgrid[0:256, 0:256].astype(np.float64)
    angle, period = random.uniform(0, np.pi), random.uniform(6, 90)
    u, v = x * np.cos(angle) + y * np.sin(angle), -x * np.sin(angle) + y * np.cos(angle)
    kind = random.randint(3)
    if kind == 0:
        wave = np.sin(2 * np.pi * u / period)
    elif kind == 1:
        wave = np.sin(2 * np.pi * u / period) * np.sin(2 * np.pi * v / period)
    else:
        cx, cy = random.uniform(0, 256, 2)
        wave = np.sin(2 * np.pi * np.hypot(x - cx, y - cy) / period)
    wave = np.sign(wave) if random.rand() < 0.4 else wave
    return Image.fromarray((127.5 + 127.5 * wave).astype(np.uint8))


KINDS: tuple[Callable[[Random], Image.Image], ...] = (
    blank, noise, clouds, shapes, ellipses, limb, document, chart, screen, tiles,
)  # fmt: skip
