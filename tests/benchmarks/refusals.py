"""What ``lungs`` refuses: of chest films, almost none; of other pictures, almost all.

``python tests/benchmarks/refusals.py --models serving/models --release 2`` judges a release. Before
there is one, ``--network FILE.keras`` judges a trained network at the threshold that training
would give it, without the locked hold-out, which each release reads once.
"""

from __future__ import annotations

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import argparse
import json
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

import keras
import numpy as np
import tests_path  # noqa: F401
from PIL import Image, ImageDraw

from neumo.contract import IMAGE_SIZE_PX, LUNGS
from neumo.errors import ConfigError
from neumo_training.fitting import lungs_training, pipeline
from support.nonchest import chest_films, packaged, refusal_table, sources
from support.nonchest.refusal_table import Lungs, Read, Row
from support.places import CHEST_XRAY, ROOT

TURNED = 300
TURNS = {"upside down": (2,), "on their side": (1, 3)}
"""By how many right angles."""
SHEET_COLUMNS = 12


@dataclass
class Judgement:
    """The table as it grows; ``impostors`` are the images that pass and should not."""

    lungs: Lungs
    rows: dict[str, list[Row]] = field(default_factory=dict)
    missing: list[str] = field(default_factory=list)
    impostors: list[tuple[str, np.ndarray]] = field(default_factory=list)

    def add(self, part: str, source: str, found: Read) -> None:
        """Judge ``found`` and print its row."""
        passes = self.lungs.chest(found.pixels) >= self.lungs.threshold
        row = refusal_table.count(source, found, passes)
        self.rows.setdefault(part, []).append(row)
        _show(row)
        if part == "others":
            self.impostors += [
                (f"{source}: {found.kinds[k]}", found.pixels[k]) for k in np.flatnonzero(passes)
            ]

    def lacks(self, source: str, error: Exception) -> None:
        """Say that a source is not there."""
        self.missing.append(f"{source}: {error}")
        _say(f"missing, so not in the total: {self.missing[-1]}")


def main() -> None:
    """Gather, judge, print."""
    options = _options()
    try:
        films = chest_films.parts(options.data, holdout=options.network is None, say=_say)
    except ConfigError as error:
        sys.exit(str(error))
    if options.network:
        lungs = _network(options.network, films.get(chest_films.DEVELOPMENT))
    else:
        lungs = refusal_table.saved_model(options.models / LUNGS.name / str(options.release))
    _say(f"{'threshold ' + format(lungs.threshold, '.6f'):44} images distinct refused    share")
    judgement = Judgement(lungs)
    _judge_films(judgement, films)
    everything = sources.OFFLINE if options.offline else sources.everything(options.cache)
    for source, gather in everything.items():
        try:
            judgement.add("others", source, refusal_table.read(gather()))
        except (OSError, subprocess.SubprocessError) as error:
            judgement.lacks(source, error)
    total = refusal_table.total(judgement.rows["others"])
    _show(total)
    if options.sheet:
        _sheet(judgement.impostors, options.sheet)
    if options.json:
        told = {part: [asdict(row) for row in rows] for part, rows in judgement.rows.items()}
        document = {"threshold": lungs.threshold, "missing": judgement.missing, **told}
        print(json.dumps(document | {"total": asdict(total)}, indent=1))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("--models", type=Path, default=ROOT / "serving" / "models", help="a folder of releases")
    add("--release", type=int, default=2, help="which of them (default: 2)")
    add("--network", type=Path, help="a trained network, FILE.keras, instead of a release")
    add("--data", type=Path, default=CHEST_XRAY, help="chest films in Kaggle's layout")
    cache = ROOT / ".cache" / "refusals"
    add("--cache", type=Path, default=cache, help="where downloads are kept")
    add("--offline", action="store_true", help="only what needs no download and no browser")
    add("--sheet", type=Path, help="write the images that pass and should not, as one picture")
    add("--json", action="store_true", help="JSON to standard output, the table to standard error")
    options = parser.parse_args()
    folder = options.models / LUNGS.name / str(options.release)
    if options.network is None and not folder.is_dir():
        parser.error(
            f"{folder}: release {options.release} has no lungs; give --release or --network"
        )
    if options.network and not options.network.is_file():
        parser.error(f"{options.network}: no such file; give a network that training wrote")
    return options


def _network(path: Path, development: Read | None) -> Lungs:
    """A trained network, at the threshold that ``neumo train`` would export it with."""
    network = keras.models.load_model(path, compile=False)

    def chest(pixels: np.ndarray) -> np.ndarray:
        return lungs_training.predict(network, lungs_training.overviews(pixels))[1]

    if development is None:
        return Lungs(chest, pipeline.CHEST_THRESHOLD_MAX)
    return Lungs(chest, pipeline.chest_threshold(chest(development.pixels)))


def _judge_films(judgement: Judgement, films: dict[str, Read]) -> None:
    if not films:
        judgement.lacks("chest films", FileNotFoundError("no such folder; give it with --data"))
    for part, found in films.items():
        judgement.add("chest", f"chest films, {part}", found)
    try:
        adult = refusal_table.read(packaged.pydicom_data(chest=True))
        judgement.add("chest", "chest films, pydicom-data (an adult's)", adult)
    except OSError as error:
        judgement.lacks("chest films, pydicom-data", error)
    unseen = films.get(chest_films.HOLDOUT, films.get(chest_films.DEVELOPMENT))
    for name, turns in TURNS.items() if unseen else ():
        pieces = [chest_films.turned(unseen, TURNED, quarters) for quarters in turns]
        kinds = tuple(kind for piece in pieces for kind in piece.kinds)
        pixels = np.concatenate([piece.pixels for piece in pieces])
        judgement.add("turned", f"chest films {name}", Read(kinds, pixels))


def _say(line: str) -> None:
    print(line, file=sys.stderr if "--json" in sys.argv else sys.stdout, flush=True)


def _show(row: Row) -> None:
    unread = f"  ({row.unread} that the SDK does not read)" if row.unread else ""
    _say(
        f"{row.source:44} {row.images:6} {row.distinct:8} {row.refused:7} {row.share:8.2%}{unread}"
    )
    if row.images and row.share >= 0.5 and row.passed:
        kinds = sorted(row.passed.items(), key=lambda item: -item[1])
        _say("    pass as chests: " + ", ".join(f"{kind} {number}" for kind, number in kinds))


def _sheet(impostors: Sequence[tuple[str, np.ndarray]], path: Path) -> None:
    """A picture with a line of text below each image."""
    high = IMAGE_SIZE_PX + 14
    size = (SHEET_COLUMNS * IMAGE_SIZE_PX, max(1, -(-len(impostors) // SHEET_COLUMNS)) * high)
    sheet = Image.new("L", size)
    for number, (name, pixels) in enumerate(impostors):
        row, column = divmod(number, SHEET_COLUMNS)
        at = (column * IMAGE_SIZE_PX, row * high)
        sheet.paste(Image.fromarray(pixels[:, :, 0]), at)
        ImageDraw.Draw(sheet).text((at[0] + 2, at[1] + IMAGE_SIZE_PX + 1), name[:44], 255)
    sheet.save(path)


if __name__ == "__main__":
    main()
