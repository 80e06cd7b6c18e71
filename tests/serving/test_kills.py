"""kill -9 leaves nothing that a restart trips over; the long form is benchmarks/kills.py."""

from __future__ import annotations

import pytest
import requests

from neumo.testing import EmbeddedServer
from neumo_serving.engine import saved_model
from neumo_serving.request_faults import Fault
from support.kill_rounds import put_half, rounds
from support.patience import patience
from support.toy_model import MODEL, save_toy, write_config

pytestmark = pytest.mark.slow


def test_a_killed_server_starts_again_and_answers(tmp_path):
    """Whatever it was doing, and with versions beside it that were only half copied."""
    source = save_toy(tmp_path, 1)
    assert len(list(rounds(tmp_path, source, 4, seed=2))) == 4


def test_a_version_that_is_half_copied_is_told_and_never_served(tmp_path):
    """At the start as well; the one before it serves."""
    source = save_toy(tmp_path, 1)
    store = tmp_path / MODEL
    store.mkdir()
    source.rename(store / "1")
    put_half(store, store / "1", 2)
    config = write_config(tmp_path / "models.config", store)
    flags = [f"--model_config_file={config}", "--allow_version_labels_for_unavailable_models"]
    with EmbeddedServer([*flags, "--max_num_load_retries=0"]) as server:
        found = requests.get(f"{server.http_url}/v1/models/{MODEL}", timeout=patience(60)).json()
        second, first = found["model_version_status"]
        assert (first["version"], first["state"]) == ("1", "AVAILABLE")
        assert (second["version"], second["state"]) == ("2", "END")
        assert "saved_model.pb" in second["status"]["error_message"]


@pytest.mark.parametrize(
    ("missing", "reason"),
    [
        ("variables/variables.index", "variables.index is missing"),
        ("variables/variables.data-00000-of-00001", "variables.data-00000"),
        ("saved_model.pb", "Could not find SavedModel .pb"),
    ],
)
def test_a_version_without_a_part_cannot_be_loaded(tmp_path, missing, reason):
    """The reason names it."""
    version = save_toy(tmp_path, 1)
    (version / missing).unlink()
    with pytest.raises(Fault, match=reason):
        saved_model.load(version)


@pytest.mark.parametrize("file", ["variables/variables.data-00000-of-00001", "saved_model.pb"])
def test_a_version_with_a_part_cut_short_cannot_be_loaded(tmp_path, file):
    """Copying was broken off in the middle of it."""
    path = save_toy(tmp_path, 1) / file
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(Fault):
        saved_model.load(path.parents[file.count("/")])
