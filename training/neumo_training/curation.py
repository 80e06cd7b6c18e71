"""What training keeps of the films, and why: the original notebook's curation, reproducible.

One image per patient, one of each type where a patient has both infections, then as many films
of the larger class as the smaller one has.
"""

from __future__ import annotations

import numpy as np
import pandas as pd


def without_duplicates(films: pd.DataFrame) -> pd.DataFrame:
    """One of each set of byte-identical files; none of a set that carries both labels."""
    labels = films.groupby("sha256")["label"].transform("nunique")
    return films[labels == 1].drop_duplicates("sha256").reset_index(drop=True)


def one_per_patient(films: pd.DataFrame) -> pd.DataFrame:
    """The first film, by name, of each patient and type."""
    first = films.sort_values("name").drop_duplicates(["label", "patient", "type"])
    return first.sort_index()


def balanced(films: pd.DataFrame, seed: int) -> pd.DataFrame:
    """As many films of each label as the rarer one has, the others drawn by ``seed``."""
    count = int(films["label"].value_counts().min())
    random = np.random.RandomState(seed)
    kept = [
        rows.iloc[np.sort(random.permutation(len(rows))[:count])]
        for _, rows in films.groupby("label", sort=True)
    ]
    return pd.concat(kept).sort_index()


def curate(films: pd.DataFrame, seed: int) -> pd.DataFrame:
    """The films that a member trains on; the index of ``films`` is kept."""
    return balanced(one_per_patient(films), seed)
