"""What training keeps of the films, and why: two policies, each a chain of stated steps.

``one-per-patient``, the original notebook's and the default: one film per patient, one of each
type where a patient has both infections, then as many films of the larger class as the smaller
one has. ``all-weighted``: every film, drawn less often the more films its patient has.

Both first leave out what lies in ``test`` or ``val``, too, and duplicates: of byte-identical files
the first by label and name stays, and none of them where they carry both labels.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from neumo.errors import ConfigError
from neumo_training.datasets.classes_folder import LABELS

ONE_PER_PATIENT = "one-per-patient"
ALL_WEIGHTED = "all-weighted"
POLICIES: tuple[str, ...] = (ONE_PER_PATIENT, ALL_WEIGHTED)
"""The first is the default."""


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a policy: what it leaves out and why, and the films that are left after it."""

    name: str
    reason: str
    kept: pd.DataFrame


def curate(films: pd.DataFrame, policy: str, seed: int) -> pd.DataFrame:
    """The films that a member trains on; the index of ``films`` is kept.

    Raises ``ConfigError`` for an unknown policy, and where no film of one class is left.
    """
    return steps(films, policy, seed)[-1].kept


def weights(films: pd.DataFrame, policy: str) -> npt.NDArray[np.float64]:
    """How often each of the curated ``films`` is to be drawn, float64 [n], sums to 1.

    Each class has half of it. Within a class all films weigh the same under
    ``one-per-patient``, and 1/sqrt(films of the patient) under ``all-weighted``. Raises
    ``ConfigError`` as ``curate`` does.
    """
    _check_policy(policy)
    _check_classes(films)
    raw = pd.Series(1.0, index=films.index)
    if policy == ALL_WEIGHTED:
        # The root is a middle way: ten films tell more of a child than one does, not ten times as
        # much.
        raw = 1.0 / np.sqrt(films.groupby("patient")["name"].transform("size"))
    # Half for each class: the public set has nearly three times as many films of pneumonia.
    shares = raw / raw.groupby(films["label"]).transform("sum") / films["label"].nunique()
    return np.asarray(shares, dtype=np.float64)


def steps(films: pd.DataFrame, policy: str, seed: int) -> list[Step]:
    """What ``policy`` does with ``films``, step by step; raises ``ConfigError`` as ``curate``."""
    _check_policy(policy)
    done = _first_steps(films)
    unique = done[-1].kept
    _check_classes(unique)
    if policy == ALL_WEIGHTED:
        return done
    # Repeats before balance: what is drawn to be even must be what is left.
    first = one_per_patient(unique)
    even = balanced(first, seed)
    return [
        *done,
        Step("repeats", "the same patient and type again: the first film by name stays", first),
        Step("balance", f"as many of each class as the rarer has, drawn by seed {seed}", even),
    ]


def without_contradictions(films: pd.DataFrame) -> pd.DataFrame:
    """The films but for byte-identical files that carry both labels."""
    # By content: a copy under another name contradicts as well.
    return films[films.groupby("sha256")["label"].transform("nunique") == 1]


def without_duplicates(films: pd.DataFrame) -> pd.DataFrame:
    """One of each set of byte-identical files; none with both labels, or in test or val, too."""
    return _first_steps(films)[-1].kept


def one_per_patient(films: pd.DataFrame) -> pd.DataFrame:
    """The first film, by name, of each patient and type."""
    # By type, too: the original kept one film of each where a number has both infections.
    first = films.sort_values("name").drop_duplicates(["label", "patient", "type"])
    return first.sort_index()


def balanced(films: pd.DataFrame, seed: int) -> pd.DataFrame:
    """As many films of each label as the rarer one has, the others drawn by ``seed``."""
    count = int(films["label"].value_counts().min())
    # RandomState, here and everywhere: NumPy froze its streams, default_rng's may change.
    random = np.random.RandomState(seed)
    kept = [
        rows.iloc[np.sort(random.permutation(len(rows))[:count])]
        for _, rows in films.groupby("label", sort=True)
    ]
    return pd.concat(kept).sort_index()


def _first_steps(films: pd.DataFrame) -> list[Step]:
    """What both policies begin with."""
    # In this order: a file that lies in test, too, is gone before it contradicts or repeats
    # another.
    unseen = films[films["also_in"] == ""]
    agreed = without_contradictions(unseen)
    unique = agreed.drop_duplicates("sha256")
    return [
        Step("other parts", "the same file in test or val: it stays there, unseen", unseen),
        Step("contradictions", "the same file under both labels: neither can be trusted", agreed),
        Step("duplicates", "the same file again: the first by label and name stays", unique),
    ]


def _check_policy(policy: str) -> None:
    if policy not in POLICIES:
        raise ConfigError(f"no curation policy {policy!r}; it is one of: {', '.join(POLICIES)}")


def _check_classes(films: pd.DataFrame) -> None:
    for label in LABELS:
        if not (films["label"] == label).any():
            raise ConfigError(
                f"no film of class {label} is left, and both are needed "
                "(files that carry both labels, or lie in test or val, too, are left out)"
            )
