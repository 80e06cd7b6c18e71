"""Charts by matplotlib, in several of its styles."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator

import matplotlib as mpl
import matplotlib.style
import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from PIL import Image

from support.nonchest.pictures import Picture, Random

STYLES = ("default", "dark_background", "ggplot", "grayscale")


def _walks(random: Random) -> np.ndarray:
    return random.normal(0, 1, (40, 3)).cumsum(axis=0)


def _surface(random: Random) -> np.ndarray:
    y, x = np.mgrid[-2:2:40j, -2:2:40j]
    a, b = random.uniform(0.5, 3, 2)
    return np.exp(-((x - a / 3) ** 2) - y**2) + np.sin(a * x) * np.cos(b * y)


KINDS: dict[str, Callable[[Axes, Random], object]] = {
    "lines": lambda ax, r: ax.plot(_walks(r)),
    "bars": lambda ax, r: ax.bar(range(9), r.rand(9)),
    "bars across": lambda ax, r: ax.barh(range(7), r.rand(7)),
    "pie": lambda ax, r: ax.pie(r.rand(5) + 0.1, labels=list("abcde")),
    "two pies": lambda ax, r: (
        ax.pie(r.rand(4) + 0.1, center=(-1.2, 0)),
        ax.pie(r.rand(4) + 0.1, center=(1.2, 0)),
    ),
    "dots": lambda ax, r: ax.scatter(*r.normal(0, 1, (2, 90)), s=60 * r.rand(90)),
    "histogram": lambda ax, r: ax.hist(r.normal(0, 1, (300, 2)), bins=20),
    "hexagons": lambda ax, r: ax.hexbin(*r.normal(0, 1, (2, 900)), gridsize=18),
    "heat map": lambda ax, r: ax.imshow(r.rand(9, 12)),
    "contours": lambda ax, r: ax.contourf(_surface(r), 9, cmap="gray"),
    "boxes": lambda ax, r: ax.boxplot(r.normal(0, 1, (40, 5))),
    "violins": lambda ax, r: ax.violinplot(r.normal(0, 1, (40, 4))),
    "areas": lambda ax, r: ax.stackplot(range(20), r.rand(4, 20)),
    "stems": lambda ax, r: ax.stem(r.rand(20)),
    "arrows": lambda ax, r: ax.quiver(*np.gradient(_surface(r)[::3, ::3])),
    "errors": lambda ax, r: ax.errorbar(range(9), r.rand(9), yerr=0.1 + 0.2 * r.rand(9)),
    "spectrogram": lambda ax, r: ax.specgram(np.sin(np.linspace(0, 9, 4000) ** 3) + r.rand(4000)),
    "raster": lambda ax, r: ax.eventplot(r.rand(8, 30)),
    "steps": lambda ax, r: ax.step(range(40), _walks(r)),
    "receiver curve": lambda ax, r: ax.plot(np.sort(r.rand(50)), np.sort(r.rand(50)) ** 0.3),
}


def draw(seed: int = 0) -> Iterator[Picture]:
    """Every kind in every style."""
    for number, style in enumerate(STYLES):
        for kind, plot in KINDS.items():
            random = Random([seed, number, *kind.encode()])
            with mpl.style.context(style):
                figure = Figure(figsize=(6.4, random.uniform(3.6, 6.4)), dpi=80)
                FigureCanvasAgg(figure)
                axes = figure.add_subplot()
                plot(axes, random)
                axes.set_title(f"{kind}, {style}")
                content = io.BytesIO()
                figure.savefig(content, format="png")
            yield Picture(kind, Image.open(content).convert("RGB"))
