"""The search of hyperparameters: resumable, tabulated, and its winner is a configuration."""

import keras_tuner
import pandas as pd
import pytest

from neumo.errors import ConfigError
from neumo_training.commands import tune
from neumo_training.fitting import tuning, tuning_table
from neumo_training.networks import network_config
from support.drawn_dataset import write_configs


@pytest.fixture(scope="module")
def search(run, films_folder, tmp_path_factory):
    """Two short trials on the drawn films."""
    base = tmp_path_factory.mktemp("search")
    configs = write_configs(base / "configs")
    masks = run.workdir.parent / "masks"
    arguments = [str(films_folder), "--workdir", str(base), "--configs", str(configs)]
    arguments += ["--masks", str(masks)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tuning, "EPOCHS", 1)
        assert tune.main([*arguments, "--trials", "2"]) == 0
        before = (base / "tuning" / tuning_table.TABLE).read_bytes()
        assert tune.main([*arguments, "--trials", "2"]) == 0
    return base / "tuning", before


def test_every_trial_has_a_row(search):
    """The table has each trial's values, loss and AUC, the best first."""
    folder, _ = search
    table = pd.read_csv(folder / tuning_table.TABLE)
    assert len(table) == 2
    assert table["loss"].is_monotonic_increasing
    assert {"auc", "seconds", "widths", "mixup", "curation"} <= set(table.columns)


def test_the_plot_shows_every_value_that_varied(search):
    """An SVG with a panel for each of them."""
    folder, _ = search
    drawn = (folder / tuning_table.PLOT).read_text()
    assert drawn.startswith("<?xml")
    table = pd.read_csv(folder / tuning_table.TABLE)
    panels = tuning_table.plot(table.assign(mixup=[0.0, 0.2], gamma=[0.2, 0.4])).count('id="axes_')
    assert panels >= 2


def test_a_finished_search_changes_nothing(search):
    """The same command after the end trains no further trial."""
    folder, before = search
    assert (folder / tuning_table.TABLE).read_bytes() == before


def test_the_winner_is_a_configuration_with_the_whole_schedule(search):
    """What the search writes is what ``neumo train --configs`` reads."""
    folder, _ = search
    winner = network_config.read(folder / tuning.WINNER, network_config.MemberConfig)
    assert winner.model == "pneumonia_tuned"
    assert winner.epochs == 2
    assert winner.widths in tuning.WIDTHS.values()


@pytest.mark.parametrize("count", ["0", "-1", "many"])
def test_a_search_has_at_least_one_trial(films_folder, count):
    """Said before a film is read; without a trial there is no winner to write."""
    with pytest.raises(ConfigError, match=f"--trials: not a whole number from 1: {count}"):
        tune.main([str(films_folder), f"--trials={count}"])


def test_the_committed_configuration_lies_in_the_search_space():
    """What the release is trained by is what the search could find."""
    base = network_config.read_all().members[0]
    space = keras_tuner.HyperParameters()
    tuning.suggested(space, base)
    for name in ("label_smoothing", "crop_area_min", "gamma", "mixup", "curation"):
        (known,) = (hp for hp in space.space if hp.name == name)
        assert getattr(base, name) in known.values
    assert base.widths in tuning.WIDTHS.values()


def test_a_configuration_survives_being_written(tmp_path):
    """As TOML and back, every value is the same."""
    base = network_config.read_all().members[0]
    (tmp_path / "a.toml").write_text(tuning_table.to_toml(base))
    assert network_config.read(tmp_path / "a.toml", network_config.MemberConfig) == base
