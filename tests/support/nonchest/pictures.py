"""A picture to be judged."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

Random = np.random.RandomState
Draw = Callable[[Random], Image.Image]


@dataclass(frozen=True, slots=True, eq=False)
class Picture:
    """``image`` is what ``neumo.image.read`` is given; ``kind`` says what is to be seen in it."""

    kind: str
    image: Image.Image | Path


def drawn(kinds: tuple[Draw, ...], each: int, seed: int = 0) -> Iterator[Picture]:
    """``each`` pictures of every kind."""
    for draw in kinds:
        name = draw.__name__
        for number in range(each):
            random = Random([seed, number, *name.encode()])
            yield Picture(name.replace("_", " "), draw(random))
