"""The search of hyperparameters: resumable, tabulated, and its winner is a configuration."""

import keras_tuner
import pandas as pd
import pytest

from drawn import write_configs
from neumo_training import commands, config, tuning


@pytest.fixture(scope="module")
def search(run, films_folder, tmp_path_factory):
    """Two short trials on the drawn films, after the lungs' network of the shared run."""
    base = tmp_path_factory.mktemp("search")
    configs = write_configs(base / "configs")
    arguments = [str(films_folder), "--workdir", str(base), "--configs", str(configs)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tuning, "EPOCHS", 1)
        assert commands.tune([*arguments, "--trials", "2"]) == 0
        before = (base / "tuning" / tuning.TABLE).read_bytes()
        assert commands.tune([*arguments, "--trials", "2"]) == 0
    return base / "tuning", before


def test_every_trial_has_a_row(search):
    """The table has each trial's values, loss and AUC, the best first."""
    folder, _ = search
    table = pd.read_csv(folder / tuning.TABLE)
    assert len(table) == 2
    assert table["loss"].is_monotonic_increasing
    assert {"auc", "seconds", "widths", "mixup", "curation"} <= set(table.columns)


def test_a_finished_search_changes_nothing(search):
    """The same command after the end trains no further trial."""
    folder, before = search
    assert (folder / tuning.TABLE).read_bytes() == before


def test_the_winner_is_a_configuration_with_the_whole_schedule(search):
    """What the search writes is what ``neumo train --configs`` reads."""
    folder, _ = search
    winner = config.read(folder / tuning.WINNER, config.MemberConfig)
    assert winner.model == "pneumonia_tuned"
    assert winner.epochs == 2
    assert winner.widths in tuning.WIDTHS.values()


def test_the_committed_configuration_lies_in_the_search_space():
    """What the release is trained by is what the search could find."""
    base = config.read_all().members[0]
    space = keras_tuner.HyperParameters()
    tuning.suggested(space, base)
    for name in ("label_smoothing", "crop_area_min", "gamma", "mixup", "curation"):
        (known,) = (hp for hp in space.space if hp.name == name)
        assert getattr(base, name) in known.values
    assert base.widths in tuning.WIDTHS.values()


def test_a_configuration_survives_being_written(tmp_path):
    """As TOML and back, every value is the same."""
    base = config.read_all().members[0]
    (tmp_path / "a.toml").write_text(tuning.to_toml(base))
    assert config.read(tmp_path / "a.toml", config.MemberConfig) == base
