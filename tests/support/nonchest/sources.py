"""Every source of pictures that are no chest radiograph, by its name."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path

from support.nonchest import bodies, charts, documents, packaged, plain
from support.nonchest.pictures import Picture, drawn

Sources = dict[str, Callable[[], Iterable[Picture]]]

OFFLINE: Sources = {
    "documents": documents.draw,
    "charts": charts.draw,
    "limbs, drawn": partial(drawn, bodies.LIMBS, 12),
    "other parts of the body, drawn": partial(drawn, bodies.PARTS, 10),
    "slices, drawn": partial(drawn, bodies.SLICES, 8),
    "noise": partial(drawn, plain.NOISE, 6),
    "blank": partial(drawn, plain.BLANK, 6),
    "pydicom-data, no chest": partial(packaged.pydicom_data, chest=False),
}
"""What needs neither a download nor a browser."""


def everything(cache: Path) -> Sources:
    """``OFFLINE``, screenshots, and what is downloaded into ``cache``."""
    from support.nonchest import screenshots

    debian: Sources = {
        f"Debian's {name}": partial(packaged.debian, name, cache) for name in packaged.DEBIAN
    }
    return {
        **OFFLINE,
        "documents in Liberation": lambda: documents.draw(_liberation(cache), 2, seed=1),
        "screenshots": screenshots.take,
        "scikit-image": partial(packaged.scikit_image, cache),
        **debian,
    }


def _liberation(cache: Path) -> list[Path]:
    return sorted(packaged.debian_package(packaged.DEBIAN_FONTS, cache).rglob("*.ttf"))
