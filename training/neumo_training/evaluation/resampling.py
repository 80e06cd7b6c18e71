"""Resamples of whole patients, as counts: how often each film is in each draw."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from neumo_training.evaluation.estimates import DRAWS
from neumo_training.evaluation.scoring import Drawn, Labels, Weights

_SEED = 0
_ELEMENTS_AT_ONCE = 1_000_000


@dataclass(frozen=True, slots=True, eq=False)
class Resamples:
    """``counts`` uint16 [draws, clusters], and the ``cluster`` of each film, int [n]."""

    counts: npt.NDArray[np.uint16]
    cluster: npt.NDArray[np.int_]

    def pieces(self) -> Iterator[Weights]:
        """The films' weights, a few draws at a time, so that memory stays bounded."""
        # float64 weights of 2,000 draws of 5,000 films would be 80 MB, and their sorted copies
        # more.
        step = max(1, _ELEMENTS_AT_ONCE // len(self.cluster))
        for first in range(0, len(self.counts), step):
            yield self.counts[first : first + step][:, self.cluster].astype(np.float64)

    def measured(self, measure: Callable[[Weights], dict[str, Drawn]]) -> dict[str, Drawn]:
        """``measure`` of every draw."""
        pieces = [measure(weights) for weights in self.pieces()]
        return {name: np.concatenate([piece[name] for piece in pieces]) for name in pieces[0]}


def resample(patients: npt.NDArray[np.str_], labels: Labels, draws: int = DRAWS) -> Resamples:
    """``draws`` resamples of whole patients, each class's patients drawn on their own.

    A patient with films of both classes counts as one in each.
    """
    random = np.random.RandomState(_SEED)
    # By patient. By runs of 25 films, which share a device, intervals are 1.5 to 1.8 times as wide.
    cluster = np.empty(len(labels), np.int_)
    counts: list[npt.NDArray[np.uint16]] = []
    for label in (0, 1):
        films = labels == label
        names, number = np.unique(patients[films], return_inverse=True)
        cluster[films] = number + sum(part.shape[1] for part in counts)
        counts.append(_counts(random, draws, len(names)))
    return Resamples(np.concatenate(counts, axis=1), cluster)


def _counts(random: np.random.RandomState, draws: int, size: int) -> npt.NDArray[np.uint16]:
    """How often each of ``size`` patients is drawn when as many are, [draws, size]."""
    # Each draw's patients are numbered after the last one's: one count serves all draws.
    drawn = random.randint(0, size, (draws, size)) + size * np.arange(draws)[:, None]
    found = np.bincount(drawn.ravel(), minlength=draws * size)
    return found.reshape(draws, size).astype(np.uint16)
