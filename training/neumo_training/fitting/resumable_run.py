"""One resumable run of training: killed at any moment, it goes on at its last epoch."""

from __future__ import annotations

import hashlib
import json
import shutil
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import keras
import numpy.typing as npt
import pandas as pd
import tensorflow as tf

from neumo.errors import ConfigError
from neumo_training.datasets import film_table
from neumo_training.networks.network_config import Config, digest
from neumo_training.stage_progress import clock
from neumo_training.whole_files import write_atomically

BEST = "best.keras"
"""The network of a finished run, in its folder."""
_STATE = "state.json"
WARMUP_SHARE = 0.1
Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Task:
    """What a run trains: everything that differs between the kinds of network."""

    config: Config
    films: str
    """What is trained on, by a text that changes with it."""
    build: Callable[[], Any]
    """A compiled model with fresh weights."""
    epoch: Callable[[int], Any]
    """The batches of one epoch, by its number: the same each time it is asked for."""
    held_loss: Callable[[Any], float] | None
    """A model's loss on films held out, or None: then the last epoch is kept."""


@dataclass(frozen=True, slots=True)
class RunState:
    """Where a run is: what ``state.json`` holds, always beside the checkpoint it names."""

    config: str
    films: str
    epoch: int = 0
    best_epoch: int = 0
    best_loss: float = float("inf")
    seconds: float = 0.0
    done: bool = False

    def stopped_early(self, patience_epochs: int) -> bool:
        """Whether the validation loss has not improved for ``patience_epochs``."""
        return self.epoch - self.best_epoch >= patience_epochs


def run(task: Task, folder: Path, say: Say) -> tuple[Any, RunState]:
    """Train, or go on training, in ``folder``; returns the model and how the run ended.

    With ``held_loss`` the epoch of least loss is kept and the run stops early. TensorBoard's logs
    are in ``folder/tensorboard``. Raises ``ConfigError`` where ``folder`` belongs to a run of
    other films or another configuration.
    """
    epochs = task.config.epochs
    folder.mkdir(parents=True, exist_ok=True)
    state = _read_state(folder, task)
    if state.done:
        return keras.models.load_model(folder / BEST), state
    model = _resume_or_build(folder, task, state)
    board = tf.summary.create_file_writer(str(folder / "tensorboard"))
    while state.epoch < epochs and not state.stopped_early(task.config.patience_epochs):
        began = time.monotonic()
        # The data set is in its order already, and ``say`` tells how far it is.
        history = model.fit(task.epoch(state.epoch), shuffle=False, verbose=0).history
        state = replace(state, epoch=state.epoch + 1)
        held = None if task.held_loss is None else task.held_loss(model)
        if held is None or held < state.best_loss:
            best_loss = float("inf") if held is None else held
            state = replace(state, best_epoch=state.epoch, best_loss=best_loss)
        state = replace(state, seconds=state.seconds + time.monotonic() - began)
        _save(folder, model, state)
        loss = float(history["loss"][-1])
        with board.as_default(step=state.epoch):
            for name, value in {"loss": loss, "validation": held}.items():
                if value is not None:
                    tf.summary.scalar(name, value)
        board.flush()
        say(_line(state, epochs, loss, held))
    return _finish(folder, state)


def fingerprint(films: pd.DataFrame, beside: npt.NDArray[Any]) -> str:
    """These very films, each with what is ``beside`` it: its mask, or how often it is drawn."""
    # Of contents, not of code: a module that is renamed does not end a run of days.
    files = film_table.content_fingerprint(films)
    return f"{files} {hashlib.sha256(beside.tobytes()).hexdigest()}"


def optimizer(config: Config) -> Any:
    """AdamW (Loshchilov and Hutter 2019), warmed up over a tenth of the steps, then a cosine."""
    steps = config.epochs * config.steps_per_epoch
    warmup = round(WARMUP_SHARE * steps)
    # Keras counts the decay from the warm-up's end: together they are all steps.
    rate = keras.optimizers.schedules.CosineDecay(
        0.0, steps - warmup, warmup_target=config.learning_rate, warmup_steps=warmup
    )
    return keras.optimizers.AdamW(rate, weight_decay=config.weight_decay)


def _read_state(folder: Path, task: Task) -> RunState:
    fresh = RunState(digest(task.config), task.films)
    path = folder / _STATE
    if not path.exists():
        return fresh
    try:
        state = RunState(**json.loads(path.read_text(encoding="utf-8")))
    except (ValueError, TypeError) as error:
        raise ConfigError(f"{path}: not the state of a run ({error}); delete {folder}") from error
    if (state.config, state.films) != (fresh.config, fresh.films):
        raise ConfigError(
            f"{folder}: holds a run of other films or another configuration; "
            "delete it or name another --workdir"
        )
    return state


def _resume_or_build(folder: Path, task: Task, state: RunState) -> Any:
    if not state.epoch:
        return task.build()
    # With the optimiser's moments and step: the schedule goes on where it was.
    model = keras.models.load_model(folder / f"epoch-{state.epoch}.keras")
    _advance_dropout(model)
    return model


def _advance_dropout(model: Any) -> None:
    """A saved Dropout starts its random stream anew: bring it to where the steps taken left it."""
    for layer in model.layers:
        if isinstance(layer, keras.layers.Dropout):
            seed, _ = layer.seed_generator.state.numpy()
            layer.seed_generator.state.assign([seed, int(model.optimizer.iterations)])


def _save(folder: Path, model: Any, state: RunState) -> None:
    """Checkpoint first, then the state that names it, then clean up: any kill is survived."""
    checkpoint = folder / f"epoch-{state.epoch}.keras"
    model.save(checkpoint)
    # No loss yet is written as Infinity, which Python's json reads again.
    write_atomically(folder / _STATE, json.dumps(asdict(state)))
    # Two at most: an epoch's checkpoint holds the optimiser, three times the weights.
    keep = {checkpoint.name, f"epoch-{state.best_epoch}.keras"}
    for old in folder.glob("epoch-*.keras"):
        if old.name not in keep:
            old.unlink()


def _finish(folder: Path, state: RunState) -> tuple[Any, RunState]:
    # The network before the state that says it is there: a kill between finishes twice.
    shutil.copyfile(folder / f"epoch-{state.best_epoch}.keras", folder / BEST)
    done = replace(state, done=True)
    write_atomically(folder / _STATE, json.dumps(asdict(done)))
    for old in folder.glob("epoch-*.keras"):
        old.unlink()
    return keras.models.load_model(folder / BEST), done


def _line(state: RunState, epochs: int, loss: float, held: float | None) -> str:
    left = clock((epochs - state.epoch) * state.seconds / state.epoch)
    validation = "" if held is None else f"  validation {held:.3f}"
    return f"epoch {state.epoch:2d}/{epochs}  loss {loss:.3f}{validation}  {left} left at most"
