"""The locked hold-out: which films it is, and that each release reads it once."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd

from neumo.errors import ConfigError
from neumo_training.datasets import film_table
from neumo_training.datasets.splits import Splits
from neumo_training.evaluation.in_process_models import Ensemble
from neumo_training.whole_files import write_atomically

LEDGER = "holdout-readings.json"

_KEYS = ("release", "weights_sha256", "fingerprint", "at")
"""Of a reading."""


def held(table: pd.DataFrame, chosen: Splits) -> pd.Series[bool]:
    """Which rows of ``table`` are the hold-out of ``chosen``.

    Raises ``ConfigError`` where ``table`` is not the films that ``chosen`` was made for.
    """
    if film_table.fingerprint(table) != chosen.fingerprint:
        raise ConfigError(
            "--part holdout: these are not the films that the splits were made for; give the whole "
            "training folder, or the --splits of your own training run"
        )
    return table["group"].isin(chosen.holdout)


def readings(folder: Path) -> list[dict[str, Any]]:
    """What the ledger in ``folder`` says, oldest first; empty where there is none."""
    path = folder / LEDGER
    if not path.exists():
        return []
    try:
        entries = json.loads(path.read_text(encoding="utf-8"))["readings"]
        return [{key: reading[key] for key in _KEYS} for reading in entries]
    except (ValueError, KeyError, TypeError) as error:
        raise ConfigError(f"{path}: not a ledger of readings ({error})") from error


def refuse_second(folder: Path, ensemble: Ensemble, fingerprint: str) -> None:
    """Raise ``ConfigError`` where the ledger has this release and this hold-out already."""
    for reading in _own(folder, ensemble, fingerprint):
        raise ConfigError(
            f"release {ensemble.manifest.release} has read this hold-out on {reading['at']} "
            f"({folder / LEDGER}); a release reads it once. --again reads it anew, and says so"
        )


def record(folder: Path, ensemble: Ensemble, fingerprint: str) -> int:
    """Write into the ledger that the hold-out is now read; how many times it was, this included."""
    known = readings(folder)
    entry = {
        "release": ensemble.manifest.release,
        "weights_sha256": ensemble.weights_sha256,
        "fingerprint": fingerprint,
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
    }
    text = json.dumps({"readings": [*known, entry]}, indent=1) + "\n"
    write_atomically(folder / LEDGER, text)
    return len(_own(folder, ensemble, fingerprint))


def _own(folder: Path, ensemble: Ensemble, fingerprint: str) -> list[dict[str, Any]]:
    # By its files: in another store the number may be another release's.
    own = (ensemble.weights_sha256, fingerprint)
    return [r for r in readings(folder) if (r["weights_sha256"], r["fingerprint"]) == own]
