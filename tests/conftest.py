"""One small training run on drawn films, which the tests share."""

from dataclasses import dataclass
from pathlib import Path

import pytest

from support.drawn_dataset import write_configs, write_films, write_masks


@dataclass(frozen=True)
class Run:
    """A finished run on drawn films: its data, work folder and exported model store."""

    data: Path
    workdir: Path
    store: Path


@pytest.fixture(scope="session")
def films_folder(tmp_path_factory):
    """A folder of 24 drawn films of each class."""
    return write_films(tmp_path_factory.mktemp("films"))


@pytest.fixture(scope="session")
def run(tmp_path_factory, films_folder):
    """``neumo train`` on the drawn films, with configurations of a few thousand weights."""
    from neumo_training.commands import train

    base = tmp_path_factory.mktemp("run")
    configs = write_configs(base / "configs")
    masks = write_masks(base / "masks", films_folder)
    arguments = ["--workdir", str(base / "work"), "--configs", str(configs), "--masks", str(masks)]
    store = ["--to", str(base / "models"), "--release", "1", "--force"]
    assert train.main([str(films_folder), *arguments, *store]) == 0
    return Run(films_folder, base / "work", base / "models")
