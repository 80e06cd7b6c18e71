"""How often a film's quality is doubted: of real films as they are, and of the same ones spoilt.

``python tests/benchmarks/quality.py [DATA]`` reads every film of Kaggle's layout and, beside it,
the adults' folder. The locked hold-out counts for false alarms only. ``--fit`` prints the tables of
``neumo._images.chest_patterns`` made anew, of the films outside the hold-out. No film is written.
"""

from __future__ import annotations

import argparse
import base64
from collections import Counter
from pathlib import Path

import numpy as np
import tests_path  # noqa: F401

from neumo import image
from neumo._images import file_checks
from neumo._images.chest_patterns import SIDE
from neumo_training.datasets import film_table, splits
from support import spoilt_films
from support.places import CHEST_XRAY

SPOILT_EVERY = 13
"""Every so manieth film is spoilt, in each way."""
RIDGE, CUT_SHARES = 10.0, (0.3, 0.5)


def main() -> None:
    """Count, or fit."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", nargs="?", type=Path, default=CHEST_XRAY)
    parser.add_argument("--fit", action="store_true", help="print the tables made anew")
    chosen = parser.parse_args()
    if chosen.fit:
        _fit(_development(chosen.data))
        return
    adults = chosen.data.parent / "adults"
    for folder in (chosen.data, adults):
        _false_alarms(folder.name, sorted(folder.rglob("*.jp*g")))
    _hits(_development(chosen.data)[::SPOILT_EVERY])


def _false_alarms(name: str, paths: list[Path]) -> None:
    counts: Counter[str] = Counter()
    doubted = 0
    for path in paths:
        codes = {caution.code for caution in image.read(path).cautions}
        counts.update(codes)
        doubted += bool(codes)
    print(f"{name}: {doubted} of {len(paths)} films doubted ({doubted / max(len(paths), 1):.2%})")
    print("   ", ", ".join(f"{code} {number}" for code, number in counts.most_common()) or "none")


def _hits(films: np.ndarray) -> None:
    print(f"{len(films)} films spoilt in each way: the share with the caution that is due")
    for what, (code, spoil) in spoilt_films.SPOILT.items():
        found = [_codes(spoil(film)) for film in films]
        print(f"    {what:32} {code:10} {np.mean([code in one for one in found]):7.1%}")


def _codes(picture: np.ndarray) -> set[str]:
    pixels = np.ascontiguousarray(picture)[:, :, None]
    size = file_checks.SMALL_SIDE_PX
    return {one.code for one in file_checks.picture_cautions(pixels, size, size)}


def _development(folder: Path) -> np.ndarray:
    """uint8 [n, 256, 256] of the films outside the locked hold-out."""
    films = film_table.scan(folder)
    held = films["group"].isin(splits.splits_for(films).holdout)
    return np.stack([image.read(Path(path)).pixels[:, :, 0] for path in films[~held]["path"]])


def _fit(films: np.ndarray) -> None:
    """Mean and discriminants, each as signed bytes in base64."""
    small = _features(films)
    mean = small.mean(0)
    _show("MEAN", mean + mean[:, ::-1])
    # The same weights, mirrored, for left and right; with the other sign for top and bottom.
    difference = small - small[:, ::-1]
    half = (difference + difference[:, :, ::-1])[:, : SIDE // 2].reshape(len(small), -1) / 2
    weights = _ridge(half, np.ones(len(half)), 10 * RIDGE).reshape(SIDE // 2, SIDE)
    weights = weights + weights[:, ::-1]
    _show("UPRIGHT", np.concatenate([weights, -weights[::-1]]))
    shares = np.random.default_rng(0).uniform(*CUT_SHARES, len(films))
    pairs = zip(films, shares, strict=True)
    cut = _features(np.stack([spoilt_films.cut(film, one, left=True) for film, one in pairs]))
    both = np.concatenate([small, small[:, :, ::-1], cut, cut]).reshape(4 * len(small), -1)
    wanted = np.repeat([-1.0, 1.0], 2 * len(small))
    with_one = np.concatenate([both, np.ones((len(both), 1), np.float32)], axis=1)
    _show("CUT_LEFT", _ridge(with_one, wanted, RIDGE)[:-1].reshape(SIDE, SIDE))


def _features(films: np.ndarray) -> np.ndarray:
    """float32 [n, 16, 16], each of mean 0 and length 1."""
    size = films.shape[1] // SIDE
    small = films.reshape(len(films), SIDE, size, SIDE, size).mean((2, 4), dtype=np.float32)
    small -= small.mean((1, 2), keepdims=True)
    length = np.sqrt((small * small).sum((1, 2), keepdims=True))
    return np.asarray(small / np.maximum(length, 1e-9))


def _ridge(features: np.ndarray, wanted: np.ndarray, strength: float) -> np.ndarray:
    penalty = strength * np.eye(features.shape[1])
    found = np.linalg.solve(features.T @ features + penalty, features.T @ wanted)
    return np.asarray(found)


def _show(name: str, table: np.ndarray) -> None:
    levels = np.rint(table / np.abs(table).max() * 127).astype(np.int8)
    print(f"{name} = {base64.b64encode(levels.tobytes()).decode()}")


if __name__ == "__main__":
    main()
