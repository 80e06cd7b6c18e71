"""Papers, set in fonts and scanned."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import matplotlib as mpl
import numpy as np
from PIL import Image, ImageDraw, ImageFilter, ImageFont

from support.nonchest.pictures import Picture, Random
from support.places import ROOT

LICENCE = ROOT / "LICENSE"
"""Words to set."""
PAGE_PX = (620, 877)
"""A4 at 75 dots per inch."""
FONTS = tuple(
    Path(mpl.get_data_path()) / "fonts" / "ttf" / f"{name}.ttf"
    for name in (
        "DejaVuSerif",
        "DejaVuSans",
        "DejaVuSansMono",
        "DejaVuSerif-Italic",
        "STIXGeneral",
        "cmr10",
    )
)


def draw(fonts: Sequence[Path] = FONTS, each: int = 8, seed: int = 0) -> Iterator[Picture]:
    """``each`` papers of every kind, clean and scanned in turn."""
    words = LICENCE.read_text(encoding="utf-8").split()
    for kind in KINDS:
        for number in range(each):
            random = Random([seed, number, *kind.__name__.encode()])
            font = fonts[random.randint(len(fonts))]
            page = kind(random, words, str(font))
            yield Picture(
                kind.__name__.replace("_", " "), _scanned(page, random) if number % 2 else page
            )


def _page(grey: int = 255) -> tuple[Image.Image, ImageDraw.ImageDraw]:
    page = Image.new("L", PAGE_PX, grey)
    return page, ImageDraw.Draw(page)


def _scanned(page: Image.Image, random: Random) -> Image.Image:
    """Askew on a dark or white lid, shaded by a fold, with grain."""
    lid = int(random.choice([15, 60, 255]))
    bed = Image.new("L", (PAGE_PX[0] + 80, PAGE_PX[1] + 60), lid)
    x, y = random.randint(0, 60, 2)
    bed.paste(page, (int(x), int(y)))
    bed = bed.rotate(random.uniform(-6, 6), Image.Resampling.BILINEAR, fillcolor=lid)
    bed = bed.filter(ImageFilter.GaussianBlur(random.uniform(0, 1.5)))
    values = np.asarray(bed, float)
    fold = np.abs(np.linspace(-1, 1, values.shape[1]) - random.uniform(-1, 1))
    values = values * (1 - random.uniform(0.1, 0.6) * np.exp(-fold * 6))
    values += random.normal(0, random.uniform(1, 12), values.shape)
    return Image.fromarray(np.clip(values, 0, 255).astype(np.uint8))


def _paragraph(
    pen: ImageDraw.ImageDraw, box: tuple[int, int, int, int], font: ImageFont.FreeTypeFont,
    words: Sequence[str], random: Random,
) -> None:  # fmt: skip
    left, top, right, bottom = box
    at, y = int(random.randint(len(words) - 900)), top
    while y < bottom:
        line = ""
        while pen.textlength(line + words[at % len(words)], font) < right - left:
            line += words[at % len(words)] + " "
            at += 1
        pen.text((left, y), line, 20, font)
        at += not line
        y += int(font.size * 1.35)


def letter(random: Random, words: Sequence[str], font: str) -> Image.Image:
    """A head, a date, paragraphs, a signature."""
    page, pen = _page()
    pen.text((60, 50), " ".join(words[:4]), 0, ImageFont.truetype(font, 28))
    body = ImageFont.truetype(font, int(random.randint(11, 18)))
    for k in range(random.randint(2, 5)):
        _paragraph(pen, (60, 130 + 150 * k, 560, 240 + 150 * k), body, words, random)
    pen.line([(60 + 4 * k, 800 + 15 * random.randn()) for k in range(40)], 40, 2)
    return page


def two_columns(random: Random, words: Sequence[str], font: str) -> Image.Image:
    """A scientific paper with two grey figures."""
    page, pen = _page()
    body = ImageFont.truetype(font, int(random.randint(8, 13)))
    for left in (40, 325):
        _paragraph(pen, (left, 60, left + 255, 840), body, words, random)
        top = int(random.randint(80, 550))
        pen.rectangle([left, top, left + 255, top + 200], int(random.randint(0, 200)))
    return page


def book(random: Random, words: Sequence[str], font: str) -> Image.Image:
    """Two facing pages with a dark gutter."""
    spread = Image.new("L", (1100, 760), 235)
    pen = ImageDraw.Draw(spread)
    body = ImageFont.truetype(font, 15)
    for left in (60, 600):
        _paragraph(pen, (left, 70, left + 440, 690), body, words, random)
    shade = 1 - 0.7 * np.exp(-np.abs(np.linspace(-1, 1, 1100)) * random.uniform(8, 30))
    return Image.fromarray((np.asarray(spread) * shade).astype(np.uint8))


def form(random: Random, words: Sequence[str], font: str) -> Image.Image:
    """Labels, boxes and crosses."""
    page, pen = _page()
    body = ImageFont.truetype(font, 14)
    for y in range(60, 820, int(random.randint(34, 70))):
        pen.text((50, y), words[random.randint(900)], 0, body)
        pen.rectangle([220, y - 4, 560, y + 22], outline=90)
        if random.rand() < 0.5:
            pen.text((228, y), " ".join(words[random.randint(900) :][:3]), 60, body)
    return page


def invoice(random: Random, words: Sequence[str], font: str) -> Image.Image:
    """A table of amounts."""
    page, pen = _page()
    body = ImageFont.truetype(font, 13)
    pen.rectangle([40, 40, 580, 110], int(random.randint(20, 220)))
    for k, y in enumerate(range(160, 160 + 26 * random.randint(6, 24), 26)):
        if k % 2:
            pen.rectangle([40, y, 580, y + 26], 225)
        pen.text((50, y + 4), words[random.randint(900)], 0, body)
        pen.text((480, y + 4), f"{random.uniform(1, 9999):9.2f}", 0, body)
    return page


def receipt(random: Random, words: Sequence[str], font: str) -> Image.Image:
    """A narrow strip on a dark table."""
    page, pen = _page(int(random.randint(10, 90)))
    pen.rectangle([190, 0, 430, 877], 240)
    body = ImageFont.truetype(font, 13)
    for y in range(20, 860, 20):
        pen.text(
            (200, y), f"{words[random.randint(900)][:12]:14}{random.uniform(1, 99):6.2f}", 30, body
        )
    return page


def electrocardiogram(random: Random, words: Sequence[str], font: str) -> Image.Image:
    """Curves on squared paper."""
    page, pen = _page(245)
    for k in range(0, 877, 12):
        shade = 170 if k % 60 == 0 else 215
        pen.line([k, 0, k, 877], shade)
        pen.line([0, k, 620, k], shade)
    t = np.linspace(0, 8, 620)
    for row in range(random.randint(3, 8)):
        beat = np.exp(-(((t * random.uniform(0.9, 1.1)) % 1 - 0.5) ** 2) / 0.0008)
        curve = 90 + 110 * row - 60 * beat + 3 * np.sin(9 * t) + random.normal(0, 1, 620)
        pen.line([(float(x), float(y)) for x, y in enumerate(curve)], 0, 2)
    pen.text((20, 10), words[3], 0, ImageFont.truetype(font, 16))
    return page


def identity_card(random: Random, words: Sequence[str], font: str) -> Image.Image:
    """A card with a face, copied onto a white page."""
    page, pen = _page()
    top = int(random.randint(60, 500))
    pen.rounded_rectangle([90, top, 530, top + 280], 18, 215, 40, 3)
    pen.rectangle([115, top + 60, 240, top + 220], 150)
    pen.ellipse([145, top + 80, 210, top + 160], 205)
    pen.ellipse([125, top + 165, 230, top + 300], 60)
    pen.rectangle([112, top + 221, 242, top + 279], 215)
    for k in range(5):
        pen.text(
            (270, top + 60 + 34 * k), " ".join(words[9 * k :][:2]), 20, ImageFont.truetype(font, 17)
        )
    return page


def bar_code(random: Random, words: Sequence[str], font: str) -> Image.Image:
    """A label: stripes, squares and an address."""
    page, pen = _page()
    x = 60
    while x < 550:
        wide = int(random.randint(2, 9))
        pen.rectangle([x, 80, x + wide, 330], 0)
        x += wide + int(random.randint(2, 9))
    squares = Image.fromarray(((random.rand(25, 25) > 0.5) * 255).astype(np.uint8))
    page.paste(squares.resize((300, 300), Image.Resampling.NEAREST), (60, 420))
    _paragraph(pen, (380, 420, 590, 700), ImageFont.truetype(font, 16), words, random)
    return page


def slide(random: Random, words: Sequence[str], font: str) -> Image.Image:
    """A heading and points, white on dark."""
    page = Image.new("L", (960, 540), int(random.randint(0, 90)))
    pen = ImageDraw.Draw(page)
    pen.text(
        (60, 40), " ".join(words[random.randint(900) :][:3]), 250, ImageFont.truetype(font, 48)
    )
    for k in range(random.randint(2, 6)):
        pen.ellipse([70, 160 + 60 * k, 84, 174 + 60 * k], 200)
        pen.text(
            (110, 150 + 60 * k),
            " ".join(words[random.randint(900) :][:5]),
            220,
            ImageFont.truetype(font, 28),
        )
    return page


KINDS = (
    letter, two_columns, book, form, invoice, receipt, electrocardiogram, identity_card, bar_code,
    slide,
)  # fmt: skip
