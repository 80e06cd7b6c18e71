"""The embedded server on a store of toys."""

from __future__ import annotations

import numpy as np
import pytest

from neumo.testing import EmbeddedServer
from toys import MODEL, connected, save_toy, write_config


@pytest.fixture(scope="session")
def store(tmp_path_factory):
    """A store with versions 1 and 2 of the toy; 1 is written as 00001."""
    folder = tmp_path_factory.mktemp("store") / MODEL
    folder.mkdir()
    save_toy(folder, 1).rename(folder / "00001")
    save_toy(folder, 2)
    (folder / "notes").mkdir()
    return folder


@pytest.fixture(scope="session")
def running(store, tmp_path_factory):
    """The embedded server on the store."""
    config = write_config(tmp_path_factory.mktemp("config") / "models.config", store)
    flags = [f"--model_config_file={config}", "--allow_version_labels_for_unavailable_models"]
    with EmbeddedServer(flags) as server:
        found = connected(server)
        yield found
        found.channel.close()


@pytest.fixture
def x():
    """An input of the default signature."""
    return np.array([[1.0, 2.0], [3.0, 4.0]], np.float32)
