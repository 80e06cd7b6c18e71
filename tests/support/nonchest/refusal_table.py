"""What ``lungs`` says of pictures, counted by source."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from neumo import contract, image
from neumo.errors import ImageError
from support.nonchest.pictures import Picture

Chest = Callable[[npt.NDArray[np.uint8]], npt.NDArray[np.float32]]
"""uint8 [n, 256, 256, 1] to how sure ``lungs`` is of a chest, float32 [n]."""
BATCH = 64


@dataclass(frozen=True, slots=True, eq=False)
class Lungs:
    """``chest`` and the least that a chest radiograph has."""

    chest: Chest
    threshold: float


@dataclass(frozen=True, slots=True, eq=False)
class Read:
    """Pictures as the SDK sends them: ``pixels`` uint8 [n, 256, 256, 1], and their kinds.

    ``unread`` is how many the SDK refused by itself; they count nowhere else.
    """

    kinds: tuple[str, ...]
    pixels: npt.NDArray[np.uint8]
    unread: int = 0


@dataclass(frozen=True, slots=True)
class Row:
    """One source: how many images it has, how many are refused.

    ``distinct`` counts images of the same pixels once; ``passed`` is how many of each kind are
    taken for chest films.
    """

    source: str
    images: int
    refused: int
    distinct: int
    unread: int
    passed: Mapping[str, int]

    @property
    def share(self) -> float:
        """Of the images, refused; 0 where there are none."""
        return self.refused / self.images if self.images else 0.0


def read(pictures: Iterable[Picture]) -> Read:
    """Every picture by ``neumo.image.read``."""
    kinds, pixels, unread = [], [], 0
    for picture in pictures:
        try:
            pixels.append(image.read(picture.image).pixels)
            kinds.append(picture.kind)
        except ImageError:
            unread += 1
    side = contract.IMAGE_SIZE_PX
    stacked = np.stack(pixels) if pixels else np.zeros((0, side, side, 1), np.uint8)
    return Read(tuple(kinds), stacked, unread)


def saved_model(folder: Path) -> Lungs:
    """The ``lungs`` SavedModel in ``folder``, in this process."""
    import tensorflow as tf

    loaded = tf.saved_model.load(str(folder))
    side = contract.IMAGE_SIZE_PX

    def answer(pixels: npt.NDArray[np.uint8], name: str) -> npt.NDArray[np.float32]:
        signature = loaded.signatures[contract.SERVING_DEFAULT]
        return np.asarray(signature(image=tf.constant(pixels))[name], np.float32)

    def chest(pixels: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
        starts = range(0, len(pixels), BATCH)
        found = [answer(pixels[k : k + BATCH], contract.CHEST.name) for k in starts]
        return np.concatenate([np.zeros(0, np.float32), *found])

    blank = np.zeros((1, side, side, 1), np.uint8)
    return Lungs(chest, float(answer(blank, contract.THRESHOLD.name)[0]))


def count(source: str, found: Read, passes: npt.NDArray[np.bool_]) -> Row:
    """The row of ``found``, of which ``passes`` [n] is what is taken for a chest film."""
    images, passed = len(found.kinds), int(passes.sum())
    kinds = Counter(kind for kind, yes in zip(found.kinds, passes, strict=True) if yes)
    distinct = len({one.tobytes() for one in found.pixels})
    return Row(source, images, images - passed, distinct, found.unread, dict(kinds))


def total(rows: Iterable[Row]) -> Row:
    """All of them together; the kinds that pass are named in each source's own row."""
    counted = [(row.images, row.refused, row.distinct, row.unread) for row in rows]
    return Row(
        "all that is no chest film", *(sum(column) for column in zip(*counted, strict=True)), {}
    )
