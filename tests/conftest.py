"""One small training run on drawn films, which the tests share, and how long any test may take."""

import os
from dataclasses import dataclass
from pathlib import Path

import pytest

from neumo.settings import DEFAULT_TIMEOUT_S, TIMEOUT_VARIABLE
from support.drawn_dataset import write_configs, write_films, write_masks
from support.patience import factor, patience


def pytest_configure():
    """On a slow machine, the SDK waits longer for each answer, too."""
    if factor() > 1:
        os.environ.setdefault(TIMEOUT_VARIABLE, f"{patience(DEFAULT_TIMEOUT_S):g}")


PROCESSES = {"e2e", "docs"}
"""The folders whose tests are slow: each starts servers or programs as a user does."""

COSTLY = {
    "browser": "browser",
    "run": "slow",
    "judged": "slow",
    "search": "slow",
    "neumo_server": "slow",
    "wheel": "network",
}
"""What a test is that has one of these fixtures, itself or through another one."""


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config, items):
    """Mark what costs, and stretch every limit, a test's own or everyone's, as those within it."""
    for item in items:
        for fixture, mark in COSTLY.items():
            if fixture in item.fixturenames:
                item.add_marker(mark)
        if PROCESSES & set(item.nodeid.split("/")[:2]):
            item.add_marker("slow")
        if config.getoption("timeout") is None:
            own = item.get_closest_marker("timeout")
            limit = own.args[0] if own else float(config.getini("timeout"))
            item.add_marker(pytest.mark.timeout(patience(limit)), append=False)


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
