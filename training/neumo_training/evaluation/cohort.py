"""The films of a folder that can be judged, in memory, and those that cannot, with the reason."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

from neumo import image
from neumo.contract import NORMAL, PNEUMONIA
from neumo.errors import ConfigError, ImageError
from neumo_training.datasets import classes_folder, curation, film_table
from neumo_training.evaluation.scoring import Labels

MIN_PATIENTS = 5
"""Of each class: with fewer a bootstrap over patients says nothing."""

_UNKNOWN_PX = (0, 0)

UNREADABLE = "unreadable"
ELSEWHERE = "the same file in test or val, too"
DUPLICATE = "the same file again"
CONTRADICTION = "the same file under both labels"


@dataclass(frozen=True, slots=True)
class Exclusion:
    """A film that is not judged: its path, which only the terminal sees, and why."""

    path: str
    reason: str
    detail: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Cohort:
    """``table``'s rows (as ``film_table.scan``'s), their ``pixels`` and their sizes, in one order.

    ``pixels`` is uint8 [n, 256, 256, 1]; ``sizes_px`` int [n, 2], width and height of the file,
    or of the original where a list of sizes was given: 0 for a film that the list lacks.
    """

    table: pd.DataFrame
    pixels: npt.NDArray[np.uint8]
    sizes_px: npt.NDArray[np.int_]
    exclusions: tuple[Exclusion, ...] = ()

    @property
    def labels(self) -> Labels:
        """1 for PNEUMONIA, float32 [n]."""
        return np.asarray(self.table["label"] == PNEUMONIA, dtype=np.float32)

    @property
    def patients(self) -> npt.NDArray[np.str_]:
        """Whose film it is, [n]."""
        return self.table["patient"].to_numpy(str)

    def at(self, rows: npt.NDArray[np.int_]) -> Cohort:
        """The films in ``rows``, in that order."""
        return replace(
            self,
            table=self.table.iloc[rows],
            pixels=self.pixels[rows],
            sizes_px=self.sizes_px[rows],
        )

    def balanced(self, films: int, seed: int) -> npt.NDArray[np.int_]:
        """At most ``films`` rows, half of each class where there are enough, drawn by ``seed``."""
        random = np.random.RandomState(seed)
        rows = [
            random.permutation(np.flatnonzero(self.labels == label))[: films // 2]
            for label in (0, 1)
        ]
        return np.sort(np.concatenate(rows))


def read(
    table: pd.DataFrame,
    whole: pd.DataFrame,
    tick: Callable[[], None],
    leave_out: Callable[[Exclusion], None],
    sizes_px: dict[str, tuple[int, int]] | None,
) -> Cohort:
    """Read every film of ``table`` once, as the SDK does; ``tick`` is called for each.

    Repeated files are looked for in ``whole``, of which ``table`` is a part. ``leave_out`` is
    told of each film that is not read. ``sizes_px`` gives the originals' width and height by label
    and name; without it the files' own are taken. Raises ``ConfigError`` where a class has
    readable films of fewer than 5 patients.
    """
    exclusions: list[Exclusion] = []

    def without(path: str, reason: str, detail: str = "") -> None:
        exclusions.append(Exclusion(path, reason, detail))
        leave_out(exclusions[-1])

    # In the whole folder, then the part: a film held out may repeat one that is not.
    once = curation.without_duplicates(whole)
    unique = once[once["path"].isin(table["path"])]
    for path, reason in _repeated(table[~table["path"].isin(unique["path"])], whole):
        without(path, reason)
    pixels, sizes, rows = [], [], []
    keys = unique["label"] + "/" + unique["name"]
    for row, (path, key) in enumerate(zip(unique["path"], keys, strict=True)):
        tick()
        try:
            film = image.read(Path(path))
        except ImageError as error:
            without(path, UNREADABLE, str(error))
            continue
        pixels.append(film.pixels)
        own = (film.width_px, film.height_px)
        # Once there is a list it alone counts: of a squashed copy the file's own size is no news.
        sizes.append(own if sizes_px is None else sizes_px.get(key, _UNKNOWN_PX))
        rows.append(row)
    readable = unique.iloc[rows].reset_index(drop=True)
    require_patients(readable)
    return Cohort(readable, np.stack(pixels), np.array(sizes, np.int_), tuple(exclusions))


def _repeated(films: pd.DataFrame, whole: pd.DataFrame) -> Iterator[tuple[str, str]]:
    """Path and reason of each of ``films``, which are those that repeat a file."""
    agreed = set(curation.without_contradictions(whole)["path"])
    for path, part in zip(films["path"], films["also_in"], strict=True):
        if part:
            yield path, ELSEWHERE
        else:
            yield path, DUPLICATE if path in agreed else CONTRADICTION


def require_patients(table: pd.DataFrame, what: str = "readable films") -> None:
    """Raise ``ConfigError`` where ``table``, which is ``what``, has too few patients of a class."""
    for label in classes_folder.LABELS:
        patients = table.loc[table["label"] == label, "patient"].nunique()
        if patients < MIN_PATIENTS:
            raise ConfigError(
                f"{label}: {what} of {patients} patients; an interval needs at least "
                f"{MIN_PATIENTS} of each class: add films, or ask neumo predict about single ones"
            )


def read_sizes(path: Path) -> dict[str, tuple[int, int]]:
    """Originals' width and height in pixels by label and name, from the CSV ``path``.

    Raises ``ConfigError`` as ``film_table.original_sizes`` does.
    """
    sizes = film_table.original_sizes(path)
    keys = sizes["label"] + "/" + sizes["file"]
    return dict(zip(keys, zip(sizes["width"], sizes["height"], strict=True), strict=True))


def film_counts(labels: Labels) -> dict[str, int]:
    """How many films of each class."""
    sick = int(labels.sum())
    return {NORMAL: len(labels) - sick, PNEUMONIA: sick}


def described(cohort: Cohort) -> dict[str, object]:
    """Counts of films, types, patients and exclusions, and both fingerprints."""
    table = cohort.table
    reasons = pd.Series([e.reason for e in cohort.exclusions], dtype=object)
    return {
        "films": _counts(table["label"]),
        "types": _counts(table["type"]),
        "patients": {k: int(v) for k, v in table.groupby("label")["patient"].nunique().items()},
        "excluded": _counts(reasons),
        "fingerprint": film_table.fingerprint(table),
        "content_fingerprint": film_table.content_fingerprint(table),
    }


def _counts(values: pd.Series[str]) -> dict[str, int]:
    return {str(name): int(count) for name, count in sorted(values.value_counts().items())}
