"""One run: one member on one set of films. Killed at any moment, it goes on at its last epoch."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import keras
import numpy as np
import numpy.typing as npt
import tensorflow as tf

from neumo.errors import ConfigError
from neumo_training import models
from neumo_training.augmentation import augment
from neumo_training.config import MemberConfig
from neumo_training.files import write_atomically
from neumo_training.films import Films, inputs, scaled

WARMUP_SHARE = 0.1
FORWARD_BATCH = 64
Report = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Progress:
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


def run(
    config: MemberConfig,
    train: Films,
    validation: Films | None,
    epochs: int,
    folder: Path,
    report: Report,
) -> tuple[Any, Progress]:
    """Train, or go on training, in ``folder``; returns the model and how the run ended.

    With ``validation`` the epoch of least validation loss is kept and the run stops early;
    without, all ``epochs`` of the same schedule are run and the last is kept. Raises
    ``ConfigError`` where ``folder`` belongs to a run of other films or another configuration.
    """
    folder.mkdir(parents=True, exist_ok=True)
    progress = _read_progress(folder, config, train, epochs)
    if progress.done:
        return keras.models.load_model(folder / "best.keras"), progress
    model = _resume_or_build(folder, config, progress, len(train.table))
    pixels, labels = inputs(train.pixels), train.labels
    held = None if validation is None else (inputs(validation.pixels), validation.labels)
    while progress.epoch < epochs and not progress.stopped_early(config.patience_epochs):
        began = time.monotonic()
        history = model.fit(
            _epoch(pixels, labels, config, progress.epoch), shuffle=False, verbose=0
        )
        progress = replace(progress, epoch=progress.epoch + 1)
        loss = None if held is None else log_loss(probabilities(model, held[0]), held[1])
        if loss is None or loss < progress.best_loss:
            best_loss = float("inf") if loss is None else loss
            progress = replace(progress, best_epoch=progress.epoch, best_loss=best_loss)
        progress = replace(progress, seconds=progress.seconds + time.monotonic() - began)
        _save(folder, model, progress)
        report(_line(progress, epochs, float(history.history["loss"][-1]), loss))
    return _finish(folder, progress)


def probabilities(model: Any, films: npt.NDArray[np.float16]) -> npt.NDArray[np.float64]:
    """The model's probability of PNEUMONIA for ``films`` (of ``films.inputs``), float64 [n]."""
    logits = [
        model(scaled(films[i : i + FORWARD_BATCH]), training=False).numpy()[:, 0]
        for i in range(0, len(films), FORWARD_BATCH)
    ]
    return 1.0 / (1.0 + np.exp(-np.concatenate(logits).astype(np.float64)))


def log_loss(scores: npt.NDArray[np.float64], labels: npt.NDArray[np.float32]) -> float:
    """Mean cross-entropy, each class weighing the same."""
    likelihood = np.log(np.clip(np.where(labels > 0, scores, 1.0 - scores), 1e-7, 1.0))
    return float(-np.mean([likelihood[labels == label].mean() for label in (0, 1)]))


def _epoch(
    pixels: npt.NDArray[np.float16],
    labels: npt.NDArray[np.float32],
    config: MemberConfig,
    epoch: int,
) -> Any:
    """One shuffled, augmented epoch; the same for the same seed and number."""
    order = np.random.RandomState([config.seed, epoch]).permutation(len(labels))
    size = config.batch_size

    def batch(step: Any) -> tuple[Any, Any]:
        rows = order[int(step) * size : (int(step) + 1) * size]
        return scaled(pixels[rows]), labels[rows]

    def prepare(step: Any) -> tuple[Any, Any]:
        films, targets = tf.numpy_function(batch, [step], (tf.float32, tf.float32))
        films = tf.ensure_shape(films, (None, *pixels.shape[1:]))
        targets = tf.ensure_shape(targets, (None,))
        seed = tf.stack([config.seed * 1000 + epoch, tf.cast(step, tf.int32)])
        films, targets = augment(films, targets, seed, config)
        return films, targets[:, None]

    steps = tf.data.Dataset.range(max(1, len(order) // size))
    return steps.map(prepare, num_parallel_calls=2, deterministic=True).prefetch(2)


def _compile(model: Any, config: MemberConfig, steps_per_epoch: int) -> None:
    total = steps_per_epoch * config.epochs
    warmup = round(WARMUP_SHARE * total)
    rate = keras.optimizers.schedules.CosineDecay(
        0.0, total - warmup, warmup_target=config.learning_rate, warmup_steps=warmup
    )
    loss = keras.losses.BinaryCrossentropy(from_logits=True, label_smoothing=config.label_smoothing)
    optimizer = keras.optimizers.AdamW(rate, weight_decay=config.weight_decay)
    model.compile(optimizer=optimizer, loss=loss, jit_compile=False)


def _films_digest(train: Films, epochs: int) -> str:
    return f"{len(train.table)} films, {epochs} epochs, last {train.table['sha256'].iloc[-1][:12]}"


def _read_progress(folder: Path, config: MemberConfig, train: Films, epochs: int) -> Progress:
    fresh = Progress(config.digest(), _films_digest(train, epochs))
    path = folder / "state.json"
    if not path.exists():
        return fresh
    progress = Progress(**json.loads(path.read_text(encoding="utf-8")))
    if (progress.config, progress.films) != (fresh.config, fresh.films):
        raise ConfigError(
            f"{folder}: holds a run of other films or another configuration; "
            "delete it or name another --workdir"
        )
    return progress


def _resume_or_build(folder: Path, config: MemberConfig, progress: Progress, films: int) -> Any:
    if progress.epoch:
        model = keras.models.load_model(folder / f"epoch-{progress.epoch}.keras")
        _advance_dropout(model)
        return model
    model = models.build(config)
    _compile(model, config, max(1, films // config.batch_size))
    return model


def _advance_dropout(model: Any) -> None:
    """A saved Dropout starts its random stream anew: bring it to where the steps taken left it."""
    for layer in model.layers:
        if isinstance(layer, keras.layers.Dropout):
            seed, _ = layer.seed_generator.state.numpy()
            layer.seed_generator.state.assign([seed, int(model.optimizer.iterations)])


def _save(folder: Path, model: Any, progress: Progress) -> None:
    """Checkpoint first, then the state that names it, then clean up: any kill is survived."""
    checkpoint = folder / f"epoch-{progress.epoch}.keras"
    model.save(checkpoint)
    write_atomically(folder / "state.json", json.dumps(asdict(progress)))
    keep = {checkpoint.name, f"epoch-{progress.best_epoch}.keras"}
    for old in folder.glob("epoch-*.keras"):
        if old.name not in keep:
            old.unlink()


def _finish(folder: Path, progress: Progress) -> tuple[Any, Progress]:
    shutil.copyfile(folder / f"epoch-{progress.best_epoch}.keras", folder / "best.keras")
    done = replace(progress, done=True)
    write_atomically(folder / "state.json", json.dumps(asdict(done)))
    for old in folder.glob("epoch-*.keras"):
        old.unlink()
    return keras.models.load_model(folder / "best.keras"), done


def _line(progress: Progress, epochs: int, loss: float, held: float | None) -> str:
    left = round((epochs - progress.epoch) * progress.seconds / progress.epoch)
    validation = "" if held is None else f"  validation {held:.3f}"
    return (
        f"epoch {progress.epoch:2d}/{epochs}  loss {loss:.3f}{validation}"
        f"  {left // 60}:{left % 60:02d} left at most"
    )
