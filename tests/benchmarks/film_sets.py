"""Folders of other projects' films: how many are read, refused and why, and how long each takes.

``python tests/benchmarks/film_sets.py FOLDER…`` reads every file, known suffix or not; without a
folder, pydicom's own. Pillow's are in its source distribution, ``Tests/images``: ``pip download
--no-binary :all: --no-deps pillow``. What was read is shown on sheets in ``.cache/film-sets``,
twelve in a row, with its cautions: look at them for what was read wrongly without a word.
"""

from __future__ import annotations

import os
import sys
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import tests_path  # noqa: F401
from PIL import Image, ImageDraw

from neumo import image
from neumo.errors import ImageError
from support.places import ROOT

SLOW_S = 5.0
SHEETS = ROOT / ".cache" / "film-sets"
TILE_PX, TEXT_PX, COLUMNS, ROWS = 128, 24, 12, 12
_DIGITS = str.maketrans("0123456789", "##########")

Read = tuple[str, np.ndarray, tuple[str, ...]]


def main() -> None:
    """Each folder's counts and sheets; ends with 1 where a file took too long or crashed."""
    folders = [Path(one) for one in sys.argv[1:]] or _pydicoms_own()
    bad = sum(_judge(folder) for folder in folders)
    sys.exit(bool(bad))


def _pydicoms_own() -> list[Path]:
    import data_store
    import pydicom

    return [
        Path(pydicom.__path__[0]) / "data" / "test_files",
        Path(data_store.__path__[0]) / "data",
    ]


def _judge(folder: Path) -> int:
    paths = [Path(parent, name) for parent, _, names in os.walk(folder) for name in names]
    read: list[Read] = []
    refused: Counter[str] = Counter()
    slow, crashed = [], []
    for path in sorted(paths):
        started = time.perf_counter()
        try:
            film = image.read(path)
        except ImageError as error:
            refused[str(error).translate(_DIGITS)] += 1
        except Exception as error:  # noqa: BLE001 - that is what is looked for
            crashed.append(f"{path.name}: {error!r}")
        else:
            codes = tuple(caution.code for caution in film.cautions)
            read.append((path.name, film.pixels[:, :, 0], codes))
        if time.perf_counter() - started > SLOW_S:
            slow.append(f"{path.name}: {time.perf_counter() - started:.1f} s")
    print(f"{folder}: {len(paths)} files, {len(read)} read, {sum(refused.values())} refused")
    for reason, number in refused.most_common():
        print(f"{number:6} {reason}")
    cautions = Counter(code for _, _, codes in read for code in codes)
    print("cautions:", ", ".join(f"{code} {number}" for code, number in cautions.most_common()))
    print(f"over {SLOW_S:g} s: {slow or 'none'}; other exceptions: {crashed or 'none'}")
    _sheets("-".join(folder.parts[-3:]), read)
    return len(slow) + len(crashed)


def _sheets(name: str, read: Sequence[Read]) -> None:
    """Pictures of at most 144 films each, with name and cautions below."""
    SHEETS.mkdir(parents=True, exist_ok=True)
    size = COLUMNS * ROWS
    for start in range(0, len(read), size):
        sheet = Image.new("L", (COLUMNS * TILE_PX, ROWS * (TILE_PX + TEXT_PX)))
        draw = ImageDraw.Draw(sheet)
        for number, (label, pixels, codes) in enumerate(read[start : start + size]):
            row, column = divmod(number, COLUMNS)
            at = (column * TILE_PX, row * (TILE_PX + TEXT_PX))
            sheet.paste(Image.fromarray(pixels).resize((TILE_PX, TILE_PX)), at)
            draw.text((at[0] + 1, at[1] + TILE_PX), label[-20:], 255)
            draw.text((at[0] + 1, at[1] + TILE_PX + 11), " ".join(codes)[:20], 160)
        path = SHEETS / f"{name}-{start // size + 1}.png"
        sheet.save(path)
        print(path)


if __name__ == "__main__":
    main()
