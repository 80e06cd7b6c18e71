"""Who is trained on and who is not: a locked, ordered hold-out and ordered folds of the rest.

Ordered: the hold-out takes the lowest patient numbers of each series. On this set a random
split saturates, while an ordered one behaves much like the official test folder.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from neumo.errors import ConfigError
from neumo_training.datasets.film_table import fingerprint, has_odd_name

# Each costs a CNN for each member, in training and, since a member is all of them, in every answer.
FOLDS = 3
HOLDOUT_SHARE = 0.15
HOLDOUT = "hold-out"
COMMITTED = Path(__file__).with_name("splits.json")


@dataclass(frozen=True, slots=True)
class Splits:
    """Groups of patients by where they belong; ``fingerprint`` names the films they came from."""

    fingerprint: str
    holdout: frozenset[str]
    folds: tuple[frozenset[str], ...]

    def to_json(self) -> str:
        """The text of ``splits.json``."""
        document = {
            "fingerprint": self.fingerprint,
            "holdout": sorted(self.holdout),
            "folds": [sorted(fold) for fold in self.folds],
        }
        return json.dumps(document, indent=0) + "\n"


def make(films: pd.DataFrame) -> Splits:
    """Split ``films`` by group; raises ``ConfigError`` where there are too few patients."""
    holdout: set[str] = set()
    folds: tuple[set[str], ...] = tuple(set() for _ in range(FOLDS))
    for label, rows in films.assign(position=_positions(films)).groupby("label"):
        # A group may have films in both normal series: the lower place counts. Stable: ties keep
        # their order.
        groups = rows.groupby("group")["position"].min().sort_values(kind="stable").index
        held = max(1, round(HOLDOUT_SHARE * len(groups)))
        if len(groups) < FOLDS + held:
            found = "1 patient is" if len(groups) == 1 else f"{len(groups)} patients are"
            raise ConfigError(f"{label}: {found} too few; {FOLDS + held} are the least")
        holdout.update(groups[:held])
        for rank, group in enumerate(groups[held:]):
            # Blocks, not in turn: neighbouring numbers share a device, which a fold must not have
            # seen.
            folds[rank * FOLDS // (len(groups) - held)].add(group)
    return Splits(fingerprint(films), frozenset(holdout), tuple(map(frozenset, folds)))


def read(path: Path) -> Splits:
    """The splits in ``path``; ``ConfigError`` where it holds none."""
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        folds = tuple(frozenset(fold) for fold in document["folds"])
        return Splits(document["fingerprint"], frozenset(document["holdout"]), folds)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ConfigError(f"{path}: not a splits file ({error}); delete it") from error


def splits_for(films: pd.DataFrame) -> Splits:
    """The committed splits where ``films`` are the ones they were made for, else new ones."""
    # Whoever trains anew on the public set holds out the patients that no release has seen.
    committed = read(COMMITTED)
    return committed if committed.fingerprint == fingerprint(films) else make(films)


def parts(films: pd.DataFrame, chosen: Splits) -> pd.Series[str]:
    """The part that each film belongs to: "hold-out", "fold 1", …; '' where in none."""
    names = dict.fromkeys(chosen.holdout, HOLDOUT)
    for number, groups in enumerate(chosen.folds, start=1):
        names |= dict.fromkeys(groups, f"fold {number}")
    return films["group"].map(names).fillna("")


def _positions(films: pd.DataFrame) -> pd.Series[float]:
    """Each film's place in its series, 0 (lowest patient number) to 1."""
    ranks = films.groupby("series")[["number"]].rank(method="dense")["number"]
    # Names that tell no patient all have the number 0: the names themselves give the order.
    tied = films["patient"].where(has_odd_name(films))
    ranks = ranks.where(tied.isna(), tied.groupby(films["series"]).rank(method="dense"))
    # As a share of its series: a hold-out of low numbers takes as much of a short series as of a
    # long.
    return ranks / ranks.groupby(films["series"]).transform("max")
