"""What was tried for the releases that neumo ships, each with its figure, kept or not.

``tests/benchmarks/ablations.py`` measures most of the rows in ``configs/tried.csv``.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from dataclasses import asdict, dataclass, fields
from pathlib import Path

from neumo import release
from neumo.errors import ConfigError
from neumo_training.networks.network_config import CONFIGS

COMMITTED = CONFIGS / "tried.csv"
_YES_NO = {"yes": True, "no": False}


@dataclass(frozen=True, slots=True)
class Trial:
    """A choice that was tried and what one metric said of it."""

    release: int
    part: str
    """What of the release it changes, such as ``members`` or ``lungs``."""
    tried: str
    metric: str
    reference: float
    """The metric without it: of what is shipped where it was not kept."""
    value: float
    """The metric with it."""
    low: float | None
    high: float | None
    """The 95 % interval of ``value`` less ``reference``; None where there is none."""
    kept: bool


def read(path: Path = COMMITTED) -> list[Trial]:
    """The rows of ``path``; ``ConfigError`` names the line that is none."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, ValueError) as error:
        raise ConfigError(f"{path}: {error}") from error
    rows = csv.DictReader(io.StringIO(text))
    return [_trial(row, f"{path}, line {line}") for line, row in enumerate(rows, start=2)]


def to_csv(trials: Iterable[Trial]) -> str:
    """``trials`` as the text that ``read`` reads."""
    text = io.StringIO()
    names = [field.name for field in fields(Trial)]
    writer = csv.DictWriter(text, names, lineterminator="\n")
    writer.writeheader()
    for trial in trials:
        numbers = {k: _number(getattr(trial, k)) for k in ("reference", "value", "low", "high")}
        writer.writerow(asdict(trial) | numbers | {"kept": "yes" if trial.kept else "no"})
    return text.getvalue()


def of(judged: release.Manifest, shipped: Path, path: Path = COMMITTED) -> list[Trial]:
    """The rows of ``judged``; none unless the store ``shipped`` has this very release.

    Another release may have the same number: its files tell the two apart.
    """
    known = release.manifest_path(shipped, judged.release)
    if not known.is_file():
        return []
    if release.weights_sha256(release.read(known)) != release.weights_sha256(judged):
        return []
    return [trial for trial in read(path) if trial.release == judged.release]


def _trial(row: dict[str, str], where: str) -> Trial:
    try:
        return Trial(
            release=int(row["release"]),
            part=row["part"],
            tried=row["tried"],
            metric=row["metric"],
            reference=float(row["reference"]),
            value=float(row["value"]),
            low=float(row["low"]) if row["low"] else None,
            high=float(row["high"]) if row["high"] else None,
            kept=_YES_NO[row["kept"]],
        )
    except (KeyError, TypeError, ValueError) as error:
        raise ConfigError(f"{where}: not a row of what was tried ({error})") from error


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.5f}"
