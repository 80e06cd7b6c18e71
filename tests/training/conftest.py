"""One evaluation of a toy release, which the tests of the report and of the cards share."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from neumo import image
from support import toy_release


@dataclass(frozen=True)
class Judged:
    """What ``neumo evaluate`` wrote about release 2 of the toys."""

    data: Path
    store: Path
    masks: Path
    out: Path
    document: dict[str, Any]
    page: str


@pytest.fixture(scope="session")
def toys(tmp_path_factory):
    """A store with release 1, and a release 2 that has ``lungs`` and misses fewer films."""
    store = tmp_path_factory.mktemp("toys")
    toy_release.write(store, 1, grey=172.0)
    return toy_release.write(store, 2, grey=160.0, lungs=True)


@pytest.fixture(scope="session")
def judged(tmp_path_factory, films_folder, toys):
    """Release 2 against release 1 on the drawn films, whose dark parts are their lungs."""
    from neumo_training.commands import evaluate as command

    base = tmp_path_factory.mktemp("judged")
    for label in ("NORMAL", "PNEUMONIA"):
        (base / "masks" / label).mkdir(parents=True)
        for path in (films_folder / label).iterdir():
            dark = image.read(path).pixels[..., 0] < 100
            mask = Image.fromarray(np.where(dark, 255, 0).astype(np.uint8))
            mask.save(base / "masks" / label / f"{path.stem}.png")
    options = ["--models", toys, "--against", 1, "--masks", base / "masks", "--out", base / "out"]
    assert command.main([str(films_folder), *map(str, options)]) == 0
    return Judged(
        films_folder,
        toys,
        base / "masks",
        base / "out",
        json.loads((base / "out" / command.JSON_FILE).read_text()),
        (base / "out" / command.PAGE_FILE).read_text(),
    )
