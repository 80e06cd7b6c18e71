"""A run survives being killed, and refuses to mix with another."""

import json
import os
import shutil
import signal
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

from neumo import release
from neumo.errors import ConfigError
from neumo_training.datasets import decoded_films, film_table, splits
from neumo_training.fitting import member_training, pipeline, resumable_run, shipped_networks
from neumo_training.networks import folded_batchnorm, framing, network_config
from support.drawn_dataset import write_configs, write_films

EPOCHS = 6
TRAIN = """
import sys
from pathlib import Path
import numpy as np
from neumo_training.datasets import decoded_films, film_table
from neumo_training.fitting import member_training
from neumo_training.networks import framing, network_config
settings = network_config.read_all(Path(sys.argv[2])).members[0]
loaded = decoded_films.load(film_table.scan(Path(sys.argv[1])), print)
framed = member_training.frame(loaded, np.tile(np.float32(framing.WHOLE), (len(loaded.table), 1)))
member_training.fit(settings, framed, None, Path(sys.argv[3]), print)
"""


@pytest.fixture(scope="module")
def setting(tmp_path_factory):
    """Films, a configuration, and a folder for runs."""
    base = tmp_path_factory.mktemp("kill")
    return write_films(base / "films", patients=8), write_configs(base / "configs", EPOCHS), base


def weights(folder):
    """The finished run's weights in one vector."""
    import keras

    model = keras.models.load_model(folder / "best.keras")
    return np.concatenate([np.ravel(w) for w in model.get_weights()])


@pytest.mark.slow
def test_a_killed_run_goes_on_and_ends_like_an_unbroken_one(setting):
    """After SIGKILL between epochs the run resumes there and finds the same weights."""
    data, configs, base = setting
    broken = base / "broken"
    command = [sys.executable, "-u", "-c", TRAIN, str(data), str(configs)]
    quiet = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "2"}
    first = subprocess.Popen([*command, str(broken)], env=quiet, stdout=subprocess.PIPE, text=True)
    for line in first.stdout:
        if "epoch  2/" in line:
            first.send_signal(signal.SIGKILL)
            break
    first.wait()
    first.stdout.close()
    assert first.returncode == -signal.SIGKILL
    reached = json.loads((broken / "state.json").read_text())["epoch"]
    assert 2 <= reached < EPOCHS
    second = subprocess.run(
        [*command, str(broken)],
        env=quiet,
        capture_output=True,
        text=True,
        check=True,
    )
    assert f"epoch {reached + 1:2d}/" in second.stdout
    assert f"epoch {reached:2d}/" not in second.stdout
    subprocess.run([*command, str(base / "whole")], env=quiet, check=True)
    np.testing.assert_allclose(weights(broken), weights(base / "whole"), atol=1e-5)


def framed(folder):
    """The films in ``folder``, whole."""
    loaded = decoded_films.load(film_table.scan(folder), print)
    return member_training.frame(loaded, np.tile(np.float32(framing.WHOLE), (len(loaded.table), 1)))


def test_a_finished_run_is_not_trained_again(run):
    """The same command after the end changes nothing and says so."""
    before = (run.workdir / "results.json").read_bytes()
    said: list[str] = []
    pipeline.train(run.data, None, run.workdir, said.append, network_config.read_all())
    assert (run.workdir / "results.json").read_bytes() == before
    assert said[-1].endswith("nothing left to train")


def test_a_run_counts_the_files_that_are_no_films(run, tmp_path):
    """Before it trains: who gave them should know."""
    data = shutil.copytree(run.data, tmp_path / "data")
    (data / "NORMAL" / "film.xyz").write_text("")
    said: list[str] = []
    pipeline.train(data, None, run.workdir, said.append, network_config.read_all())
    assert any(line.startswith("files passed over") and line.endswith(": 1") for line in said)


def test_a_folder_of_another_configuration_is_refused(run, tmp_path):
    """Runs that differ never share checkpoints: one line says to delete or rename."""
    other = network_config.read_all(write_configs(tmp_path / "configs", epochs=9)).members[0]
    with pytest.raises(ConfigError, match="another configuration; delete it"):
        member_training.fit(
            other, framed(run.data), None, run.workdir / other.model / "fold-1", print
        )


@pytest.mark.parametrize("text", ["", '{"another": 1}'])
def test_a_state_that_was_edited_is_one_clear_line(run, tmp_path, text):
    """It is not taken for a fresh start, which would write over what is there."""
    settings = network_config.read_all(run.workdir.parent / "configs").members[0]
    (tmp_path / "state.json").write_text(text)
    with pytest.raises(ConfigError, match=r"not the state of a run .* delete"):
        member_training.fit(settings, framed(run.data), None, tmp_path, print)


def test_a_folder_of_other_films_is_refused(run):
    """As many films with the same last one, but not the same: no checkpoint is shared."""
    configs = run.workdir.parent / "configs"
    settings = network_config.read_all(configs).members[0]
    chosen = splits.splits_for(film_table.scan(run.data))
    known = framed(run.data)
    unseen = known.films.table["group"].isin(chosen.holdout | chosen.folds[0]).to_numpy()
    known = known.where(~unseen)
    settings = replace(settings, error_weight=1.0)
    folder = run.workdir / settings.model / "first-pass" / "fold-1"
    assert member_training.fit(settings, known, None, folder, print)[1].done
    table = known.films.table.copy()
    table.loc[table.index[0], "sha256"] = "another film"
    others = member_training.Framed(
        decoded_films.Films(table, known.films.pixels), known.small, known.boxes, known.emphasis
    )
    with pytest.raises(ConfigError, match="a run of other films"):
        member_training.fit(settings, others, None, folder, print)


def test_a_run_writes_what_tensorboard_shows(run):
    """Each run's losses are in TensorBoard's own files."""
    for folder in (run.workdir / "lungs", run.workdir / "pneumonia_tuned" / "fold-1"):
        assert list((folder / "tensorboard").glob("events.out.tfevents.*"))


def test_early_stopping_counts_epochs_without_improvement():
    """A run ends when the validation loss has not improved for the configured epochs."""
    state = resumable_run.RunState("", "", epoch=9, best_epoch=4)
    assert state.stopped_early(5)
    assert not state.stopped_early(6)


def test_an_epoch_is_the_same_for_the_same_seed(setting):
    """Shuffling and augmentation depend on the seed and the epoch's number only."""
    data, configs, _ = setting
    settings = network_config.read_all(configs).members[0]
    whole = framed(data)

    def first_batch(epoch):
        return next(iter(member_training._epoch(settings, whole, epoch)))[0].numpy()

    np.testing.assert_array_equal(first_batch(0), first_batch(0))
    assert np.abs(first_batch(0) - first_batch(1)).max() > 0.1


def test_every_film_is_scored_by_a_cnn_that_never_saw_its_patient(run):
    """The results carry threshold, calibration and the out-of-fold metrics of each model."""
    results = json.loads((run.workdir / "results.json").read_text())
    members = {"pneumonia_tuned", "pneumonia_residual"}
    assert 0.0 < results["threshold"] < 1.0
    assert results["calibration"].keys() == members
    assert {"ensemble", *members} <= results["metrics"]["out_of_fold"].keys()
    assert len(results["roc"]["fpr"]) == len(results["roc"]["threshold"])


def test_training_never_reads_the_hold_out(films_folder):
    """No film of the locked hold-out is among those that are decoded."""
    table = film_table.scan(films_folder)
    held = table["group"].isin(splits.splits_for(table).holdout)
    loaded = pipeline.development_films(table, splits.splits_for(table), print)
    assert held.any()
    assert not set(loaded.table["path"]) & set(table[held]["path"])


def test_without_masks_the_shipped_networks_find_the_lungs(run, monkeypatch):
    """A user's own data needs no masks: the newest shipped release has both networks."""
    import keras

    configs = run.workdir.parent / "configs"
    monkeypatch.setattr(release, "shipped", lambda: run.store)
    monkeypatch.setattr(shipped_networks, "CONFIGS", configs)
    settings = network_config.read_all(configs)
    for network in (settings.localiser, settings.lungs):
        found, told = pipeline.lungs_network(None, None, network, run.workdir, print)
        trained = folded_batchnorm.fold(
            keras.models.load_model(run.workdir / network.model / "best.keras")
        )
        assert told == {"source": "shipped"}
        for ours, theirs in zip(found.get_weights(), trained.get_weights(), strict=True):
            np.testing.assert_array_equal(ours, theirs)


def test_a_shipped_release_without_lungs_is_one_clear_line(run, tmp_path, monkeypatch):
    """Release 1 had none: then masks are needed, and the line says so."""
    manifest = release.newest(run.store)
    del manifest.models["lungs"]
    (tmp_path / "releases").mkdir()
    (tmp_path / "releases" / "1.json").write_text(manifest.to_json())
    monkeypatch.setattr(release, "shipped", lambda: tmp_path)
    with pytest.raises(ConfigError, match="finds no lungs: train with --masks DIR"):
        shipped_networks.load("lungs")


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("model = ", "Invalid value"),
        ('model = "pneumonia_tuned"', "missing or unknown: architecture"),
    ],
)
def test_a_bad_configuration_is_one_clear_line(tmp_path, text, line):
    """A file that does not parse, or lacks a key, is named with what is wrong."""
    (tmp_path / "pneumonia_tuned.toml").write_text(text)
    with pytest.raises(ConfigError, match=line):
        network_config.read(tmp_path / "pneumonia_tuned.toml", network_config.MemberConfig)


def test_what_a_first_pass_inside_the_training_folds_misses_is_drawn_more_often(run, monkeypatch):
    """Four times as often; and no CNN is told of its own fold by others that were trained on it."""
    settings = network_config.read_all(run.workdir.parent / "configs").members[0]
    given = []

    def fit(kind, train, held, folder, say):
        given.append((kind.error_weight, train.emphasis, set(train.films.table["name"])))
        return None, resumable_run.RunState("", "")

    known = framed(run.data)
    missed = np.arange(len(known.boxes)) % 5 == 0
    scores = np.where(missed == (known.films.labels > 0), -1.0, 1.0)
    by_film = dict(zip(known.films.table["name"], scores, strict=True))
    monkeypatch.setattr(member_training, "fit", fit)
    monkeypatch.setattr(member_training, "logits", lambda _, crops: crops)
    monkeypatch.setattr(
        member_training.Framed,
        "crops",
        lambda self: np.array([by_film[name] for name in self.films.table["name"]]),
    )
    folds = np.arange(len(known.boxes)) % 3
    pipeline._member(settings, pipeline.Development(known, folds), run.workdir, print)
    first, second = given[:6], given[6:]
    assert [weight for weight, _, _ in first] == [1.0] * 6
    assert all((emphasis == 1.0).all() for _, emphasis, _ in first)
    names = known.films.table["name"].to_numpy()
    for fold, (_, emphasis, _) in enumerate(second):
        np.testing.assert_array_equal(emphasis == 4.0, missed[folds != fold])
        for _, _, seen in first[2 * fold : 2 * fold + 2]:
            assert not seen & set(names[folds == fold])


def test_an_emphasised_film_is_drawn_so_many_times_as_often(run):
    """Of two halves of the films, one with three times the weight makes three quarters."""
    known = framed(run.data)
    half = np.arange(len(known.boxes)) % 2 == 0
    known = replace(known, emphasis=np.where(half, 3.0, 1.0))
    settings = replace(
        network_config.read_all(run.workdir.parent / "configs").members[0], steps_per_epoch=200
    )
    drawn = member_training._rows(settings, known, 0)
    assert np.mean(half[drawn]) == pytest.approx(0.75, abs=0.03)
